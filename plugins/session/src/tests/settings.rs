//! Which patterns are none, and that all of it is told.

use super::*;

const ONE: &str = "pattern/session/requests/1";

#[test]
fn a_login_without_a_fault_has_none() {
    assert_eq!(faults(&account(&[])), [""; 0]);
}

#[test]
fn each_fault_is_named_at_its_place() {
    let long = "x".repeat(129);
    for (name, value, at) in [
        ("requests/0/request_url", "", "requests/0/request_url"),
        ("requests/0/request_url", "login.example", "requests/0/request_url"),
        ("requests/0/request_url", "https://login.example/#a", "requests/0/request_url"),
        ("requests/0/request_url", "https://login.example/a b", "requests/0/request_url"),
        ("requests/0/url", "https://login.example", "requests/0/url"),
        ("requests/0/method", "PUT", "requests/0/method"),
        ("requests/1/method", "GET", "requests/1/method"),
        ("requests/1/path", "next", "requests/1/path"),
        ("requests/1/path", "/a?b={{csrf}}", "requests/1/path"),
        ("requests/1/path", "/a%2f", "requests/1/path"),
        ("requests/1/headers/0/name", "X Y", "requests/1/headers/0/name"),
        ("requests/1/headers/0/name", "Cookie", "requests/1/headers/0/name"),
        ("requests/1/headers/0/value", "{{token}}", "requests/1/headers/0/value"),
        ("requests/1/headers/0/value", "{{ csrf }}", "requests/1/headers/0/value"),
        ("requests/1/headers/0/value", "{{csrf}", "requests/1/headers/0/value"),
        ("requests/1/headers/0/value", "{{connection/secret}}", "requests/1/headers/0/value"),
        ("requests/1/headers/0/value", "{{state/token}}", "requests/1/headers/0/value"),
        ("requests/1/cookies/0/name", "a=b", "requests/1/cookies/0/name"),
        ("requests/1/json", "{\"n\": {{username}}}", "requests/1/json"),
        ("requests/1/json", "{\"n\": \"\\{{username}}\"}", "requests/1/json"),
        ("requests/1/json", "{\"n\": f{{username}}alse}", "requests/1/json"),
        ("requests/1/json", "{\"n\": \"{{username}}\"", "requests/1/json"),
        ("requests/1/json", "", "requests/1/json"),
        ("requests/1/text", "x", "requests/1"),
        ("requests/1/takes/1/header", "a b", "requests/1/takes/1/header"),
        ("requests/1/form/0/name", "x", "requests/1/form/0/value"),
        ("requests/1/status/0", "100", "requests/1/status/0"),
        ("requests/1/status", "200", "requests/1/status"),
        ("requests/1/takes/0/json", "token", "requests/1/takes/0/json"),
        ("requests/1/takes/0/header", "x", "requests/1/takes/0"),
        ("requests/1/takes/0/name", "csrf", "requests/1/takes/0/name"),
        ("requests/1/takes/0/name", "username", "requests/1/takes/0/name"),
        ("requests/1/takes/0/name", "expires-at", "requests/1/takes/0/name"),
        ("requests/1/takes/0/name", "a/b", "requests/1/takes/0/name"),
        ("requests/1/takes/0/name", &long, "requests/1/takes/0/name"),
        ("requests/1/takes/1/secret", "no", "requests/1/takes/1/secret"),
        ("requests/1/takes/x/name", "y", "requests/1/takes"),
        ("requests/1/refused/0/equals", "y", "requests/1/refused/0"),
        ("requests/1/refused/0/json", "$.ok", "requests/1/refused/0/json"),
        ("requests/1/expires/unit", "hours", "requests/1/expires/unit"),
        ("requests/1/expires/unit", "unix", "requests/1/expires"),
        ("expires_after", "0", "expires_after"),
        ("expires_after", "an hour", "expires_after"),
        ("headers/0/value", "{{nothing}}", "headers/0/value"),
        ("headers/1/name", "authorization", "headers/1/value"),
        ("expired/bytes", "65537", "expired/bytes"),
        ("expired/status/0", "1", "expired/status/0"),
        ("expired/signs/0/txt", "x", "expired/signs/0"),
        ("expires", "60", "expires"),
        ("a/b/c/d/e/f/g/h/i", "x", "a/b/c/d/e/f/g/h/i"),
    ] {
        let name = ["pattern/session/", name].concat();
        let found = faults(&account(&[(&name, Some(value))]));
        let at = ["pattern/session/", at].concat();
        assert_eq!(found.first(), Some(&at), "{name} {value}: {found:?}");
        let refused = Session::authorize(&cx(), &account(&[(&name, Some(value))]), None, &[]);
        assert_eq!(refused.unwrap_err().field, Some(at), "{name} {value}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let found = faults(&account(&[
        ("pattern/session/requests/0/request_url", None),
        ("pattern/session/requests/1/json", Some("{")),
        ("pattern/session/requests/1/jsn", Some("{}")),
        ("pattern/session/requests/1/takes/0/name", None),
        ("pattern/session/expires_after", Some("x")),
        ("account/password", Some("in\na header")),
        ("pattern/session/headers/1/name", Some("x-password")),
        ("pattern/session/headers/1/value", Some("{{password}}")),
    ]));
    let expected = [
        "requests/0/request_url",
        "requests/1/json",
        "requests/1/takes/0/name",
        "requests/1/jsn",
        // What is taken there has no name any more.
        "headers/0/value",
        "expires_after",
        "",
    ];
    let mut expected: Vec<String> = expected
        .iter()
        .map(|at| ["pattern/session/", at].concat().trim_end_matches('/').to_owned())
        .collect();
    expected.push("account/password".to_owned());
    assert_eq!(found, expected);
}

