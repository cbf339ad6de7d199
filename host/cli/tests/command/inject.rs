//! `countersign inject`, one request at a time.

use serde_json::{Value as Json, json};

use super::*;

struct Scene {
    payload: &'static str,
    account: Json,
    canary: &'static str,
    url: &'static str,
    revealed: &'static str,
    masked: &'static str,
}

fn scenes() -> Vec<Scene> {
    let oauth = json!({"identifier": "u1", "authorization_details": {
        "oauth_token": {"access_token": "canary-access", "scopes": []},
        "token_expires_at": "2099-01-01T00:00:00Z"}});
    let [bearer, basic, key] = [
        json!({"token": "canary-token"}),
        json!({"domain": "yourcompany.freshdesk.com", "username": "canary-user"}),
        json!({"api_key": "canary-key"}),
    ]
    .map(|it| details(&it));
    let scene = |payload, account, canary, url, revealed, masked| Scene {
        payload,
        account,
        canary,
        url,
        revealed,
        masked,
    };
    vec![
        scene(
            "asana",
            oauth,
            "canary-access",
            "https://app.asana.com/api/v1/x?y=1",
            "Bearer canary-access",
            "Bearer [masked]",
        ),
        scene(
            "bearer",
            bearer,
            "canary-token",
            "https://api.example.com/v1/x?y=1",
            "Bearer canary-token",
            "Bearer [masked]",
        ),
        scene(
            "freshdesk",
            basic,
            "canary-user",
            "https://yourcompany.freshdesk.com/api/v1/x?y=1",
            "Basic Y2FuYXJ5LXVzZXI6",
            "Basic [masked]",
        ),
        scene(
            "attention",
            key,
            "canary-key",
            "https://api.attention.tech/v1/x?y=1",
            "canary-key",
            "[masked]",
        ),
    ]
}

#[test]
fn each_reference_payload_gives_its_request_as_text_and_as_json() {
    for Scene { payload: name, account, canary, url, revealed, masked } in scenes() {
        let files = Files::new();
        let provider = files.json("p.json", &payload(name));
        let account = files.json("a.json", &account);
        let arguments =
            ["inject", "--provider", &provider, "--account", &account, "PATCH", "/v1/x?y=1"];

        let text = run(&arguments);
        assert_eq!((text.code, text.err.as_str()), (0, ""), "{name}");
        assert_eq!(
            text.out,
            format!("PATCH {url}\naccept: */*\nauthorization: {masked}\n\n"),
            "{name}"
        );
        text.hides(&[canary]);

        let json = run(&[&arguments[..], &["--json"]].concat());
        let pairs = json!([["accept", "*/*"], ["authorization", masked]]);
        let wanted = json!({"method": "PATCH", "url": url, "headers": pairs});
        assert_eq!(json.json(), wanted, "{name}");

        let shown = run(&[&arguments[..], &["--json", "--reveal"]].concat());
        assert_eq!(headers(&shown.json()), json!([["authorization", revealed]]), "{name}");

        let logged = run(&[&arguments[..], &["--log", "trace"]].concat());
        assert_eq!(logged.code, 0);
        logged.hides(&[canary, "Y2FuYXJ5LXVzZXI"]);
    }
}

#[test]
fn headers_and_bodies_go_in_and_a_callers_own_credential_does_not_come_out() {
    let files = Files::new();
    let provider = files.json("p.json", &payload("bearer"));
    let account = files.json("a.json", &details(&json!({"token": "canary-token"})));
    let body = files.bytes("body", b"\xff\xfe");
    let base = ["inject", "--provider", &provider, "--account", &account, "--json", "--reveal"];
    let with = |more: &[&str]| run(&[&base[..], more].concat()).json();

    let answer = with(&[
        "/v1",
        "--data",
        "{\"a\":1}",
        "-H",
        "Content-Type: application/json",
        "-H",
        "Authorization: Bearer own",
    ]);
    assert_eq!(answer["method"], "POST");
    assert_eq!(answer["body"], json!({"text": "{\"a\":1}"}));
    let wanted =
        json!([["content-type", "application/json"], ["authorization", "Bearer canary-token"]]);
    assert_eq!(headers(&answer), wanted);
    assert_eq!(with(&["PUT", "/v1", "--data-file", &body])["body"], json!({"base64": "//4="}));
}

#[test]
fn a_failure_names_code_field_and_fix() {
    let files = Files::new();
    let provider = files.json("p.json", &payload("bearer"));
    let account = files.json("a.json", &details(&json!({"other": "canary-other"})));
    let arguments = ["inject", "--provider", &provider, "--account", &account, "/v1"];
    let text = run(&arguments);
    assert_eq!((text.code, text.out.as_str()), (1, ""));
    for part in ["error[invalid_config]: ", "\n  field: token\n", "\n  fix:   "] {
        assert!(text.err.contains(part), "{part}: {}", text.err);
    }
    let json = run(&[&arguments[..], &["--json"]].concat());
    assert_eq!((json.code, json.err.as_str()), (1, ""));
    assert_eq!(json.json()["error"]["code"], "invalid_config");
    assert_eq!(json.json()["error"]["field"], "token");
}

