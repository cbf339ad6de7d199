//! `--policy`: what an operator lets plugins have of their needs.

use countersign_bundle::example;
use serde_json::json;

use super::*;

const ENOUGH: &str = "write header/authorization";

fn policy(files: &Files, policy: &Json) -> String {
    files.json("policy.json", policy)
}

/// Runs `inject` for a BEARER account under a policy.
fn inject(files: &Files, policy: &str, more: &[&str]) -> Run {
    let provider = files.json("p.json", &payload("bearer"));
    let account = files.json("a.json", &details(&json!({"token": "canary-token"})));
    let arguments =
        ["inject", "--policy", policy, "--provider", &provider, "--account", &account, "/v1/x"];
    run(&[&arguments[..], more].concat())
}

#[test]
fn a_plugin_has_no_more_of_its_needs_than_the_policy_leaves_it() {
    let files = Files::new();
    for (left, code) in [
        (json!(["read account/token", ENOUGH]), None),
        // As `plugin inspect` prints them, for people and as JSON.
        (json!(["read  account/token", ["write", "header/authorization"]]), None),
        (json!(["read account/token", ENOUGH, "write body", "send bare"]), None),
        (json!(["read account/token", "write header/x-api-key"]), Some("edit_refused")),
        (json!([ENOUGH]), Some("invalid_config")),
        (json!([]), Some("invalid_config")),
    ] {
        for auth_type in ["BEARER", "BASIC"] {
            let policy = policy(&files, &json!({ auth_type: left }));
            let run = inject(&files, &policy, &["--reveal"]);
            let Some(code) = code.filter(|_| auth_type == "BEARER") else {
                assert_eq!((run.code, run.err.as_str()), (0, ""), "{left}");
                assert!(run.out.contains("authorization: Bearer canary-token"), "{}", run.out);
                continue;
            };
            assert_eq!((run.code, run.out.as_str()), (1, ""), "{left}");
            assert!(run.err.contains(&format!("error[{code}]: ")), "{left}: {}", run.err);
            assert!(run.err.contains("the operator's policy narrows"), "{left}: {}", run.err);
            run.hides(&["canary-token"]);
        }
    }
}

#[test]
fn a_batch_is_under_the_policy_too() {
    let files = Files::new();
    let policy = policy(&files, &json!({"BEARER": ["read account/token"]}));
    let account = details(&json!({"token": "canary-token"}));
    let case = json!({"provider": payload("bearer"), "account": account,
        "request": {"path": "/v1/x"}});
    let line = format!("{case}\n");
    let run = run_with(&["inject", "--batch", "--policy", &policy], line.as_bytes());
    assert_eq!(run.code, 0);
    assert_eq!(run.json()["error"]["code"], "edit_refused", "{}", run.out);
}

#[test]
fn what_is_wrong_with_a_policy_is_told_by_type_and_need_and_nothing_is_done() {
    let files = Files::new();
    for (text, parts) in [
        ("{", &["not JSON: line 1"][..]),
        ("[]", &["not a JSON object of auth types"]),
        (
            r#"{"BEARER": ["read account/token"], "BEARER": ["write body"]}"#,
            &["\"BEARER\": stands twice"],
        ),
        (r#"{"BEARER": "write body"}"#, &["\"BEARER\": not a list of needs"]),
        (
            r#"{"BEARRER": ["read account/token"]}"#,
            &[
                "\"BEARRER\": no plugin answers to it",
                "there are: API_KEY, AWS_SIGV4, BASIC, BEARER, DIGEST, ",
            ],
        ),
        (
            // All of it at once.
            r#"{"BEARER": ["read account/token", "write heder/x", "own all", 7, "write header/*"],
                "BASIC": ["read"]}"#,
            &[
                "\"BEARER\": need 2 (`write heder/x`): `write` has no object `heder/x` (it has ",
                "header/NAME, query/NAME, cookie/NAME, path, origin, body, client-certificate, own-connection",
                "\"BEARER\": need 3 (`own all`): unknown verb `own`",
                "\"BEARER\": need 4 is not of the form \"VERB OBJECT\"",
                "\"BEARER\": need 5 (`write header/*`): `header/*` would grant everything",
                "\"BASIC\": need 1 is not of the form \"VERB OBJECT\"",
            ],
        ),
    ] {
        let file = files.bytes("policy.json", text.as_bytes());
        let list = run(&["plugin", "list", "--policy", &file]);
        for run in [inject(&files, &file, &[]), list] {
            assert_eq!((run.code, run.out.as_str()), (1, ""), "{text}");
            assert!(run.err.starts_with("error[policy_invalid]: "), "{text}: {}", run.err);
            for part in parts {
                assert!(run.err.contains(part), "{text}: {part}: {}", run.err);
            }
        }
    }
    let missing = inject(&files, &files.path("missing.json"), &[]);
    assert!(missing.err.starts_with("error[file_unreadable]: "), "{}", missing.err);
}

#[test]
fn what_the_policy_leaves_is_shown_with_what_the_plugin_asks_for() {
    let files = Files::new();
    let narrow = json!({"BEARER": ["read account/token", ENOUGH]});
    let narrow = policy(&files, &narrow);
    let list = run(&["plugin", "list", "--policy", &narrow]);
    let narrowed: Vec<&str> =
        list.out.lines().filter(|line| line.ends_with("narrowed by the policy")).collect();
    assert!(matches!(narrowed[..], [line] if line.starts_with("BEARER ")), "{}", list.out);
    let json = run(&["plugin", "list", "--policy", &narrow, "--json"]).json();
    let serving = json["serving"].as_array().unwrap();
    let policies: Vec<_> =
        serving.iter().map(|it| &it["policy"]).filter(|it| !it.is_null()).collect();
    let left = json!({"BEARER": [["read", "account/token"], ["write", "header/authorization"]]});
    assert_eq!(policies, [&left]);

    // A file may be narrowed before it is in the folder.
    let mine = files.bytes("mine.wasm", example().bytes);
    let narrow = policy(&files, &json!({"X_TIMESTAMPED_KEY": ["write header/x-client"]}));
    let shown = run(&["plugin", "inspect", &mine, "--policy", &narrow]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    let expected =
        "policy      for X_TIMESTAMPED_KEY, no more than:\n              write header/x-client\n";
    assert!(shown.out.contains(expected), "{}", shown.out);
    let none = policy(&files, &json!({"X_TIMESTAMPED_KEY": []}));
    let shown = run(&["plugin", "inspect", &mine, "--policy", &none]);
    assert!(shown.out.contains("no more than:\n              nothing\n"), "{}", shown.out);
}

#[test]
fn the_help_shows_a_policy() {
    for command in ["inject", "request"] {
        let run = run(&[command, "--help"]);
        assert!(run.out.contains("--policy <FILE>"), "{command}");
        let example = run.out.lines().find(|line| line.trim_start().starts_with("{\"BEARER\": ["));
        let files = Files::new();
        let policy = files.bytes("policy.json", example.unwrap().as_bytes());
        assert_eq!(inject(&files, &policy, &[]).code, 0, "the example is one that works");
    }
}
