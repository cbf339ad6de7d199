//! Payloads as they come, and one case for each thing that can be wrong with one.

mod problems;

use std::{fs, path::PathBuf};

use serde_json::{Value as Json, json};

use super::*;
use crate::{account::Account, connection::Connection, fields, values::Value};

fn folder(name: &str) -> Vec<(PathBuf, Json)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, serde_json::from_str(&text).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// A payload without problems, to be spoilt.
fn good() -> Json {
    json!({
        "display_name": "Acme",
        "auth_patterns": [{
            "type": "BEARER",
            "display_name": "Token",
            "fields": [
                {"field_name": "domain", "required": true, "pattern": "[a-z]+"},
                {"field_name": "token", "input_type": "password", "header_name": "X-Token"},
                {"field_name": "pin", "input_type": "password", "query_name": "pin"}
            ],
            "account_fields": [{"field_name": "tenant", "is_path_param": true}],
            "oauth_config": {
                "token_uri": "https://login.acme.test/{{tenant}}/token",
                "attributes": ["instance"]
            },
            "auth_header_key_override": "X_API_KEY",
            "auth_field_mutations": {
                "token": {"prefix": "p ", "mutation": "fold", "options": {"width": 3}},
                "password": {"default": "X"}
            }
        }],
        "proxy_url": "https://{{domain}}.acme.test/{{instance}}",
        "proxy_enabled": true,
        "proxy_headers": {"X-Version": "2", "X-Tenant": "t/{{tenant}}/{{connection/region}}"},
        "allowed_proxy_domains": ["files.acme.test", "https://cdn.acme.test:8443"]
    })
}

#[test]
fn the_four_payloads_parse_unchanged() {
    let files = folder("tests/vectors/payloads");
    assert_eq!(files.len(), 4);
    for (path, json) in files {
        let provider = Provider::parse(&json).unwrap_or_else(|p| panic!("{}: {p}", path.display()));
        assert_eq!(provider.warnings(), [], "{}", path.display());
        assert_eq!(provider.raw(), &json);
        assert!(provider.proxy_enabled());
        assert!(provider.pattern(None).is_ok());
    }
}