#[test]
fn a_document_that_cannot_be_read_has_its_own_code() {
    let files = Files::new();
    let good = files.json("p.json", &payload("bearer"));
    let account = files.json("a.json", &details(&json!({"token": "t"})));
    let torn = files.bytes("torn.json", b"{\"token\": canary-torn}");
    let empty = files.json("empty.json", &json!({}));
    let late = files.json("late.json", &json!({"expires_at": "canary-soon"}));
    let missing = files.path("missing.json");
    for (flag, path, code) in [
        ("--provider", &missing, "file_unreadable"),
        ("--provider", &torn, "case_invalid"),
        ("--provider", &empty, "provider_invalid"),
        ("--account", &empty, "account_invalid"),
        ("--state", &torn, "case_invalid"),
        ("--state", &late, "state_invalid"),
        ("--connection", &account, "ok"),
    ] {
        let mut arguments = vec!["inject", "/v1"];
        for (name, default) in [("--provider", &good), ("--account", &account)] {
            arguments.extend([name, if name == flag { path } else { default }]);
        }
        if !["--provider", "--account"].contains(&flag) {
            arguments.extend([flag, path]);
        }
        let run = run(&arguments);
        run.hides(&["canary-torn", "canary-soon"]);
        if code == "ok" {
            assert_eq!(run.code, 0, "{}", run.err);
        } else {
            assert_eq!(run.code, 1, "{flag} {code}");
            assert!(run.err.starts_with(&format!("error[{code}]: ")), "{code}: {}", run.err);
        }
    }
}

#[test]
fn a_command_line_without_its_files_is_a_usage_error() {
    for arguments in [
        &["inject", "/v1"][..],
        &["request", "--provider", "p.json", "/v1"],
        &["inject", "--batch", "--provider", "p.json"],
        &["plugin"],
        &["provider", "check"],
        &["inject", "--provider", "p", "--account", "a", "/v1", "--now", "yesterday"],
        &["plugin", "list", "--pin", "BEARER"],
        &[],
    ] {
        let run = run(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
    }
}

#[test]
fn time_and_randomness_are_fixed_on_request() {
    let files = Files::new();
    let folder = files.path("plugins");
    std::fs::create_dir(&folder).unwrap();
    let file = files.0.path().join("plugins/example.wasm");
    std::fs::write(file, countersign_bundle::example().bytes).unwrap();
    let provider = repository("host/cli/src/demo/timestamped-key.json");
    let account = details(&json!({"client_id": "c", "client_key": "k"}));
    let account = files.json("a.json", &account);
    let arguments = [
        "inject",
        "--plugins",
        &folder,
        "--provider",
        provider.to_str().unwrap(),
        "--account",
        &account,
        "--reveal",
        "--now",
        "2026-01-31T12:00:00Z",
        "--seed",
        "7",
        "/v1",
    ];
    let first = run(&arguments);
    assert!(first.out.contains("x-client-key: 1769860800.k\n"), "{} {}", first.out, first.err);
    assert_eq!(run(&arguments).out, first.out);
}

#[test]
fn completions_and_help_are_there_for_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let run = run(&["completions", shell]);
        assert_eq!(run.code, 0);
        assert!(run.out.contains("countersign"), "{shell}");
    }
    for command in [
        &["demo"][..],
        &["inject"],
        &["request"],
        &["plugin", "list"],
        &["plugin", "inspect"],
        &["provider", "check"],
        &["completions"],
        &[],
    ] {
        let run = run(&[command, &["--help"]].concat());
        assert_eq!(run.code, 0);
        assert!(run.out.contains("Examples:"), "{command:?}");
    }
}

#[test]
fn plain_http_is_shown_only_where_it_is_allowed() {
    let files = Files::new();
    let mut provider = payload("bearer");
    provider["proxy_url"] = "http://api.example.com".into();
    let provider = files.json("p.json", &provider);
    let account = files.json("a.json", &details(&json!({"token": "canary-token"})));
    let arguments = ["inject", "--provider", &provider, "--account", &account, "/v1"];
    let refused = run(&arguments);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("error[target_refused]: "), "{}", refused.err);
    let shown = run(&[&arguments[..], &["--allow-http-upstream"]].concat());
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("GET http://api.example.com/v1"), "{}", shown.out);
}

/// What its plugin reads of a pattern, the host does not know; a misspelt key nobody does.
#[test]
fn a_key_of_the_patterns_own_plugin_is_no_misspelt_one() {
    let files = Files::new();
    let account = json!({"identifier": "u", "authorization_details": {"static_auth": {"details": {
        "access_key_id": "AKIDEXAMPLE", "secret_access_key": "a-made-up-secret"}}}});
    let account = files.bytes("a.json", account.to_string().as_bytes());
    for (key, warned) in [("aws_sigv4", false), ("aws_sgiv4", true)] {
        let provider = json!({"display_name": "Cloud", "proxy_enabled": true,
            "proxy_url": "https://s3.example.com",
            "auth_patterns": [{"type": "AWS_SIGV4", key: {"region": "eu-1", "service": "s3"}}]});
        let provider = files.bytes("p.json", provider.to_string().as_bytes());
        let told = run(&["inject", "--provider", &provider, "--account", &account, "/"]);
        assert_eq!(told.err.contains(&format!("auth_patterns[0].{key}")), warned, "{}", told.err);
    }
}
