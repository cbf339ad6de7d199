//! Folders in, projects or what is wrong with them out.

use std::fs;

use super::*;

fn open(manifest: Option<&str>) -> Result<Project, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    if let Some(manifest) = manifest {
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    }
    Project::open(folder.path()).map_err(|error| error.to_string())
}

const PACKAGE: &str = "[package]\nname = \"my-plugin\"\nedition = \"2024\"\n";
const LIBRARY: &str = "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";

#[test]
fn a_project_is_what_its_manifest_says() {
    for (more, stack) in [("", STACK), ("[package.metadata.countersign]\nstack = 16384\n", 16384)] {
        let project = open(Some(&[PACKAGE, LIBRARY, more].concat())).unwrap();
        assert_eq!((project.name(), project.stack), ("my-plugin", stack));
    }
}

#[test]
fn what_is_no_project_of_a_plugin_is_told_with_what_to_do() {
    for (manifest, cure) in [
        (None, "countersign plugin new"),
        (Some("[package"), "cargo cannot read"),
        (Some("[workspace]"), "has no [package]"),
        (Some(PACKAGE), "crate-type"),
    ] {
        let error = open(manifest).unwrap_err();
        assert!(error.contains(cure), "{manifest:?}: {error}");
    }
    for stack in ["16", "16385", "-16384", "\"16384\"", "999999984"] {
        let more = format!("[package.metadata.countersign]\nstack = {stack}\n");
        let error = open(Some(&[PACKAGE, LIBRARY, &more].concat())).unwrap_err();
        assert!(error.contains("a multiple of 16"), "{stack}: {error}");
    }
    let error = Project::open(Path::new("no/such/folder")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

/// `digest` is a crate far below many others, and a good name for a plugin.
#[test]
fn a_project_that_is_called_as_one_of_its_dependencies_is_told_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for (place, more) in [
        (
            root.clone(),
            "[dependencies]\nother = { package = \"my-plugin\", path = \"other\" }\n[workspace]\nexclude = [\"other\"]\n",
        ),
        (root.join("other"), ""),
    ] {
        fs::create_dir_all(place.join("src")).unwrap();
        fs::write(place.join("src/lib.rs"), "").unwrap();
        let version = if place == root { "version = \"1.0.0\"\n" } else { "version = \"2.0.0\"\n" };
        let manifest = [PACKAGE, version, LIBRARY, more].concat();
        fs::write(place.join("Cargo.toml"), manifest).unwrap();
    }
    let project = Project::open(&root).unwrap();
    let named = |spec: &str| {
        let mut cargo = rust::cargo(&root);
        cargo.args(["pkgid", "--offline", spec]).output().unwrap().status.success()
    };
    // The first makes the lock file.
    rust::cargo(&root).args(["generate-lockfile", "--offline"]).output().unwrap();
    assert!(named(&project.id));
    assert!(!named(&project.name), "the name alone is of two packages");
}
