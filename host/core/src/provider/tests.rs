//! Payloads as they come, and one case for each thing that can be wrong with one.

use std::{fs, path::PathBuf};

use serde_json::{Value as Json, json};

use super::*;
use crate::{problem::Severity, values::Value};

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

fn spoilt(pointer: &str, with: Json) -> Json {
    let mut payload = good();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match payload.pointer_mut(parent).unwrap() {
        Json::Object(object) => drop(object.insert(key.to_owned(), with)),
        Json::Array(list) => list[key.parse::<usize>().unwrap()] = with,
        _ => panic!("{pointer} leads nowhere"),
    }
    payload
}

/// The paths of the errors, or of the warnings, of `payload`.
fn paths(payload: &Json, severity: Severity) -> Vec<String> {
    let of = |list: &mut dyn Iterator<Item = &Problem>| {
        list.filter(|p| p.severity == severity).map(|p| p.path.clone()).collect()
    };
    match Provider::parse(payload) {
        Ok(provider) => of(&mut provider.warnings().iter()),
        Err(problems) => of(&mut problems.iter()),
    }
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
            .map_or(Ok(Default::default()), |json| crate::connection::Connection::parse(json));
        let connection = connection.unwrap();
        let account = crate::account::Account::parse(&case["account"]).unwrap();
        let pattern = provider.pattern(connection.pattern()).unwrap();
        let sources = crate::fields::Sources {
            provider: &provider,
            pattern,
            connection: &connection,
            shared: None,
            account: &account,
            state: account.state(),
        };
        let values = crate::fields::assemble(&sources).unwrap().finish().unwrap();
        let headers = crate::fields::proxy_headers(&provider, pattern, &values).unwrap();
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
    assert_eq!(provider.allowed_proxy_domains().len(), 2);
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
fn each_thing_wrong_is_an_error_at_its_place() {
    let twin = json!({"type": "BEARER", "display_name": "Token", "fields": good()["auth_patterns"][0]["fields"],
        "attributes": ["tenant", "instance"]});
    let mut twins = good();
    twins["auth_patterns"].as_array_mut().unwrap().push(twin);
    let mut defaults = twins.clone();
    defaults["auth_patterns"][0]["is_default"] = true.into();
    defaults["auth_patterns"][1]["is_default"] = true.into();
    defaults["auth_patterns"][1]["name"] = "second".into();
    defaults["auth_patterns"][0]["name"] = "first".into();
    let pattern = |rest: &str| format!("/auth_patterns/0/{rest}");
    let long = format!("x{}", "y".repeat(600));
    let cases: Vec<(Json, &[&str])> = vec![
        (json!([]), &[""]),
        (json!({}), &["display_name", "proxy_url", "proxy_enabled", "auth_patterns"]),
        (spoilt("/display_name", json!(7)), &["display_name"]),
        (spoilt("/display_name", json!(" ")), &["display_name"]),
        (spoilt("/display_name", json!("…")), &["display_name"]),
        (spoilt("/description", json!([])), &["description"]),
        (spoilt("/proxy_enabled", json!("true")), &["proxy_enabled"]),
        (spoilt("/proxy_enabled", json!(null)), &["proxy_enabled"]),
        (spoilt("/proxy_url", json!("")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("ftp://acme.test")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("api.acme.test")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://acme.test/\nx")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{domain")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{ domain }}")), &["proxy_url", "proxy_url"]),
        (spoilt("/proxy_url", json!("https://domain}}/")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{}}/")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{host}}/{{path}}")), &["proxy_url", "proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{connection/host}}/")), &["proxy_url"]),
        (spoilt("/auth_patterns", json!([])), &["auth_patterns"]),
        (spoilt("/auth_patterns", json!({})), &["auth_patterns"]),
        (spoilt("/auth_patterns/0", json!("BEARER")), &["auth_patterns[0]"]),
        (spoilt(&pattern("type"), json!(null)), &["auth_patterns[0].type"]),
        (spoilt(&pattern("type"), json!("BEAR ER")), &["auth_patterns[0].type"]),
        (spoilt(&pattern("is_default"), json!(1)), &["auth_patterns[0].is_default"]),
        (twins, &["auth_patterns[0]", "auth_patterns[1]"]),
        (defaults, &["auth_patterns[1].is_default"]),
        (spoilt(&pattern("fields/1"), json!({})), &["auth_patterns[0].fields[1].field_name"]),
        (
            spoilt(&pattern("fields/1/field_name"), json!("a/b")),
            &["auth_patterns[0].fields[1].field_name"],
        ),
        (
            spoilt(&pattern("fields/1/field_name"), json!("pin")),
            &["auth_patterns[0].fields[2].field_name"],
        ),
        (
            spoilt(&pattern("fields/1/field_name"), json!("tenant")),
            &["auth_patterns[0].account_fields[0].field_name", "proxy_headers.X-Tenant"],
        ),
        (
            spoilt(&pattern("fields/2/header_name"), json!("x_token")),
            &["auth_patterns[0].fields[2].header_name"],
        ),
        (
            spoilt(&pattern("fields/1/query_name"), json!("pin")),
            &["auth_patterns[0].fields[2].query_name"],
        ),
        (
            spoilt(&pattern("fields/1/required"), json!("yes")),
            &["auth_patterns[0].fields[1].required"],
        ),
        (spoilt(&pattern("fields/1/label"), json!({})), &["auth_patterns[0].fields[1].label"]),
        (
            spoilt(&pattern("fields/1/pattern"), json!("a)|(b")),
            &["auth_patterns[0].fields[1].pattern"],
        ),
        (
            spoilt(&pattern("fields/1/pattern"), json!(long)),
            &["auth_patterns[0].fields[1].pattern"],
        ),
        (
            spoilt(&pattern("fields/1/pattern"), json!(r"(\w{99}){99}")),
            &["auth_patterns[0].fields[1].pattern"],
        ),
        (
            spoilt(&pattern("fields/1/query_name"), json!("")),
            &["auth_patterns[0].fields[1].query_name"],
        ),
        (
            spoilt(&pattern("fields/1/cookie_name"), json!("a=b")),
            &["auth_patterns[0].fields[1].cookie_name"],
        ),
        (
            spoilt(&pattern("oauth_config"), json!("x")),
            &["auth_patterns[0].oauth_config", "proxy_url"],
        ),
        (
            spoilt(&pattern("oauth_config/token_uri"), json!("login.acme.test")),
            &["auth_patterns[0].oauth_config.token_uri"],
        ),
        (
            spoilt(&pattern("oauth_config/token_uri"), json!("https://{{realm}}.acme.test")),
            &["auth_patterns[0].oauth_config.token_uri"],
        ),
        (
            spoilt(&pattern("oauth_config/user_info_uri"), json!(1)),
            &["auth_patterns[0].oauth_config.user_info_uri"],
        ),
        (
            spoilt(&pattern("oauth_config/available_scopes"), json!([{"scope": 1}, "x"])),
            &[
                "auth_patterns[0].oauth_config.available_scopes[0].scope",
                "auth_patterns[0].oauth_config.available_scopes[1]",
            ],
        ),
        (
            spoilt(&pattern("auth_field_mutations/token"), json!("p")),
            &["auth_patterns[0].auth_field_mutations.token"],
        ),
        (
            spoilt(&pattern("auth_field_mutations/tokn"), json!({"prefix": "p"})),
            &["auth_patterns[0].auth_field_mutations.tokn"],
        ),
        (
            spoilt(&pattern("auth_field_mutations/token"), json!({"prefx": "p"})),
            &["auth_patterns[0].auth_field_mutations.token.prefx"],
        ),
        (
            spoilt(&pattern("auth_field_mutations/token"), json!({"suffix": "p\r\n"})),
            &["auth_patterns[0].auth_field_mutations.token.suffix"],
        ),
        (
            spoilt(&pattern("auth_field_mutations/token"), json!({"options": {"a": 1}})),
            &["auth_patterns[0].auth_field_mutations.token.options"],
        ),
        (
            spoilt(&pattern("auth_field_mutations/token/options"), json!({"a": []})),
            &["auth_patterns[0].auth_field_mutations.token.options.a"],
        ),
        (
            spoilt(&pattern("auth_field_mutations/token/mutation"), json!("")),
            &["auth_patterns[0].auth_field_mutations.token.mutation"],
        ),
        (spoilt("/proxy_headers", json!([])), &["proxy_headers"]),
        (spoilt("/proxy_headers/X-Version", json!(2)), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/X-Version", json!("")), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/X-Version", json!("2\r\nHost: x")), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/X-Version", json!("\0")), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/X-Version", json!("2Ċ")), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/X-Version", json!("{{2")), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/x_version", json!("3")), &["proxy_headers.x_version"]),
        (spoilt("/proxy_headers/X-Version", json!("{{region}}")), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/X-Version", json!("{{token}}")), &["proxy_headers.X-Version"]),
        (spoilt("/proxy_headers/X-Version", json!("{{pin}}")), &["proxy_headers.X-Version"]),
        (
            spoilt("/proxy_headers/X-Version", json!("{{connection/client_secret}}")),
            &["proxy_headers.X-Version"],
        ),
        (spoilt("/proxy_headers/X-Version", json!("{{state/x}}")), &["proxy_headers.X-Version"]),
        (
            spoilt("/proxy_headers/X-Version", json!("{{account/domain}}")),
            &["proxy_headers.X-Version"],
        ),
        (
            spoilt("/proxy_headers/X-Version", json!("{{pattern/nothing}}")),
            &["proxy_headers.X-Version"],
        ),
        (spoilt("/allowed_proxy_domains", json!("a.test")), &["allowed_proxy_domains"]),
        (
            spoilt(
                "/allowed_proxy_domains",
                json!([1, "*", "a.test/x", "u@a.test", "http://a.test"]),
            ),
            &[
                "allowed_proxy_domains[0]",
                "allowed_proxy_domains[0]",
                "allowed_proxy_domains[1]",
                "allowed_proxy_domains[2]",
                "allowed_proxy_domains[3]",
            ],
        ),
    ];
    let differ: Vec<_> = cases
        .iter()
        .map(|(payload, expected)| (paths(payload, Severity::Error), *expected, payload))
        .filter(|(found, expected, _)| found != expected)
        .collect();
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn no_payload_sets_a_header_that_is_the_hosts() {
    let names = [
        "host",
        "Host",
        "content-length",
        "Content_Length",
        "connection",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        "forwarded",
        "proxy-authorization",
        "Proxy-Connection",
        "X-Forwarded-For",
        "x_forwarded_host",
        "",
        "a b",
        "a:b",
        ":path",
        "a\r\nb",
        "é",
    ];
    for name in names {
        let override_ = spoilt("/auth_patterns/0/auth_header_key_override", json!(name));
        let path = "auth_patterns[0].auth_header_key_override";
        assert_eq!(paths(&override_, Severity::Error), [path], "{name:?}");
        let field = spoilt("/auth_patterns/0/fields/1/header_name", json!(name));
        let path = "auth_patterns[0].fields[1].header_name";
        assert_eq!(paths(&field, Severity::Error), [path], "{name:?}");
        let mut fixed = good();
        fixed["proxy_headers"] = json!({name: "x"});
        assert_eq!(paths(&fixed, Severity::Error).len(), 1, "{name:?}");
    }
}

#[test]
fn what_can_be_used_but_looks_wrong_is_a_warning() {
    let cases: Vec<(Json, &[&str])> = vec![
        (spoilt("/proxy_enabled", json!(false)), &["proxy_enabled"]),
        (spoilt("/proxy_url", json!("http://acme.test")), &["proxy_url"]),
        (
            spoilt("/auth_patterns/0/oauth_config/token_uri", json!("http://acme.test")),
            &["auth_patterns[0].oauth_config.token_uri"],
        ),
        (spoilt("/proxy_uri", json!(1)), &["proxy_uri"]),
        (spoilt("/auth_patterns/0/feilds", json!([])), &["auth_patterns[0].feilds"]),
        (
            spoilt("/auth_patterns/0/fields/0/requird", json!(true)),
            &["auth_patterns[0].fields[0].requird"],
        ),
        (
            spoilt("/auth_patterns/0/oauth_config/token_url2", json!("x")),
            &["auth_patterns[0].oauth_config.token_url2"],
        ),
        (spoilt("/proxy_headers/Authorization", json!("x")), &["proxy_headers.Authorization"]),
        (spoilt("/is_custom", json!(true)), &[]),
    ];
    for (payload, expected) in cases {
        assert!(Provider::parse(&payload).is_ok(), "{payload}");
        assert_eq!(paths(&payload, Severity::Warning), expected, "{payload}");
    }
}

#[test]
fn no_problem_tells_a_value() {
    const CANARY: &str = "canary-5ecret";
    let places = [
        "/proxy_url",
        "/proxy_enabled",
        "/auth_patterns/0/type",
        "/auth_patterns/0/fields/0/pattern",
        "/auth_patterns/0/fields/0/field_name",
        "/auth_patterns/0/fields/0/header_name",
        "/auth_patterns/0/auth_header_key_override",
        "/auth_patterns/0/auth_field_mutations/token",
        "/auth_patterns/0/auth_field_mutations/token/prefix",
        "/auth_patterns/0/oauth_config/token_uri",
        "/proxy_headers/X-Version",
        "/allowed_proxy_domains/0",
    ];
    for place in places {
        let payload = spoilt(place, json!(format!("({CANARY}\r\n://")));
        let problems = Provider::parse(&payload).unwrap_err();
        let told = format!("{problems} {problems:?}");
        assert!(!told.contains(CANARY), "{place}: {told}");
    }
    let broken = Provider::parse_text(&format!("{{\"token\": \"{CANARY}\" \"x\"}}")).unwrap_err();
    assert!(!broken.to_string().contains(CANARY));
    let provider = Provider::parse(&spoilt("/description", json!(CANARY))).unwrap();
    let pattern = provider.pattern(None).unwrap();
    assert!(!format!("{provider:?} {pattern:?}").contains(CANARY));
}

#[test]
fn a_key_cannot_write_control_characters_to_a_terminal() {
    let payload = spoilt("/\u{1b}[31m", json!(1));
    let provider = Provider::parse(&payload).unwrap();
    assert!(!provider.warnings()[0].to_string().contains('\u{1b}'));
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
    let payload = spoilt(
        "/auth_patterns/0/own",
        json!({"a/b": {"c~d": [true, 7, null, {"e": "f"}]}, "signing_key": "k"}),
    );
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
