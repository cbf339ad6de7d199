//! `countersign plugin list` and `plugin inspect`.

use countersign_bundle::{components, example};
use serde_json::json;

use super::*;

/// The same component once more, under another digest.
fn changed(component: &[u8]) -> Vec<u8> {
    // A custom section (id 0) of four bytes whose name is `x`; it means nothing to anyone.
    [component, &[0, 4, 1, b'x', 1, 2]].concat()
}

#[test]
fn the_list_has_what_serves_and_what_was_refused_with_its_reason() {
    let files = Files::new();
    let folder = files.0.path().to_str().unwrap();
    files.bytes("example.wasm", example().bytes);
    files.bytes("broken.wasm", b"not a component");
    files.bytes("thief.wasm", &changed(components()[1].bytes));
    let text = run(&["plugin", "list", "--plugins", folder, "--log", "off"]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(text.out.contains("X_TIMESTAMPED_KEY"), "{}", text.out);
    // docs/errors.md sends people here for the flows.
    let of_oauth = text.out.lines().find(|line| line.starts_with("OAUTH")).unwrap();
    assert!(of_oauth.contains(" grant renew "), "{of_oauth}");

    let json = run(&["plugin", "list", "--plugins", folder, "--json", "--log", "off"]).json();
    let serving = json["serving"].as_array().unwrap();
    let types: Vec<_> = serving.iter().map(|it| it["auth_types"][0].as_str()).collect();
    for wanted in [
        "AWS_SIGV4",
        "BASIC",
        "BEARER",
        "API_KEY",
        "DIGEST",
        "OAUTH",
        "OAUTH_DEVICE",
        "SESSION",
        "NTLM",
        "MTLS",
        "OAUTH1",
        "X_TIMESTAMPED_KEY",
    ] {
        assert_eq!(types.iter().filter(|it| **it == Some(wanted)).count(), 1, "{wanted}");
    }
    let of_bearer = serving.iter().find(|it| it["auth_types"][0] == "BEARER").unwrap();
    assert_eq!(of_bearer["source"], "bundled");
    assert_eq!(of_bearer["faults"], 0);
    assert_eq!(of_bearer["suspended_seconds"], json!(null));
    let refused = json["refused"].as_array().unwrap();
    for (file, reason) in [("broken.wasm", "not a WebAssembly component"), ("thief.wasm", "BEARER")]
    {
        let one = refused.iter().find(|it| it["source"].as_str().unwrap().ends_with(file));
        assert!(one.unwrap()["reason"].as_str().unwrap().contains(reason), "{file}: {refused:?}");
    }
}

#[test]
fn a_good_file_is_shown_whole_and_accepted() {
    let files = Files::new();
    let file = files.bytes("mine.wasm", example().bytes);
    let text = run(&["plugin", "inspect", &file]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    let json = run(&["plugin", "inspect", &file, "--json"]).json();
    assert_eq!(json["auth_types"], json!(["X_TIMESTAMPED_KEY"]));
    assert_eq!(json["size"], example().bytes.len());
    assert_eq!(json["contract"], "0.1.0");
    assert_eq!(json["accepted"], true);
    assert_eq!(json["about"]["inputs"]["account"][1]["secret"], true);
    let digest = json["digest"].as_str().unwrap();
    for shown in [
        "X_TIMESTAMPED_KEY",
        "write header/x-client-key",
        "account/client_key (required, secret): Client key",
        "countersign:auth/context@0.1.0",
        "contract    0.1.0",
        digest,
        "accepted    yes",
    ] {
        assert!(text.out.contains(shown), "{shown}: {}", text.out);
    }
}

#[test]
fn a_file_that_would_not_serve_is_refused_with_the_reason() {
    let files = Files::new();
    let thief = files.bytes("thief.wasm", &changed(components()[1].bytes));
    let broken = files.bytes("broken.wasm", b"\0asm\x0d\0\x01\0 and no more");
    let missing = files.path("missing.wasm");
    let own = files.bytes("own.wasm", components()[1].bytes);
    let mine = files.bytes("mine.wasm", example().bytes);
    let digest = run(&["plugin", "inspect", &thief, "--json"]).json();
    let pin = format!("BEARER={}", digest["digest"].as_str().unwrap());
    let other = format!("X_TIMESTAMPED_KEY={}", digest["digest"].as_str().unwrap());
    for (arguments, code, reason) in [
        (&[thief.as_str()][..], 1, "BEARER is already served by bearer (bundled"),
        (&[&broken], 1, "not a WebAssembly component"),
        (&[&missing], 1, "error[file_unreadable]"),
        (&[&own], 0, ""),
        (&[&thief, "--pin", &pin], 0, ""),
        (&[&mine, "--pin", &other], 1, "is pinned to"),
    ] {
        let more = ["--log", "off"];
        let run = run(&[&["plugin", "inspect"], arguments, &more].concat());
        assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
        assert!(run.err.contains(reason), "{arguments:?}: {}", run.err);
    }
    let text = run(&["plugin", "inspect", &thief]);
    assert!(text.err.contains(&format!("settles it with `--pin {pin}`")), "{}", text.err);
    let text = run(&["plugin", "inspect", &broken]);
    assert!(!text.err.contains("--pin"), "{}", text.err);
    let json = run(&["plugin", "inspect", &thief, "--json"]);
    assert_eq!(json.json()["accepted"], false);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["error"]["code"], "component_refused");
}

#[test]
fn a_copy_of_a_bundled_component_in_the_folder_is_no_conflict() {
    let files = Files::new();
    let folder = files.0.path().to_str().unwrap();
    let bearer = &components()[1];
    let copy = files.bytes("copy.wasm", bearer.bytes);
    let list = ["plugin", "list", "--plugins", folder];
    let text = run(&list);
    // Nothing to warn of: what serves is what the folder has.
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    let line =
        format!("not needed: {copy}: it is the same as the bundled {}, which serves", bearer.name);
    assert!(text.out.contains(&line) && !text.out.contains("refused"), "{}", text.out);

    let whole = run(&[&list[..], &["--json"]].concat()).json();
    let digest = whole["refused"][0]["digest"].as_str().unwrap();
    assert_eq!(whole["refused"][0]["duplicate"], true);
    // Once, with a pin on just these bytes too.
    let pin = format!("BEARER={digest}");
    for more in [&["--json"][..], &["--json", "--pin", &pin]] {
        let json = run(&[&list[..], more].concat()).json();
        let serving = json["serving"].as_array().unwrap().iter();
        let bearers: Vec<_> = serving.filter(|it| it["auth_types"][0] == "BEARER").collect();
        assert_eq!(bearers.len(), 1, "{more:?}");
        assert_eq!(bearers[0]["source"], "bundled");
    }
    // Where the type is pinned to other bytes, neither serves, and that is told.
    let pin = format!("BEARER={}", "0".repeat(64));
    let other = run(&[&list[..], &["--json", "--log", "off", "--pin", &pin]].concat()).json();
    let refused = other["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|it| it["duplicate"] == false), "{refused:?}");
}

#[test]
fn a_file_that_is_no_component_is_told_what_it_is_and_what_to_do() {
    let files = Files::new();
    let whole = example().bytes;
    for (name, bytes, what) in [
        ("empty", &b""[..], "the file is empty"),
        ("text", b"hello\n", "it does not begin as WebAssembly does"),
        ("module", b"\0asm\x01\0\0\0", "it is a core module"),
        ("half", &whole[..whole.len() / 2], "it breaks off in the middle"),
    ] {
        let file = files.bytes(&format!("{name}.wasm"), bytes);
        let run = run(&["plugin", "inspect", &file]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{name}");
        let line = run.err.lines().next().unwrap();
        let start =
            format!("error[component_refused]: {file}: not a WebAssembly component: {what}");
        assert!(line.starts_with(&start), "{name}: {line}");
        assert!(line.contains("`countersign plugin build`"), "{name}: {line}");
    }
}

/// Two components in one, each with a memory of its own, and a text that goes from one to the other.
const JOINED: &str = r#"(component
    (component $listener
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
            (func (export "hear") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "hear") (param "text" string)
            (canon lift (core func $i "hear") (memory (core memory $i "memory"))
                (realloc (core func $i "realloc")))))
    (component $speaker
        (import "hear" (func $hear (param "text" string)))
        (core module $m (memory (export "memory") 1))
        (core instance $i (instantiate $m))
        (core func $lowered (canon lower (func $hear) (memory (core memory $i "memory"))))
        (core module $n (import "listener" "hear" (func (param i32 i32))))
        (core instance (instantiate $n
            (with "listener" (instance (export "hear" (func $lowered)))))))
    (instance $listener (instantiate $listener))
    (instance (instantiate $speaker (with "hear" (func $listener "hear")))))"#;

#[test]
fn a_component_of_several_memories_is_refused_and_ends_no_process() {
    let files = Files::new();
    let twofold =
        "(component (core module $m (memory 1) (memory 1)) (core instance (instantiate $m)))";
    for (wat, reason) in [(JOINED, "2 Wasm linear memories"), (twofold, "begins with 2 memories")] {
        let file = files.bytes("several.wasm", &wat::parse_str(wat).unwrap());
        let run = run(&["plugin", "inspect", &file]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.err);
        assert!(run.err.starts_with("error[component_refused]: "), "{}", run.err);
        assert!(run.err.contains(reason), "{}", run.err);
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let run = run(&["plugin", "list", "--plugins", "no/such/folder"]);
    assert_eq!(run.code, 1);
    assert!(run.err.starts_with("error[host_unusable]: "), "{}", run.err);
}
