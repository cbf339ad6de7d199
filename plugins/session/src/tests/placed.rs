//! What goes on a request, and which replies end a session.

use countersign_plugin::{Next, Reason};

use super::*;

fn asked(changes: &[(&str, Option<&str>)]) -> Result<Outcome, Refusal> {
    Session::authorize(&cx(), &account(changes), None, &[])
}

fn ready(changes: &[(&str, Option<&str>)]) -> Ready {
    match asked(changes).unwrap() {
        Outcome::Ready(ready) => ready,
        other => panic!("{other:?}"),
    }
}

const TOKEN: (&str, Option<&str>) = ("state/token", Some("t-1"));

#[test]
fn without_a_session_there_is_a_login_first() {
    assert_eq!(asked(&[]).unwrap(), Outcome::Renew(Vec::new()));
    assert_eq!(asked(&[("state/tenant", Some("x"))]).unwrap(), Outcome::Renew(Vec::new()));
}

#[test]
fn a_session_goes_where_the_pattern_says() {
    let ready = ready(&[
        TOKEN,
        ("state/tenant", Some("acme")),
        ("pattern/session/headers/1/name", Some("x-app")),
        ("pattern/session/headers/1/value", Some("{{connection/app_id}}")),
        ("pattern/session/query/0/name", Some("tenant")),
        ("pattern/session/query/0/value", Some("{{tenant}}&")),
        ("pattern/session/cookies/0/name", Some("sid")),
        ("pattern/session/cookies/0/value", Some("{{token}}")),
    ]);
    let expected = [
        Edit::header("Authorization", "Session t-1"),
        Edit::header("x-app", "app 7"),
        Edit::query("tenant", "acme&"),
        Edit::cookie("sid", "t-1"),
    ];
    assert_eq!(ready.edits, expected);
    assert_eq!(ready.remember, u32::MAX);
    let watched: Vec<_> = ready.watches.iter().map(|it| (it.status, it.body)).collect();
    assert_eq!(watched, [(Some(401), 0)]);
}

#[test]
fn a_control_character_goes_into_no_header_and_nothing_out_of_a_cookie() {
    for (place, value, at) in [
        ("headers/1", "a\r\nb", "account/password"),
        ("headers/1", "\u{10a}", "account/password"),
        ("cookies/0", "a; admin=1", "account/password"),
        ("cookies/0", "a\nb", "account/password"),
        ("cookies/0", "", "account/password"),
    ] {
        let refusal = asked(&[
            TOKEN,
            ("account/password", Some(value)),
            (&format!("pattern/session/{place}/name"), Some("x")),
            (&format!("pattern/session/{place}/value"), Some("{{password}}")),
        ])
        .unwrap_err();
        let found = (refusal.reason, refusal.field.as_deref());
        assert_eq!(found, (Reason::InvalidConfig, Some(at)), "{value:?}");
    }
    let literal = [TOKEN, ("pattern/session/headers/0/value", Some("{{token}}\n"))];
    let refusal = asked(&literal).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some("pattern/session/headers/0/name"));
    let refusal = asked(&[("state/token", Some("a\nb"))]).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some("state/token"));
}

#[test]
fn a_reply_ends_a_session_where_the_pattern_says_so() {
    let ends = |changes: &[(&str, Option<&str>)], status: u16, body: &str| {
        let reply = HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let reaction = Session::replied(&cx(), &account(changes), &reply, &[]).unwrap();
        matches!(reaction.next, Next::Renew(_))
    };
    assert!(ends(&[TOKEN], 401, ""));
    for (status, body) in [(200, "please log in"), (403, ""), (500, "")] {
        assert!(!ends(&[TOKEN], status, body), "{status}");
    }
    let told = [
        TOKEN,
        ("pattern/session/expired/status/0", Some("419")),
        ("pattern/session/expired/body_of/0", Some("200")),
        ("pattern/session/expired/body_of/1", Some("403")),
        ("pattern/session/expired/bytes", Some("100")),
        ("pattern/session/expired/signs/0/text", Some("<title>Log in</title>")),
        ("pattern/session/expired/signs/1/json", Some("/error/code")),
        ("pattern/session/expired/signs/1/equals", Some("7")),
    ];
    let watched: Vec<_> = ready(&told).watches.iter().map(|it| (it.status, it.body)).collect();
    assert_eq!(watched, [(Some(419), 0), (Some(200), 100), (Some(403), 100)]);
    for (status, body, over) in [
        (419, "", true),
        (401, "", false),
        (200, "<html><title>Log in</title>", true),
        (403, "{\"error\":{\"code\":7}}", true),
        (200, "{\"error\":{\"code\":\"7\"}}", true),
        (200, "{\"error\":{\"code\":8}}", false),
        (200, "{\"error\":7}", false),
        (200, "", false),
        (500, "<title>Log in</title>", false),
    ] {
        assert_eq!(ends(&told, status, body), over, "{status} {body}");
    }
}
