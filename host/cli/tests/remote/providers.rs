//! `countersign provider` at a gateway.

use serde_json::json;

use crate::process::{Process, command};
use crate::world::{Gateway, SECRET, TOKEN, bearer};

/// Payloads of each kind, as people write them.
fn payloads(gateway: &Gateway) -> Vec<String> {
    let payload = |name: &str, pattern: serde_json::Value, url: &str| {
        json!({"display_name": name, "description": "For a test", "auth_patterns": [pattern],
            "proxy_url": url, "proxy_enabled": true})
    };
    let field = |name: &str, input: &str| json!({"field_name": name, "label": name, "input_type": input, "required": true});
    let oauth = json!({"type": "OAUTH", "display_name": "OAuth 2.0", "fields": [], "oauth_config": {
        "authorize_uri": "https://app.asana.com/-/oauth_authorize",
        "token_uri": "https://app.asana.com/-/oauth_token",
        "user_info_uri": "https://app.asana.com/api/1.0/users/me",
        "available_scopes": [{"scope": "profile", "display_name": "Profile", "required": true}]}});
    let bearer = json!({"type": "BEARER", "fields": [field("token", "password")]});
    let basic =
        json!({"type": "BASIC", "fields": [field("domain", "text"), field("username", "text")]});
    let key = json!({"type": "API_KEY", "fields": [field("api_key", "password")]});
    [
        ("asana.json", payload("My Asana", oauth, "https://app.asana.com/api")),
        ("bearer.json", payload("My Bearer Token Provider", bearer, "https://api.example.com")),
        ("freshdesk.json", payload("My Freshdesk", basic, "https://{{domain}}/api")),
        ("attention.json", payload("My Attention", key, "https://api.attention.tech")),
    ]
    .map(|(name, payload)| gateway.file(name, &payload))
    .into()
}

#[test]
fn payloads_are_applied_once_and_then_unchanged_until_one_is_changed() {
    let gateway = Gateway::start();
    let files = payloads(&gateway);
    let mut apply = vec!["provider", "apply"];
    apply.extend(files.iter().map(String::as_str));
    let first = gateway.done(&apply);
    for name in ["my-asana", "my-bearer-token-provider", "my-freshdesk", "my-attention"] {
        assert!(first.contains(&format!("created {name} (")), "{first}");
    }
    let second = gateway.done(&apply);
    assert_eq!(second.matches("unchanged my-").count(), 4, "{second}");
    assert_eq!(second.lines().count(), 4, "{second}");
    assert_eq!(gateway.json(&["provider", "list"])["providers"].as_array().unwrap().len(), 4);
    // The folder has the same files in it.
    let folder = std::path::Path::new(&files[0]).parent().unwrap().to_str().unwrap();
    let actions = gateway.json(&["provider", "apply", folder]);
    assert!(actions.as_array().unwrap().iter().all(|it| it["action"] == "unchanged"), "{actions}");

    let text = std::fs::read_to_string(&files[3]).unwrap();
    std::fs::write(&files[3], text.replace("For a test", "Changed")).unwrap();
    let diff = gateway.run(&["provider", "diff", &files[3]]);
    assert_eq!(diff.code, Some(1));
    let lines = "-  \"description\": \"For a test\",\n+  \"description\": \"Changed\",\n";
    assert!(diff.out.contains(lines) && !diff.out.contains('\x1b'), "{}", diff.out);
    assert!(!diff.out.contains("created_at"), "{}", diff.out);
    let updated = gateway.done(&apply);
    assert!(updated.contains("updated my-attention (") && updated.contains(lines), "{updated}");
    assert_eq!(updated.matches("unchanged my-").count(), 3, "{updated}");
    assert_eq!(gateway.run(&["provider", "diff", &files[3]]).code, Some(0));
    let shown = gateway.done(&["provider", "show", "My Attention"]);
    assert!(shown.contains("Changed") && !shown.contains("\"id\""), "{shown}");
}

#[test]
fn a_file_that_cannot_be_read_is_found_before_anything_is_changed() {
    let gateway = Gateway::start();
    let good = gateway.file("good.json", &bearer("https://api.example.com"));
    let bad = gateway.file("bad.json", &json!([]));
    gateway.refused(&["provider", "apply", &good, &bad], "error[provider_invalid]");
    assert_eq!(gateway.json(&["provider", "list"])["providers"], json!([]));
}

