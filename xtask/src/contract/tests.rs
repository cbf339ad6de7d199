//! The tree's own contract, and others that differ from what was recorded of them.

use std::fs;

use super::*;

#[test]
fn the_contract_is_what_was_recorded_or_its_change_is_recorded_on_purpose() {
    if let Err(error) = check(root()) {
        panic!("{error}");
    }
}

const WIT: &str = "package a:b@0.1.0;
/// Data.
interface types { record r { x: u8, y: option<string> } enum e { one, two } }
interface context { now: func() -> u64; }
interface plug {
  use types.{r};
  variant v { a, b(r) }
  f: func(v: v, n: list<tuple<string, u8>>) -> result<r, string>;
}
world w { import context; export plug; }
";

/// A tree with this contract, recorded, and then with this one in its place.
fn changed(from: &str, to: &str, changelog: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("wit")).unwrap();
    fs::create_dir_all(folder.path().join("tests/compat")).unwrap();
    let write = |wit: &str, log: &str| {
        fs::write(folder.path().join("wit/b.wit"), wit).unwrap();
        fs::write(folder.path().join("CHANGELOG.md"), log).unwrap();
    };
    write(WIT, "## Unreleased\n\n- The contract `a:b@0.1.0`.\n");
    record(folder.path()).unwrap();
    assert!(WIT.contains(from), "{from}");
    write(&WIT.replacen(from, to, 1), changelog);
    folder
}

#[test]
fn each_change_is_named_and_said_to_break_components_or_not() {
    for (from, to, told) in [
        ("y: option<string> }", "y: option<string>, z: u8 }", "BREAKS  type types.r has changed"),
        ("x: u8,", "x: u16,", "BREAKS  type types.r has changed"),
        (
            "record r { x: u8,",
            "record s { u: u8 } record r { x: u8,",
            "compatible  type types.s is",
        ),
        ("one, two", "two, one", "BREAKS  type types.e has changed"),
        ("variant v { a,", "variant v { a, c,", "BREAKS  type plug.v has changed"),
        ("n: list<", "m: u8, n: list<", "BREAKS  function plug.f has changed"),
        ("-> u64;", "-> u32;", "BREAKS  function context.now has changed"),
        ("now: func", "then: func() -> u64; now: func", "compatible  function context.then is new"),
        ("f: func", "g: func(); f: func", "BREAKS  function plug.g is new"),
        ("now: func() -> u64;", "", "BREAKS  function context.now is gone"),
        (
            "world w {",
            "interface more { h: func(); } world w {",
            "compatible  interface more is new",
        ),
        ("export plug;", "export plug; import g: func();", "compatible  import w g is new"),
        ("export plug;", "export plug; export g: func();", "BREAKS  export w g is new"),
        ("import context;", "", "BREAKS  import w context is gone"),
        ("world w {", "world x { export plug; } world w {", "compatible  world x is new"),
        ("0.1.0", "0.1.1", "compatible  the version has changed"),
        ("0.1.0", "0.2.0", "BREAKS  the version has changed"),
    ] {
        let tree = changed(from, to, "");
        let error = check(tree.path()).unwrap_err().to_string();
        assert!(error.contains(told), "{to}: {error}");
        assert!(error.contains("cargo xtask contract record"), "{error}");
        assert_eq!(error.contains("BREAKS"), told.contains("BREAKS"), "{to}: {error}");
    }
}

#[test]
fn comments_layout_and_the_order_of_items_are_no_change() {
    for (from, to) in [
        ("/// Data.", "/// Other words."),
        ("enum e { one, two }", "\n  enum e {\n    one, two,\n  }"),
        ("import context; export plug;", "export plug; import context;"),
    ] {
        let tree = changed(from, to, "");
        check(tree.path()).unwrap();
    }
}

#[test]
fn a_change_is_recorded_only_with_its_version_and_a_line_of_the_changelog() {
    let line =
        |version: &str| format!("# Log\n\n## Unreleased\n\n- Contract `a:b@{version}`: so.\n");
    let field = ("x: u8,", "x: u8, z: u8,");
    let function = ("now: func", "then: func() -> u64; now: func");
    for (version, (from, to), changelog, recorded) in [
        ("0.1.1", function, line("0.1.1"), Ok(())),
        ("0.2.0", field, line("0.2.0"), Ok(())),
        ("0.1.0", function, line("0.1.0"), Err("The version is 0.1.0 and was 0.1.0")),
        ("0.1.1", field, line("0.1.1"), Err("0.1.1 is of the same track as 0.1.0")),
        ("0.1.1", function, line("0.1.0"), Err("below Unreleased names `a:b@0.1.1`")),
        ("0.1.1", function, line("0.1.10"), Err("below Unreleased names `a:b@0.1.1`")),
        (
            "0.1.1",
            function,
            line("0.1.0") + "\n## 0.1.0\n\n- `a:b@0.1.1`\n",
            Err("below Unreleased names `a:b@0.1.1`"),
        ),
    ] {
        let tree = changed(from, to, &changelog);
        let wit = tree.path().join("wit/b.wit");
        let text = fs::read_to_string(&wit).unwrap();
        fs::write(&wit, text.replace("0.1.0", version)).unwrap();
        let before = fs::read_to_string(tree.path().join(RECORD)).unwrap();
        match (record(tree.path()), recorded) {
            (Ok(_), Ok(())) => drop(check(tree.path()).unwrap()),
            (Err(error), Err(told)) => {
                let error = error.to_string();
                assert!(error.contains(told), "{version}: {error}");
                assert_eq!(fs::read_to_string(tree.path().join(RECORD)).unwrap(), before);
            }
            (found, _) => panic!("{version} {to}: {found:?}"),
        }
    }
}
