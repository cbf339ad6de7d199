//! Files of cases: which they are, and what is in them.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::case::{self, Case, Tested};
use crate::error::{Flawed, KitError};
use crate::reading::{Flaw, Flaws};
use crate::twice;

/// A file whose cases have been found good.
#[derive(Clone)]
pub(crate) struct CaseFile {
    pub(crate) path: PathBuf,
    /// As it was read, for whoever writes into it.
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Json,
    pub(crate) cases: Vec<Case>,
}

/// The files of a path: itself, or every `.json` file below it, in the order of their names. Folders
/// behind links are left out: one may lead back here.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, KitError> {
    let unreadable = |path: &Path, cause| KitError::Unreadable { path: path.to_owned(), cause };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|cause| unreadable(path, cause))?;
    let mut below = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|cause| unreadable(path, cause))?;
        let kind = entry.file_type().map_err(|cause| unreadable(path, cause))?;
        below.push((entry.path(), kind));
    }
    below.sort_by(|one, other| one.0.cmp(&other.0));
    let mut found = Vec::new();
    for (path, kind) in below {
        if kind.is_dir() {
            found.extend(files(&path)?);
        } else if path.is_file() && path.extension().is_some_and(|it| it == "json") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads them all; on `Err` the flaws of all of them are told.
pub(crate) fn read(paths: &[PathBuf], tested: &Tested<'_>) -> Result<Vec<CaseFile>, KitError> {
    let mut read = Vec::new();
    let mut flawed = Flawed::default();
    for path in paths {
        let bytes = std::fs::read(path)
            .map_err(|cause| KitError::Unreadable { path: path.clone(), cause })?;
        let json: Json = match serde_json::from_slice(&bytes) {
            Ok(json) => json,
            Err(error) => {
                let what = format!("is not JSON: {error}");
                flawed.0.push((path.clone(), Flaw { place: String::new(), what }));
                continue;
            }
        };
        for place in twice::places(&bytes) {
            let what = "stands twice in its object; only one of them would count".to_owned();
            flawed.0.push((path.clone(), Flaw { place, what }));
        }
        read.extend(parse(path, bytes, json, tested, &mut flawed));
    }
    if flawed.0.is_empty() { Ok(read) } else { Err(KitError::Cases(flawed)) }
}

/// What stands in one file; `None`, with its flaws noted, where it has any.
pub(crate) fn parse(
    path: &Path,
    bytes: Vec<u8>,
    json: Json,
    tested: &Tested<'_>,
    flawed: &mut Flawed,
) -> Option<CaseFile> {
    let flaws = Flaws::default();
    let cases = case::read(&json, tested, &flaws);
    let flaws = flaws.into_list();
    let good = flaws.is_empty();
    flawed.0.extend(flaws.into_iter().map(|flaw| (path.to_owned(), flaw)));
    good.then(|| CaseFile { path: path.to_owned(), bytes, json, cases })
}