#[test]
fn a_login_has_requests_and_no_more_than_the_host_sends() {
    assert_eq!(faults(&Account::of(&[]))[0], "pattern/session/requests");
    let names: Vec<String> =
        (2..9).map(|nth| format!("pattern/session/requests/{nth}/request_url")).collect();
    let more = |count: usize| {
        let more: Vec<_> =
            names[..count].iter().map(|name| (name.as_str(), Some("https://a.example/"))).collect();
        faults(&account(&more))
    };
    assert_eq!(more(5), [""; 0]);
    assert_eq!(more(6)[0], "pattern/session/requests");
}

#[test]
fn a_name_stands_in_one_place_once() {
    for (list, at) in [
        ("pattern/session/headers/1", "pattern/session/headers/1/name"),
        (&format!("{ONE}/headers/1"), &format!("{ONE}/headers/1/name")),
    ] {
        let name = if list.contains("requests") { "x-xsrf-TOKEN" } else { "authorization" };
        let found = faults(&account(&[
            (&format!("{list}/name"), Some(name)),
            (&format!("{list}/value"), Some("x")),
        ]));
        assert_eq!(found, [at]);
    }
}

/// The host takes the state's `access_token` for the account's `token`.
#[test]
fn a_session_is_not_called_as_what_the_host_lays_over_a_field() {
    let field = ("pattern/fields/1/field_name", Some("token"));
    let name = "pattern/session/requests/0/takes/0/name";
    let changes = [
        (name, Some("access_token")),
        ("pattern/session/requests/1/cookies/0/value", Some("{{access_token}}")),
        ("pattern/session/requests/1/headers/0/value", Some("{{access_token}}")),
    ];
    assert_eq!(faults(&account(&changes)), [""; 0]);
    let json = ("pattern/session/requests/1/json", Some("\"{{token}}\""));
    let taken = [
        ("pattern/session/requests/1/takes/0/name", Some("other")),
        ("pattern/session/headers/0/value", Some("{{other}}")),
    ];
    let changes = [&changes[..], &[field, json], &taken].concat();
    assert_eq!(faults(&account(&changes)), [name]);
}
