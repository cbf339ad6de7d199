//! Folders in, projects or what is wrong with them out.

use std::fs;

use super::*;
use crate::rust;

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
    for (more, stack) in
        [("", cargo::STACK), ("[package.metadata.countersign]\nstack = 16384\n", 16384)]
    {
        let project = open(Some(&[PACKAGE, LIBRARY, more].concat())).unwrap();
        let Project::Rust(package) = &project else { panic!("{project:?}") };
        assert_eq!((project.name(), package.stack), ("my-plugin", stack));
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
    let Ok(Project::Rust(project)) = Project::open(&root) else { panic!("no crate") };
    let named = |spec: &str| {
        let mut cargo = rust::cargo(&root);
        cargo.args(["pkgid", "--offline", spec]).output().unwrap().status.success()
    };
    // The first makes the lock file.
    rust::cargo(&root).args(["generate-lockfile", "--offline"]).output().unwrap();
    assert!(named(&project.id));
    assert!(!named(&project.name), "the name alone is of two packages");
}

/// A folder with these files, opened.
fn of_files(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Project, Error>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let project = Project::open(folder.path());
    (folder, project)
}

const JS: &str = r#"{"name": "my-plugin", "countersign": {"source": "src/plugin.ts"}}"#;
const PY: &str =
    "[project]\nname = \"my-plugin\"\n[tool.countersign]\nsource = \"src/plugin.py\"\n";
const WIT: (&str, &str) = ("wit/worlds.wit", "");

#[test]
fn a_project_is_of_the_language_of_its_manifest() {
    for (manifest, source, language) in [
        (("package.json", JS), ("src/plugin.ts", ""), Language::JavaScript),
        (("pyproject.toml", PY), ("src/plugin.py", ""), Language::Python),
    ] {
        let project = of_files(&[manifest, source, WIT]).1.unwrap();
        assert_eq!((project.name(), project.language()), ("my-plugin", language));
        assert!(language.is_interpreted());
    }
}

#[test]
fn what_a_manifest_of_another_language_lacks_is_told() {
    let world = JS.replace("src/plugin.ts\"", "src/plugin.ts\", \"world\": \"mine\"");
    let name = JS.replace("my-plugin", "../up");
    let (js, py) = ("package.json", "pyproject.toml");
    for (files, what) in [
        (&[(js, "{")][..], "is no JSON"),
        (&[(js, "{}")], "names no plugin"),
        (&[(js, JS), WIT], "there is no src/plugin.ts"),
        (&[(js, JS), ("src/plugin.ts", "")], "no folder `wit`"),
        (&[(js, &world), ("src/plugin.ts", ""), WIT], "`world` of its package.json"),
        (&[(js, &name), ("src/plugin.ts", ""), WIT], "`name` of its package.json"),
        (&[(py, "[project")], "is no TOML"),
        (&[(py, "")], "names no plugin"),
        (&[(py, PY), WIT], "there is no src/plugin.py"),
    ] {
        let error = of_files(files).1.unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn a_tool_that_is_not_installed_is_told_with_how_to_get_it() {
    for (files, cure) in [
        (&[("package.json", JS), ("src/plugin.ts", ""), WIT][..], "`npm install`"),
        (&[("pyproject.toml", PY), ("src/plugin.py", ""), WIT], "requirements.txt"),
    ] {
        let (_folder, project) = of_files(files);
        let error = project.unwrap().build().unwrap_err();
        assert!(matches!(&error, Error::Missing { .. }), "{error}");
        assert!(error.to_string().contains(cure), "{error}");
    }
}
