//! `countersign plugin test`: the kit over one component, and its report.
//!
//! Nothing is masked: what is shown is the test's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use countersign::sandbox::{Digest, Profile};
use countersign_kit::{Kit, KitError, Report};

use super::refused;
use crate::arguments::{Cases, Global, Test};
use crate::codes;
use crate::failure::Failure;
use crate::json;
use crate::output::Output;

/// Where cases are looked for when none are named.
const VECTORS: &str = "vectors";
/// How often `--watch` looks: soon enough for whoever has just saved a file.
const LOOK: Duration = Duration::from_millis(300);

pub(super) fn run(global: &Global, test: &Test, output: &Output) -> Result<ExitCode, Failure> {
    if test.watch { watch(global, test, output) } else { once(global, test, output) }
}

fn once(global: &Global, test: &Test, output: &Output) -> Result<ExitCode, Failure> {
    let report = match tested(global, test, output) {
        Ok(report) => report,
        Err(failure) => {
            // In place of what an earlier run has left there.
            let name = test.of.file.file_stem().unwrap_or_default().to_string_lossy();
            write_junit(test, || Report::none_to_junit(&name, failure.message()))?;
            return Err(failure);
        }
    };
    if test.json {
        output.json(&report.to_json())?;
    } else {
        output.text(&report.to_text())?;
    }
    write_junit(test, || report.to_junit())?;
    judge(&report)
}

fn write_junit(test: &Test, document: impl FnOnce() -> Vec<u8>) -> Result<(), Failure> {
    let Some(path) = &test.junit else { return Ok(()) };
    std::fs::write(path, document())
        .map_err(|cause| Failure::new(codes::OUTPUT_FAILED, format!("{}: {cause}", path.display())))
}

/// The report, of how things are after what was blessed.
fn tested(global: &Global, test: &Test, output: &Output) -> Result<Report, Failure> {
    let kit = kit(global, &test.of)?;
    let mut report = kit.run();
    if test.bless {
        let written = kit.bless(&report)?;
        for path in &written {
            output.note(&format!("blessed {}", path.display()));
        }
        let failed = || report.cases.iter().filter(|it| !it.passed());
        for case in failed().filter(|it| !it.may_be_blessed()) {
            output
                .note(&format!("not blessed: `{}`; mend what was found with it first", case.name));
        }
        if !written.is_empty() {
            // What is reported is how things are now.
            report = self::kit(global, &test.of)?.run();
        }
    }
    Ok(report)
}

fn judge(report: &Report) -> Result<ExitCode, Failure> {
    if report.passed() {
        return Ok(ExitCode::SUCCESS);
    }
    if report.cases.is_empty() && report.unknown.is_empty() {
        return Err(no_cases("no file holds a case"));
    }
    let failed = report.cases.iter().filter(|case| !case.passed()).count();
    let found = report.findings.len();
    if failed == 0 && report.unknown.is_empty() {
        let what = format!("each case went as it says, and the checks found {found}");
        return Err(Failure::new(codes::CHECK_FAILED, what));
    }
    let mut what = format!("{failed} of {} cases failed", report.cases.len());
    if found > 0 {
        what = format!("{what}, and the checks found {found}");
    }
    if !report.unknown.is_empty() {
        what = format!("{what}; there is no case named: {}", report.unknown.join(", "));
    }
    Err(Failure::new(codes::TEST_FAILED, what))
}

fn no_cases(what: &str) -> Failure {
    Failure::new(codes::CASES_MISSING, what)
}

/// A component with its cases.
pub(super) fn kit(global: &Global, cases: &Cases) -> Result<Kit, Failure> {
    let Cases { file, vectors, only } = cases;
    let vectors = self::vectors(vectors)?;
    let component = json::read(file)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    // wasmtime takes an absolute folder only.
    let cache = global.cache.as_deref().map(std::path::absolute).transpose();
    let cache = cache.map_err(anyhow::Error::from)?;
    let profile = profile(global, &name, &component);
    let kit = Kit::under(profile, &name, &component, cache.as_deref());
    let mut kit = kit.map_err(|error| match error {
        KitError::Component(cause) => {
            refused(&name, format!("{}: {cause}", file.display()), &cause)
        }
        other => other.into(),
    })?;
    for path in vectors {
        kit = kit.cases_in(path)?;
    }
    if kit.files().is_empty() {
        return Err(no_cases("no `.json` file is in the folders that were named"));
    }
    Ok(only.iter().fold(kit, |kit, name| kit.only(name)))
}