#[test]
fn a_provider_is_deleted_when_nothing_uses_it_and_somebody_said_so() {
    let gateway = Gateway::start();
    let file = gateway.file("p.json", &bearer("https://api.example.com"));
    gateway.done(&["provider", "apply", &file]);
    gateway.done(&["connection", "create", "--provider", "my-bearer", "--name", "b"]);
    gateway.refused(&["provider", "delete", "my-bearer"], "error[not_confirmed]");
    let used = gateway.refused(&["provider", "delete", "my-bearer", "--yes"], "in_use");
    assert!(used.contains("error[gateway_refused]") && used.contains("request id: "), "{used}");
    gateway.refused(&["connection", "delete", "b"], "error[not_confirmed]");
    gateway.done(&["connection", "delete", "b", "--yes"]);
    gateway.done(&["provider", "delete", "my-bearer", "--yes"]);
    gateway.refused(&["provider", "show", "my-bearer"], "error[name_unknown]");
}

#[test]
fn secrets_go_to_new_origins_only_when_it_is_said() {
    let gateway = Gateway::start();
    let file = gateway.file("p.json", &bearer("https://api.example.com"));
    gateway.done(&["provider", "apply", &file]);
    gateway.done(&["connection", "create", "--provider", "my-bearer", "--name", "b"]);
    let details = json!({"authorization_details": {"static_auth": {"details": {"token": TOKEN}}}});
    let details = gateway.file("details", &details);
    let account = ["--connection", "b", "--identifier", "user-1"];
    let create = ["account", "create", "--from-file", &details];
    gateway.done(&[&create[..], &account].concat());
    gateway.file("p.json", &bearer("https://other.example.com"));
    let refused = gateway.refused(&["provider", "apply", &file], "new_origins");
    for told in ["account user-1 of b", "--new-origins confirm", "disconnect"] {
        assert!(refused.contains(told), "{refused}");
    }
    let shown = gateway.done(&["provider", "show", "my-bearer"]);
    assert!(shown.contains("https://api.example.com"), "{shown}");
    gateway.done(&["provider", "apply", &file, "--new-origins", "confirm"]);
    let shown = gateway.done(&["provider", "show", "my-bearer"]);
    assert!(shown.contains("https://other.example.com"), "{shown}");
    let show = [&["account", "show"][..], &account].concat();
    let shown = gateway.done(&show);
    assert!(shown.contains("ACTIVE"), "{shown}");
    gateway.file("p.json", &bearer("https://third.example.com"));
    gateway.refused(&["provider", "apply", &file], "new_origins");
    gateway.done(&["provider", "apply", &file, "--new-origins", "disconnect"]);
    let shown = gateway.done(&show);
    assert!(shown.contains("PENDING_AUTH"), "{shown}");
}

#[test]
fn a_provider_is_promoted_from_one_gateway_to_another() {
    let (from, to) = (Gateway::start(), Gateway::start());
    let file = from.file("p.json", &bearer("https://api.example.com"));
    from.done(&["provider", "apply", &file]);
    let promote = |more: &[&str]| {
        let arguments =
            ["provider", "promote", "my-bearer", "--from", from.url(), "--to", to.url()];
        let mut command = command(&[&arguments[..], more].concat());
        for word in ["FROM", "TO"] {
            command.env(format!("COUNTERSIGN_{word}_CLIENT_ID"), "ops");
            command.env(format!("COUNTERSIGN_{word}_CLIENT_SECRET"), SECRET);
        }
        let ended = Process::spawn(command).ended();
        assert!(!ended.out.contains(SECRET) && !ended.err.contains(SECRET));
        ended
    };
    let unsure = promote(&[]);
    assert!(unsure.err.contains("error[not_confirmed]"), "{}", unsure.err);
    assert_eq!(to.json(&["provider", "list"])["providers"], json!([]));
    let done = promote(&["--yes"]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.out.contains("create My Bearer at "), "{}", done.out);
    let shown = ["provider", "show", "my-bearer"];
    assert_eq!(to.done(&shown), from.done(&shown));
    assert!(promote(&[]).out.starts_with("unchanged my-bearer"));
    from.file("p.json", &bearer("https://new.example.com"));
    from.done(&["provider", "apply", &file]);
    let updated = promote(&["--yes"]);
    assert!(
        updated.out.contains("+  \"proxy_url\": \"https://new.example.com\""),
        "{}",
        updated.out
    );
    assert_eq!(to.done(&shown), from.done(&shown));
}