#[test]
fn every_ready_made_provider_has_no_problem_and_a_vector() {
    let vectors = folder("tests/vectors/providers");
    let files = folder("providers");
    assert!(files.len() >= 12);
    for (path, json) in files {
        let provider = Provider::parse(&json).unwrap_or_else(|p| panic!("{}: {p}", path.display()));
        assert_eq!(provider.warnings(), [], "{}", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(provider.identifier(), name);
        let file = format!("providers/{name}.json");
        assert!(vectors.iter().any(|(_, v)| v["case"]["provider"]["file"] == file), "{name}");
    }
}

#[test]
fn every_vector_of_a_ready_made_provider_assembles() {
    for (path, vector) in folder("tests/vectors/providers") {
        let case = &vector["case"];
        let file = case["provider"]["file"].as_str().unwrap();
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let payload = fs::read_to_string(root.join(file)).unwrap();
        let provider = Provider::parse_text(&payload).unwrap();
        let connection = case
            .get("connection")
            .map_or_else(|| Ok(Connection::default()), Connection::parse)
            .ok()
            .unwrap();
        let account = Account::parse(&case["account"]).ok().unwrap();
        let pattern = provider.pattern(connection.pattern()).unwrap();
        let sources = fields::Sources {
            provider: &provider,
            pattern,
            connection: &connection,
            shared: None,
            account: &account,
            state: account.state(),
        };
        let values = fields::assemble(&sources).unwrap().finish().unwrap();
        let headers = fields::proxy_headers(&provider, pattern, &values).unwrap();
        for (name, value) in &headers {
            let header = json!([name.as_str(), value.to_str().unwrap()]);
            let expected = vector["expect"]["headers"].as_array().unwrap();
            assert!(expected.contains(&header), "{}: {header}", path.display());
        }
    }
}

#[test]
fn a_full_payload_is_read_whole() {
    let provider = Provider::parse(&good()).unwrap();
    assert_eq!(provider.warnings(), []);
    assert_eq!(provider.identifier(), "acme");
    assert_eq!(provider.proxy_headers().len(), 2);
    assert_eq!(provider.listed_origins().iter().count(), 2);
    let pattern = provider.pattern(None).unwrap();
    assert_eq!(pattern.attributes(), ["instance"]);
    assert_eq!(pattern.header_override(), Some("X_API_KEY"));
    assert!(pattern.field("tenant").unwrap().is_path_param());
    assert!(pattern.field("domain").unwrap().accepts("abc"));
    for value in ["abc1", "1abc", "a\nb", "abc\n", ""] {
        assert!(!pattern.field("domain").unwrap().accepts(value), "{value:?}");
    }
    let custom = pattern.mutations()[0].custom().unwrap();
    assert_eq!(custom.name, "fold");
    assert_eq!(custom.options, [("width".to_owned(), "3".to_owned())]);
    assert_eq!(
        pattern.endpoints(),
        [(
            "pattern/oauth_config/token_uri".to_owned(),
            "https://login.acme.test/{{tenant}}/token".to_owned()
        )]
    );
}

#[test]
fn a_pattern_is_selected_by_name_display_name_or_type() {
    let provider = |defaults: [bool; 3]| {
        let pattern = |kind: &str, label: &str, default: bool| json!({"type": kind, "display_name": label, "is_default": default});
        let [a, b, c] = defaults;
        Provider::parse(&json!({
            "display_name": "Acme", "proxy_url": "https://acme.test", "proxy_enabled": true,
            "auth_patterns": [
                pattern("OAUTH", "Sign in", a), pattern("BEARER", "Token", b),
                pattern("BEARER", "Bot", c)
            ]
        }))
        .unwrap()
    };
    let none = provider([false; 3]);
    let index = |selector| none.pattern(selector).map(|pattern| pattern.path().to_owned());
    assert_eq!(index(Some("OAUTH")).unwrap(), "auth_patterns[0]");
    assert_eq!(index(Some("Bot")).unwrap(), "auth_patterns[2]");
    let available = vec!["Sign in".to_owned(), "Token".to_owned(), "Bot".to_owned()];
    assert_eq!(index(None), Err(SelectError::Unnamed { available: available.clone() }));
    let selector = "BEARER".to_owned();
    assert_eq!(
        index(Some("BEARER")),
        Err(SelectError::Ambiguous { selector, available: available.clone() })
    );
    let selector = "bot".to_owned();
    assert_eq!(index(Some("bot")), Err(SelectError::Unknown { selector, available }));
    let marked = provider([false, true, false]);
    assert_eq!(marked.pattern(None).unwrap().display_name(), Some("Token"));
}

#[test]
fn each_scalar_of_a_pattern_is_a_value_by_its_json_pointer() {
    let mut payload = good();
    payload["auth_patterns"][0]["own"] =
        json!({"a/b": {"c~d": [true, 7, null, {"e": "f"}]}, "signing_key": "k"});
    let provider = Provider::parse(&payload).unwrap();
    let values = provider.pattern(None).unwrap().values();
    for (name, text) in [
        ("pattern/type", "BEARER"),
        ("pattern/fields/1/header_name", "X-Token"),
        ("pattern/fields/0/required", "true"),
        ("pattern/oauth_config/token_uri", "https://login.acme.test/{{tenant}}/token"),
        ("pattern/own/a~1b/c~0d/0", "true"),
        ("pattern/own/a~1b/c~0d/1", "7"),
        ("pattern/own/a~1b/c~0d/3/e", "f"),
    ] {
        assert!(matches!(values.get(name), Some(Value::Public(t)) if t == text), "{name}");
    }
    assert!(values.get("pattern/own/a~1b/c~0d/2").is_none());
    assert!(values.get("pattern/own/signing_key").unwrap().as_secret().is_some());
}

#[test]
fn the_identifier_is_a_slug_of_the_display_name() {
    for (name, expected) in [
        ("My Asana", Some("my-asana")),
        ("  GitHub (EU) 2 ", Some("github-eu-2")),
        ("Économie", Some("conomie")),
        ("日本", None),
        ("", None),
    ] {
        assert_eq!(identifier(name).as_deref(), expected);
    }
}

#[test]
fn the_origins_that_secrets_go_to_are_those_of_every_url_each_once() {
    let mut payload = good();
    payload["proxy_url"] = "https://{{domain}}.Acme.test:443/api".into();
    payload["allowed_proxy_domains"] = json!(["files.acme.test", "https://api.acme.test:8443"]);
    let pattern = &mut payload["auth_patterns"][0];
    pattern["allowed_proxy_domains"] = json!(["files.acme.test"]);
    pattern["oauth_config"]["user_info_uri"] = "https://LOGIN.acme.test/me?x={{tenant}}".into();
    let provider = Provider::parse(&payload).unwrap();
    assert_eq!(
        provider.secret_origins(&provider.auth_patterns()[0]),
        [
            "https://api.acme.test:8443",
            "https://files.acme.test",
            "https://login.acme.test",
            "https://{{domain|[a-z]+}}.acme.test",
        ]
    );
}

/// Otherwise a change of it would take what was given for one host to another.
#[test]
fn what_decides_a_host_is_part_of_where_secrets_go() {
    let origins = |payload: &Json| {
        let provider = Provider::parse(payload).unwrap();
        provider.secret_origins(&provider.auth_patterns()[0])
    };
    let mut payload = good();
    payload["proxy_url"] = "https://{{domain}}.acme.test".into();
    let before = origins(&payload);
    let mut looser = payload.clone();
    looser["auth_patterns"][0]["fields"][0]["pattern"] = ".*".into();
    let mut mutated = payload.clone();
    mutated["auth_patterns"][0]["auth_field_mutations"]["domain"] = json!({"suffix": "x"});
    for changed in [looser, mutated] {
        assert!(!origins(&changed).iter().all(|origin| before.contains(origin)));
    }
    payload["auth_patterns"][0]["fields"][1]["label"] = "Other".into();
    assert_eq!(origins(&payload), before);
}
