//! Requests of the login, and what comes of their answers.

use countersign_plugin::{Event, Fetch, Flow, Grant, Purpose, Reason, State, Step, find};

use super::*;

type Changes<'a> = [(&'a str, Option<&'a str>)];

fn fetched(step: Result<Step, Refusal>) -> Fetch {
    match step.unwrap() {
        Step::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn begun(changes: &Changes<'_>) -> Fetch {
    fetched(Session::begin(&cx(), &account(changes), &Purpose::Renew(Vec::new())))
}

fn answered(
    changes: &Changes<'_>,
    fetch: &Fetch,
    (status, headers, body): (u16, &[(&str, &str)], &str),
) -> Result<Step, Refusal> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let reply = HttpResponse { status, headers: headers.collect(), body: body.as_bytes().to_vec() };
    Session::resume(&cx(), &account(changes), &Event::Response(reply), &fetch.cursor)
}

/// The second request, after a first that went well.
fn second(changes: &Changes<'_>) -> Result<Step, Refusal> {
    answered(changes, &begun(changes), (200, &[("set-cookie", "XSRF=f%2F1; Path=/")], ""))
}

const SAID: (u16, &[(&str, &str)], &str) =
    (200, &[("x-tenant", "acme")], "{\"data\":{\"token\":\"t-1\"}, \"ends\": 1800000060.9}");

fn done(changes: &Changes<'_>, answer: (u16, &[(&str, &str)], &str)) -> Result<State, Refusal> {
    match answered(changes, &fetched(second(changes)), answer)? {
        Step::Done(state) => Ok(state),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_login_of_two_requests_leaves_what_is_used_and_what_is_public() {
    let first = begun(&[]).request;
    assert_eq!((&*first.method, &*first.url), ("GET", "https://login.example/"));
    assert!(first.headers.is_empty() && first.body.is_empty());
    let second = fetched(second(&[])).request;
    assert_eq!(
        (&*second.method, &*second.url),
        ("POST", "https://login.example/in?v=1&app%20id=app%207")
    );
    let headers = [("x-xsrf-token", "t=f%2F1"), ("cookie", "XSRF=f%2F1")];
    let headers = headers.into_iter().chain([("content-type", "application/json")]);
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(second.headers, headers);
    assert_eq!(
        String::from_utf8(second.body).unwrap(),
        r#"{"user":{"n":"ann\"; \\","p":"p&ss=w{{username}}"}}"#
    );
    let state = done(&[], SAID).unwrap();
    assert_eq!(state.secrets, [("token".to_owned(), "t-1".to_owned())], "the first is of no use");
    assert_eq!(state.attributes, [("tenant".to_owned(), "acme".to_owned())]);
    assert_eq!((state.renew_after, state.expires_after), (None, None));
}

#[test]
fn a_value_is_escaped_for_its_place() {
    let form = [
        ("pattern/session/requests/1/json", None),
        ("pattern/session/requests/1/form/0/name", Some("a b")),
        ("pattern/session/requests/1/form/0/value", Some("{{password}}&x")),
        ("pattern/session/requests/1/form/10/name", Some("last")),
        ("pattern/session/requests/1/form/10/value", Some("")),
        ("pattern/session/requests/1/form/2/name", Some("c")),
        ("pattern/session/requests/1/form/2/value", Some("{{csrf}}")),
        ("pattern/session/requests/1/path", Some("/{{connection/app_id}}/in")),
    ];
    let request = fetched(second(&form)).request;
    assert_eq!(request.url, "https://login.example/in/app%207/in?v=1&app%20id=app%207");
    let expected = "a+b=p%26ss%3Dw%7B%7Busername%7D%7D%26x&c=f%252F1&last=";
    assert_eq!(String::from_utf8(request.body).unwrap(), expected);
    let kind = find(&request.headers, "content-type");
    assert_eq!(kind, Some("application/x-www-form-urlencoded"));
    let text = [
        ("pattern/session/requests/1/json", None),
        ("pattern/session/requests/1/text", Some("<u>{{username}}</u>")),
        ("pattern/session/requests/1/headers/0/name", Some("Content-Type")),
        ("pattern/session/requests/1/headers/0/value", Some("text/xml")),
    ];
    let request = fetched(second(&text)).request;
    assert_eq!(request.body, b"<u>ann\"; \\</u>", "text has no escapes");
    assert_eq!(find(&request.headers, "content-type"), Some("text/xml"));
}

#[test]
fn a_value_that_does_not_fit_its_place_is_sent_nowhere() {
    for (name, value, template, at) in [
        ("account/password", Some("a\nb"), "headers/0", "account/password"),
        ("account/password", None, "headers/0", "account/password"),
        ("account/password", Some("a;b"), "cookies/0", "account/password"),
        ("account/password", Some("a/b"), "path", "account/password"),
        ("account/password", Some(".."), "path", "account/password"),
        ("account/password", Some("%2e"), "path", "account/password"),
        ("connection/app_id", None, "", "connection/app_id"),
    ] {
        let (place, text) = match template {
            "path" => ("path".to_owned(), "/{{password}}"),
            "" => ("cookies/0/value".to_owned(), "{{csrf}}"),
            list => (format!("{list}/value"), "{{password}}"),
        };
        let place = ["pattern/session/requests/1/", &place].concat();
        let refusal = second(&[(name, value), (&place, Some(text))]).unwrap_err();
        let found = (refusal.reason, refusal.field.as_deref());
        assert_eq!(found, (Reason::InvalidConfig, Some(at)), "{name} {value:?}");
    }
}

#[test]
fn whoever_has_to_act_is_told() {
    let whole = "pattern/session/requests/1";
    let status = |status: u16| (status, SAID.1, SAID.2);
    for (answer, reason, at) in [
        (status(400), Reason::Reauthorize, whole),
        (status(401), Reason::Reauthorize, whole),
        (status(403), Reason::Reauthorize, whole),
        (status(302), Reason::Denied, whole),
        (status(404), Reason::InvalidConfig, &*format!("{whole}/request_url")),
        (status(429), Reason::Unavailable, whole),
        (status(503), Reason::Unavailable, whole),
        ((200, SAID.1, "{}"), Reason::Denied, &format!("{whole}/takes/0")),
        ((200, SAID.1, "<html>"), Reason::Denied, &format!("{whole}/takes/0")),
        ((200, SAID.1, "{\"data\":{\"token\":\"\"}}"), Reason::Denied, &format!("{whole}/takes/0")),
        (
            (200, SAID.1, "{\"data\":{\"token\":\"a\\nb\"}}"),
            Reason::Denied,
            &format!("{whole}/takes/0"),
        ),
        ((200, &[], SAID.2), Reason::Denied, &format!("{whole}/takes/1")),
    ] {
        let refusal = done(&[], answer).unwrap_err();
        let found = (refusal.reason, refusal.field.as_deref());
        assert_eq!(found, (reason, Some(at)), "{answer:?}");
    }
    let later = (429, &[("retry-after", "7")][..], "");
    assert_eq!(done(&[], later).unwrap_err().retry_after, Some(7));
}

#[test]
fn a_login_may_go_well_by_another_status_and_be_refused_by_a_body() {
    let changes = [
        ("pattern/session/requests/1/status/0", Some("302")),
        ("pattern/session/requests/1/refused/0/text", Some("wrong password")),
        ("pattern/session/requests/1/refused/1/json", Some("/ok")),
        ("pattern/session/requests/1/refused/1/equals", Some("false")),
    ];
    let body = |more: &str| format!("{{\"data\":{{\"token\":\"t-1\"}}{more}}}");
    done(&changes, (302, SAID.1, &body(""))).unwrap();
    assert_eq!(done(&changes, (200, SAID.1, &body(""))).unwrap_err().reason, Reason::Denied);
    for more in [",\"ok\":false", ",\"why\":\"wrong password\""] {
        let refusal = done(&changes, (302, SAID.1, &body(more))).unwrap_err();
        assert_eq!(refusal.reason, Reason::Reauthorize, "{more}");
    }
}

#[test]
fn a_session_ends_at_the_earliest_time_that_is_said() {
    let json = |unit| {
        [
            ("pattern/session/requests/1/expires/json", Some("/ends")),
            ("pattern/session/requests/1/expires/unit", Some(unit)),
        ]
    };
    let fixed = ("pattern/session/expires_after", Some("600"));
    let cookie = ("pattern/session/requests/0/expires/cookie", Some("XSRF"));
    let said = |ends: &str| format!("{{\"data\":{{\"token\":\"t-1\"}},\"ends\":{ends}}}");
    for (unit, ends, seconds) in [
        ("seconds", "60", Some(60)),
        ("seconds", "\"60\"", Some(60)),
        ("seconds", "6000", Some(600)),
        ("seconds", "1e300", Some(600)),
        ("seconds", "null", Some(600)),
        ("unix", "1800000060.9", Some(60)),
        ("unix-ms", "1800000060000", Some(60)),
        ("seconds", "0", None),
        ("seconds", "-1", None),
        ("seconds", "\"soon\"", None),
        ("unix", "60", None),
    ] {
        let changes = [&json(unit)[..], &[fixed]].concat();
        let state = done(&changes, (200, SAID.1, &said(ends)));
        match (state, seconds) {
            (Ok(state), Some(_)) => assert_eq!(state.expires_after, seconds, "{unit} {ends}"),
            (Err(refusal), None) => assert_eq!(refusal.reason, Reason::Unavailable, "{ends}"),
            other => panic!("{unit} {ends}: {other:?}"),
        }
    }
    let changes = [fixed, cookie];
    for (line, seconds) in [
        ("XSRF=f; Max-Age=90", 90),
        ("XSRF=f; Expires=Fri, 15 Jan 2027 08:00:30 GMT", 30),
        ("XSRF=f", 600),
    ] {
        let first = answered(&changes, &begun(&changes), (200, &[("set-cookie", line)], ""));
        let Step::Done(state) = answered(&changes, &fetched(first), SAID).unwrap() else {
            panic!("{line}");
        };
        assert_eq!(state.expires_after, Some(seconds), "{line}");
        assert_eq!(state.renew_after, Some(seconds - seconds / 10), "{line}");
    }
}

#[test]
fn nothing_else_is_a_flow_or_an_event_of_it() {
    let grant = Purpose::Grant(Grant { redirect_uri: String::new(), state_token: String::new() });
    for purpose in [Purpose::Setup, grant, Purpose::Revoke] {
        let refusal = Session::begin(&cx(), &account(&[]), &purpose).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidRequest);
    }
    let cursor = begun(&[]).cursor;
    let resumed = |event: Event, cursor: &[u8]| {
        Session::resume(&cx(), &account(&[]), &event, cursor).unwrap_err().reason
    };
    assert_eq!(resumed(Event::Failed("closed".into()), &cursor), Reason::Unavailable);
    assert_eq!(resumed(Event::Elapsed, &cursor), Reason::Reauthorize);
    let reply = || HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() };
    for cursor in [&b""[..], b"request=x", b"request=2", b"request=1&until=x", b"%", b"\xff"] {
        assert_eq!(resumed(Event::Response(reply()), cursor), Reason::Reauthorize);
    }
}

/// It would be kept, and refused with each request for as long as it lasts.
#[test]
fn what_fits_nowhere_is_not_kept() {
    let said = |token: &str| format!("{{\"data\":{{\"token\":\"{token}\"}}}}");
    let cookie = [
        ("pattern/session/cookies/0/name", Some("sid")),
        ("pattern/session/cookies/0/value", Some("{{token}}")),
    ];
    for (changes, token) in [
        (&[][..], "\u{43a}"),
        (&cookie, "a b"),
        (&cookie, "a; b=c"),
        (&cookie, "{\\\"id\\\":1}"),
        (&cookie, "\u{e9}"),
    ] {
        let refusal = done(changes, (200, SAID.1, &said(token))).unwrap_err();
        let found = (refusal.reason, refusal.field.as_deref());
        assert_eq!(found, (Reason::Denied, Some("state/token")), "{token}");
    }
    done(&cookie, (200, SAID.1, &said("a+b/c=="))).unwrap();
}
