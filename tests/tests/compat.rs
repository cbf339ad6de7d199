//! Components that were built for this track of the contract go on working: those kept under
//! `compat/`, loaded as a plugin folder is, and run over their cases.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use countersign::registry::Source;
use countersign_kit::{CaseReport, Kit};
use countersign_tests::{Folder, registry_of, sandbox};

fn compat() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compat")
}

/// Each component that is kept, of every version.
fn kept() -> Vec<PathBuf> {
    let files = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.collect::<Vec<_>>()
    };
    let folders = files(&compat()).into_iter().filter(|path| path.is_dir());
    let all = folders.flat_map(|folder| files(&folder));
    let mut kept: Vec<_> =
        all.filter(|path| path.extension().is_some_and(|it| it == "wasm")).collect();
    kept.sort();
    kept
}

#[test]
fn a_component_of_each_world_is_kept() {
    let record = fs::read_to_string(compat().join("contract.txt")).unwrap();
    let worlds = record.lines().filter_map(|line| line.strip_prefix("world "));
    let worlds: BTreeSet<_> = worlds.map(ToOwned::to_owned).collect();
    let kept = kept();
    let stems = kept.iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    assert_eq!(stems.collect::<BTreeSet<_>>(), worlds);
}

#[test]
fn each_is_accepted_from_a_plugin_folder() {
    let folder = Folder::new();
    for (nth, component) in kept().iter().enumerate() {
        folder.put(&format!("{nth}.wasm"), fs::read(component).unwrap());
    }
    let registry = registry_of(sandbox(), &[], Some(folder.path()), BTreeMap::new());
    let listing = registry.listing();
    assert!(listing.refused.is_empty(), "{:?}", listing.refused);
    let files = listing.serving.iter().filter(|it| matches!(it.source, Source::File(_)));
    assert_eq!(files.count(), kept().len());
}

/// The cases alone are what is promised: what the kit's checks look for may grow.
#[test]
fn each_goes_as_its_cases_say() {
    for component in kept() {
        let name = component.file_stem().unwrap().to_string_lossy().into_owned();
        let kit = Kit::new(&name, &fs::read(&component).unwrap()).unwrap();
        let report = kit.cases_in(component.with_extension("json")).unwrap().run();
        assert!(!report.cases.is_empty());
        assert!(report.cases.iter().all(CaseReport::passed), "{}", report.to_text());
    }
}
