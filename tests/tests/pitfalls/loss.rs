//! Row 19: a request without its credential is not sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_hostile::{Case, Stage, find};
use countersign_tests::{Folder, bundled, registry_of, sandbox, victim};
use serde_json::{Value as Json, json};

use super::{Site, get, payload, whose};

#[tokio::test(flavor = "multi_thread")]
async fn row_19_no_request_goes_out_bare() {
    let names = [
        "trap-in-authorize",
        "no-edits",
        "edit-outside-needs",
        "one-edit-in-two-outside-needs",
        "value-with-cr-lf",
        "token-in-refusal",
        "invalid-utf-8",
        "renew-without-flows",
        "show-the-same-for-ever",
        "trap-in-begin",
        "mutation-trap",
        "mutation-of-another-name",
    ];
    let folder = Folder::new();
    let cases: Vec<Case> = names.iter().map(|name| find(name).unwrap()).collect();
    for case in &cases {
        folder.put(&format!("{}.wasm", case.name), case.component());
    }
    let path = folder.path();
    let load = move || registry_of(sandbox(), &bundled(), Some(path), BTreeMap::new());
    let site = Site::with(tokio::task::spawn_blocking(load).await.unwrap()).await;

    let mut tried: Vec<(String, Arc<countersign::Subject>)> = cases
        .iter()
        .filter(|case| case.stage != Stage::Load)
        .map(|case| (case.name.clone(), victim(case, "u1", "t-1")))
        .collect();
    let mut say = |name: &str, payload: &Json, details: Json| {
        tried.push((name.to_owned(), whose(payload, &json!({}), &details).unwrap()));
    };
    let bearer = payload("BEARER", &["token"]);
    say("empty value", &bearer, json!({"token": ""}));
    say("missing value", &bearer, json!({"other": "t-1"}));
    say("no values", &bearer, json!({}));
    say("null value", &bearer, json!({"token": null, "other": "x"}));
    say("empty key", &payload("API_KEY", &["api_key"]), json!({"api_key": ""}));
    say("no user name", &payload("BASIC", &["username"]), json!({"password": "p"}));
    say("user name with a colon", &payload("BASIC", &["username"]), json!({"username": "a:b"}));
    say("no token", &payload("OAUTH", &[]), json!({"other": "t-1"}));
    say("unknown type", &payload("NOBODY_ANSWERS", &["token"]), json!({"token": "t-1"}));
    let mut unknown = bearer.clone();
    unknown["auth_patterns"][0]["auth_field_mutations"] = json!({"token": {"mutation": "nobody"}});
    say("unknown mutation", &unknown, json!({"token": "t-1"}));
    let mut off = bearer.clone();
    off["proxy_enabled"] = false.into();
    say("proxy off", &off, json!({"token": "t-1"}));

    for (name, account) in tried {
        // Twice: nor does a second try slip through.
        for _ in 0..2 {
            let result = site.send(&account, get("/x")).await;
            let error = result.err().unwrap_or_else(|| panic!("{name} was sent"));
            assert!(
                !error.code().is_empty() && !error.to_string().contains("t-1"),
                "{name}: {error}"
            );
        }
        assert_eq!(site.reached(), 0, "{name}");
    }
}
