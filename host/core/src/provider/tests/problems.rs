//! One case for each thing that can be wrong with a payload.

use serde_json::{Value as Json, json};

use super::good;
use crate::{
    problem::{Problem, Severity},
    provider::Provider,
};

/// A good payload with one thing else in it.
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

fn pattern(rest: &str) -> String {
    format!("/auth_patterns/0/{rest}")
}

/// Each payload has errors at those places and nowhere else.
fn assert_errors(cases: &[(Json, &[&str])]) {
    for (payload, expected) in cases {
        assert_eq!(paths(payload, Severity::Error), *expected, "{payload}");
    }
}

#[test]
fn what_is_wrong_with_a_provider_is_an_error_at_its_place() {
    assert_errors(&[
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
        (spoilt("/proxy_url", json!("https://domain}}/")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{}}/")), &["proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{host}}/{{path}}")), &["proxy_url", "proxy_url"]),
        (spoilt("/proxy_url", json!("https://{{connection/host}}/")), &["proxy_url"]),
        (spoilt("/auth_patterns", json!([])), &["auth_patterns"]),
        (spoilt("/auth_patterns", json!({})), &["auth_patterns"]),
    ]);
}

#[test]
fn what_is_wrong_with_an_auth_pattern_is_an_error_at_its_place() {
    let twin = json!({"type": "BEARER", "display_name": "Token", "fields": good()["auth_patterns"][0]["fields"],
        "attributes": ["tenant", "instance"]});
    let mut twins = good();
    twins["auth_patterns"].as_array_mut().unwrap().push(twin);
    let mut defaults = twins.clone();
    defaults["auth_patterns"][0]["is_default"] = true.into();
    defaults["auth_patterns"][1]["is_default"] = true.into();
    defaults["auth_patterns"][1]["name"] = "second".into();
    defaults["auth_patterns"][0]["name"] = "first".into();
    assert_errors(&[
        (spoilt("/auth_patterns/0", json!("BEARER")), &["auth_patterns[0]"]),
        (spoilt(&pattern("type"), json!(null)), &["auth_patterns[0].type"]),
        (spoilt(&pattern("type"), json!("BEAR ER")), &["auth_patterns[0].type"]),
        (spoilt(&pattern("is_default"), json!(1)), &["auth_patterns[0].is_default"]),
        (twins, &["auth_patterns[0]", "auth_patterns[1]"]),
        (defaults, &["auth_patterns[1].is_default"]),
    ]);
}

#[test]
fn no_hint_names_an_auth_type_because_only_plugins_have_any() {
    for payload in [
        spoilt("/auth_patterns", json!([])),
        spoilt(&pattern("type"), json!(null)),
        spoilt(&pattern("type"), json!("")),
        spoilt(&pattern("type"), json!("t y p e")),
    ] {
        let Err(problems) = Provider::parse(&payload) else { panic!("{payload} is refused") };
        for Problem { what, fix, .. } in problems.iter() {
            let text = format!("{what}: {fix}");
            let mut words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            // A type is in capitals; so is ASCII.
            let is_type = |word: &str| {
                let capitals = word.bytes().filter(u8::is_ascii_uppercase).count();
                capitals > 1 && word != "ASCII"
            };
            assert!(!words.any(is_type), "{text}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_field_is_an_error_at_its_place() {
    let long = "y".repeat(600);
    assert_errors(&[
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
    ]);
}

#[test]
fn what_is_wrong_with_endpoints_and_mutations_is_an_error_at_its_place() {
    assert_errors(&[
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
    ]);
}

#[test]
fn what_is_wrong_with_fixed_headers_and_domains_is_an_error_at_its_place() {
    assert_errors(&[
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
    ]);
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

/// Otherwise whoever connects an account has the client secret sent to a server of their own.
#[test]
fn an_endpoint_for_the_connections_secrets_takes_no_host_that_an_account_chooses_freely() {
    let to = |name: &str, url: &str| spoilt(&pattern(&format!("oauth_config/{name}")), json!(url));
    let free = |name: &str, url: &str| {
        let mut payload = to(name, url);
        let field = json!({"field_name": "shop"});
        payload["auth_patterns"][0]["account_fields"].as_array_mut().unwrap().push(field);
        payload
    };
    let token = &["auth_patterns[0].oauth_config.token_uri"][..];
    assert_errors(&[
        (free("token_uri", "https://{{shop}}/token"), token),
        (free("token_uri", "https://{{shop}}.acme.test/token"), token),
        (
            free("revocation_uri", "https://{{shop}}/x"),
            &["auth_patterns[0].oauth_config.revocation_uri"],
        ),
        (free("token_uri", "https://acme.test/{{shop}}/token"), &[]),
        (free("authorize_uri", "https://{{shop}}/authorize"), &[]),
        (free("user_info_uri", "https://{{shop}}/me"), &[]),
        // `domain` has a pattern, and `instance` is an attribute.
        (to("token_uri", "https://{{domain}}.acme.test/token"), &[]),
        (to("token_uri", "https://{{instance}}/token"), &[]),
    ]);
}
