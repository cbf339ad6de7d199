//! Writes what was found where it was expected.
//!
//! Only the members that a case names are written, so that it goes on saying what it said, about
//! what is so now; where it ended another way, that end takes the place of the old one. What a file
//! has besides stays, in its order.

use std::io::{self, Write as _};
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};
use tempfile::NamedTempFile;

use crate::case::{Asked, Case, END_NAMES, Expect};
use crate::error::KitError;
use crate::expectation::{Found, part, told};
use crate::file::CaseFile;
use crate::report::Report;
use crate::run::{End, Run};

/// Places of a file, and what belongs there.
#[derive(Clone, Debug)]
pub(crate) struct Blessed(Vec<(String, Json)>);

/// What the case would say if it were written after the run.
pub(crate) fn blessed(case: &Case, run: &Run) -> Blessed {
    let found = Found::of(run);
    let mut expect = Map::new();
    let none = Map::new();
    let said = case.expect.as_ref().map_or(&none, |Expect(expect)| expect);
    for (name, expected) in said.iter().filter(|(_, expected)| !expected.is_null()) {
        let is_end = END_NAMES.contains(&name.as_str());
        match found.named(name, Some(expected)) {
            Some(told) => drop(expect.insert(name.clone(), told)),
            None if is_end => drop(expect.insert(found.end().to_owned(), ended(&found))),
            None => {}
        }
    }
    let named = |name: &str| expect.contains_key(name);
    if !END_NAMES.iter().any(|name| named(name)) || found.is_failure() && !named(found.end()) {
        expect.insert(found.end().to_owned(), ended(&found));
    }
    let mut places = vec![("expect".to_owned(), Json::Object(expect))];
    let mut script = |name: &str, asked: Vec<Option<&Asked>>, found: &[Json]| {
        for (nth, (asked, found)) in asked.into_iter().zip(found).enumerate() {
            if let Some(asked) = asked {
                places.push((format!("{name}/{nth}/expect"), part(asked, found)));
            }
        }
    };
    let inputs = &case.inputs;
    let asked = |all: &[crate::case::Exchange]| -> Vec<Option<Asked>> {
        all.iter().map(|it| it.expect.clone()).collect()
    };
    let (fetches, replies) = (asked(&inputs.fetches), asked(&inputs.replies));
    script("fetches", fetches.iter().map(Option::as_ref).collect(), &told(&run.fetched));
    if inputs.is_sent() {
        script("replies", replies.iter().map(Option::as_ref).collect(), &told(&run.sent));
    }
    let ended_so = usize::from(matches!(run.end, End::Paused));
    let shown = &run.prompts[..run.prompts.len() - ended_so];
    script("pauses", inputs.pauses().iter().map(|it| it.expect.as_ref()).collect(), shown);
    Blessed(places)
}

fn ended(found: &Found) -> Json {
    found.named(found.end(), None).unwrap_or_else(|| json!({}))
}

/// Changes the files of the cases that differ.
pub(crate) fn write(files: &[CaseFile], report: &Report) -> Result<Vec<PathBuf>, KitError> {
    let mut written = Vec::new();
    for file in files {
        let mut json = file.json.clone();
        let differing = report.cases.iter().filter(|it| it.file == file.path && !it.passed());
        for case in differing {
            let Some(Blessed(places)) = &case.blessed else { continue };
            let Some(into) = json.pointer_mut(&case.place) else { continue };
            for (place, blessed) in places {
                put(into, place, blessed);
            }
        }
        if json == file.json {
            continue;
        }
        replace(file, &format!("{json:#}\n"))
            .map_err(|cause| KitError::Unwritable { path: file.path.clone(), cause })?;
        written.push(file.path.clone());
    }
    Ok(written)
}

/// The file is what it was or what it shall be, whatever happens; and nothing that somebody has written
/// into it since it was read is lost.
fn replace(file: &CaseFile, text: &str) -> io::Result<()> {
    // Where the path is a link, it stays one.
    let path = file.path.canonicalize()?;
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    let mut whole = NamedTempFile::new_in(folder)?;
    whole.write_all(text.as_bytes())?;
    whole.as_file().set_permissions(std::fs::metadata(&path)?.permissions())?;
    whole.as_file().sync_all()?;
    if std::fs::read(&path)? != file.bytes {
        return Err(io::Error::other("it was changed while its cases ran; run them again"));
    }
    whole.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

fn put(case: &mut Json, place: &str, blessed: &Json) {
    if place == "expect" {
        case["expect"] = blessed.clone();
    } else if let Some(there) = case.pointer_mut(&format!("/{place}")) {
        *there = blessed.clone();
    }
}
