//! `countersign plugin new` and `plugin build`, as far as they need no compiler for WebAssembly: that a
//! project builds and serves is for `cargo xtask check`.

use std::path::Path;

use serde_json::json;

use super::*;

/// Files of a folder, at any depth, with what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_has_the_names_that_were_asked_for() {
    let folder = Files::new();
    let [first, second] = ["first", "second"].map(|name| folder.path(name));
    let text = run(&["plugin", "new", "my-api", "--dir", &first]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(
        text.out.contains("X_MY_API") && text.out.contains("countersign plugin build"),
        "{}",
        text.out
    );
    let more = ["--dir", &second, "--auth-type", "ACME", "--json"];
    let made = run(&[&["plugin", "new", "my-api"][..], &more].concat()).json();
    assert_eq!(made, json!({"project": second, "name": "my-api", "auth_type": "ACME"}));
    for (project, auth_type) in [(&first, "\"X_MY_API\""), (&second, "\"ACME\"")] {
        let files = files(Path::new(project));
        let count = files.iter().filter(|(_, text)| text.contains(auth_type)).count();
        assert!(count >= 2, "{auth_type} is in {count} files");
        for needed in ["Cargo.toml", "README.md", "sdk/src/lib.rs", "wit/authorizer.wit"] {
            assert!(files.iter().any(|(path, _)| path.ends_with(needed)), "{needed}");
        }
    }
    // The provider's payload is one that a host would take.
    let payload = format!("{second}/provider.json");
    let check = run(&["provider", "check", &payload, "--json", "--log", "off"]);
    assert!(!check.out.contains("display_name"), "{}", check.out);
}

#[test]
fn a_project_that_cannot_be_made_leaves_everything_as_it_was() {
    let folder = Files::new();
    let there = folder.bytes("there", b"mine");
    let new = folder.path("new");
    let base = folder.0.path().to_str().unwrap();
    for (arguments, code, reason) in [
        (&["my-api", "--dir", there.as_str()][..], 1, "error[project_invalid]"),
        (&["my-api", "--dir", base], 1, "error[project_invalid]"),
        (&["my-api", "--dir", &new, "--sdk", base], 1, "error[project_invalid]"),
        (&["my-api", "--dir", &new, "--sdk", "no/such"], 2, "neither a folder"),
        (&["My_Api", "--dir", &new], 2, "lower-case"),
        (&["test", "--dir", &new], 2, "means something else"),
        (&["my-api", "--dir", &new, "--auth-type", "x-y"], 2, "upper-case"),
    ] {
        let run = run(&[&["plugin", "new"], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
        assert!(run.err.contains(reason), "{arguments:?}: {}", run.err);
    }
    assert_eq!(files(folder.0.path()), [(PathBuf::from(there), "mine".to_owned())]);
}

#[test]
fn what_cannot_be_built_is_told_with_what_to_do() {
    let folder = Files::new();
    let empty = folder.0.path().to_str().unwrap();
    let project = folder.path("my-api");
    assert_eq!(run(&["plugin", "new", "my-api", "--dir", &project]).code, 0);
    let cargo = env!("CARGO");
    for (at, cargo, code, cure) in [
        (empty, cargo, "project_invalid", "countersign plugin new"),
        (&project, "no-such-cargo", "tool_missing", "install Rust"),
        // Without a path there is no compiler, or no linker beside Debian's.
        (&project, cargo, "tool_missing", "rustup target add wasm32-unknown-unknown"),
        (&project, cargo, "tool_missing", "rustc-web rust-web-src lld-19"),
    ] {
        let run = run_in(&["plugin", "build", at], b"", &[("PATH", empty), ("CARGO", cargo)]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{cure}");
        assert!(run.err.contains(&format!("error[{code}]")), "{cure}: {}", run.err);
        assert!(run.err.contains(cure), "{cure}: {}", run.err);
    }
    assert!(!Path::new(&project).join("my-api.wasm").exists());
}