/// What the command line lets this component have.
fn profile(global: &Global, name: &str, component: &[u8]) -> Profile {
    let digest = Digest::of(component);
    if global.interpreted.iter().any(|chosen| chosen.is(name, digest)) {
        Profile::Interpreted
    } else {
        Profile::Plain
    }
}

/// Those that are named, or the usual ones.
fn vectors(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let usual = PathBuf::from(VECTORS);
    if usual.is_dir() {
        return Ok(vec![usual]);
    }
    Err(no_cases("no file of cases is named, and there is no folder `vectors` here"))
}

impl From<KitError> for Failure {
    fn from(error: KitError) -> Self {
        let code = match &error {
            KitError::Component(_) => codes::COMPONENT_REFUSED,
            KitError::Unreadable { .. } => codes::FILE_UNREADABLE,
            KitError::Cases(_) => codes::CASES_INVALID,
            KitError::NothingToMeasure => codes::CASES_MISSING,
            KitError::Unwritable { .. } => codes::OUTPUT_FAILED,
            _ => codes::HOST_UNUSABLE,
        };
        Self::new(code, error.to_string())
    }
}

/// Again for every change, until the process is ended.
fn watch(global: &Global, test: &Test, output: &Output) -> Result<ExitCode, Failure> {
    let mut before = None;
    loop {
        let now = marks(test);
        if before.as_ref() != Some(&now) {
            if let Some(path) = before.as_ref().and_then(|before| other(before, &now)) {
                output.note(&format!("{} has changed", path.display()));
            }
            before = Some(now);
            match once(global, test, output) {
                Ok(_) => {}
                Err(failure) if failure.is_reader_gone() => return Err(failure),
                // A file that is being written may be anything for a moment.
                Err(failure) => drop(output.fail(&failure)),
            }
            output.note("waiting for a change; Ctrl-C ends it");
        }
        std::thread::sleep(LOOK);
    }
}

type Marks = BTreeMap<PathBuf, Option<(u64, Option<SystemTime>)>>;

/// The first file that is not as it was.
fn other<'a>(before: &'a Marks, now: &'a Marks) -> Option<&'a Path> {
    let paths = before.keys().chain(now.keys());
    paths.map(PathBuf::as_path).find(|path| before.get(*path) != now.get(*path))
}

/// What changes when a file does.
fn marks(test: &Test) -> Marks {
    let mut marks = Marks::new();
    mark(&test.of.file, &mut marks);
    // Where there are none, their coming is the change.
    for path in vectors(&test.of.vectors).unwrap_or_default() {
        mark(&path, &mut marks);
    }
    marks
}

/// The files of a path that count: what else lies in a folder, a report perhaps, is no change.
fn mark(path: &Path, marks: &mut Marks) {
    let files = countersign_kit::files(path).unwrap_or_else(|_| vec![path.to_owned()]);
    for path in files {
        let found = std::fs::metadata(&path).ok();
        marks.insert(path, found.map(|it| (it.len(), it.modified().ok())));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(folder: &Path, vectors: Vec<PathBuf>) -> Test {
        let of = Cases { file: folder.join("acme.wasm"), vectors, only: Vec::new() };
        Test { of, json: false, junit: None, bless: false, watch: true }
    }

    #[test]
    fn the_component_and_its_cases_are_changes_and_what_else_lies_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let vectors = folder.path().join("vectors");
        fs::create_dir(&vectors).unwrap();
        let test = of(folder.path(), vec![vectors.clone()]);
        let mut last = marks(&test);
        let mut changes = |name: &str, text: Option<&str>| {
            let path = folder.path().join(name);
            match text {
                Some(text) => fs::write(path, text).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let now = marks(&test);
            let changed = now != last;
            let found = other(&last, &now).map(|it| it.ends_with(name));
            assert_eq!(found, changed.then_some(true), "{name}");
            last = now;
            changed
        };
        assert!(changes("acme.wasm", Some("first")));
        assert!(changes("acme.wasm", Some("the second")));
        assert!(changes("vectors/a.json", Some("[]")));
        assert!(changes("vectors/a.json", Some("[{}]")));
        // A report that each run writes would have it run for ever.
        assert!(!changes("vectors/report.xml", Some("<testsuites/>")));
        assert!(!changes("notes.json", Some("{}")));
        assert!(changes("vectors/a.json", None));
        assert!(changes("acme.wasm", None));
    }

    #[test]
    fn a_folder_of_cases_that_comes_later_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let vectors = folder.path().join("vectors");
        let test = of(folder.path(), vec![vectors.clone()]);
        let before = marks(&test);
        fs::create_dir(&vectors).unwrap();
        fs::write(vectors.join("a.json"), "[]").unwrap();
        assert!(marks(&test) != before);
    }
}
