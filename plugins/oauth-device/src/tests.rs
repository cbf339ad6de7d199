//! The grant: answers in, steps and refusals out. What comes after it has its tests with OAUTH.

use countersign_plugin::{Fetch, Grant, Pause, Reason, State};

use super::*;

/// 2027-01-15T08:00:00Z.
const NOW: u64 = 1_800_000_000_000;

/// The examples of RFC 8628, sections 3.1 and 3.2.
const CLIENT: [(&str, &str); 4] = [
    ("connection/client_id", "1406020730"),
    ("connection/scopes", "example_scope"),
    (
        "pattern/oauth_config/device_authorization_uri",
        "https://server.example.com/device_authorization",
    ),
    ("pattern/oauth_config/token_uri", "https://server.example.com/token"),
];
const CODES: &str = r#"{"device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT", "verification_uri": "https://example.com/device",
    "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
    "expires_in": 1800, "interval": 5}"#;

fn cx(later: u64) -> Context {
    Context::fixed(NOW + later * 1000, 1)
}

fn begun() -> Fetch {
    let grant = Grant { redirect_uri: String::new(), state_token: "s".to_owned() };
    match OAuthDevice::begin(&cx(0), &Account::of(&CLIENT), &Purpose::Grant(grant)).unwrap() {
        Step::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn reply(status: u16, body: &str) -> Event {
    let body = body.as_bytes().to_vec();
    Event::Response(HttpResponse { status, headers: Vec::new(), body })
}

fn next(later: u64, event: &Event, cursor: &[u8]) -> Result<Step, Refusal> {
    OAuthDevice::resume(&cx(later), &Account::of(&CLIENT), event, cursor)
}

fn paused(step: Result<Step, Refusal>) -> Pause {
    match step.unwrap() {
        Step::Pause(pause) => pause,
        other => panic!("{other:?}"),
    }
}

fn asked(later: u64, pause: &Pause) -> Fetch {
    match next(later, &Event::Elapsed, &pause.cursor).unwrap() {
        Step::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn shown() -> Pause {
    paused(next(0, &reply(200, CODES), &begun().cursor))
}

fn body(fetch: &Fetch) -> &str {
    std::str::from_utf8(&fetch.request.body).unwrap()
}

#[test]
fn the_examples_of_rfc_8628_go_as_it_says() {
    let begun = begun();
    assert_eq!(begun.request.url, "https://server.example.com/device_authorization");
    assert_eq!(body(&begun), "scope=example_scope&client_id=1406020730");
    let shown = shown();
    let prompt = shown.prompt.as_ref().unwrap();
    assert_eq!(prompt.url, "https://example.com/device?user_code=WDJB-MJHT");
    assert_eq!(prompt.code.as_deref(), Some("WDJB-MJHT"));
    assert_eq!((shown.seconds, &shown.callback), (Some(5), &None));
    let asked = asked(5, &shown);
    assert_eq!(asked.request.url, "https://server.example.com/token");
    assert_eq!(
        body(&asked),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
         &device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS&client_id=1406020730"
    );
    let tokens = r#"{"access_token":"at","token_type":"Bearer","refresh_token":"rt"}"#;
    let done = next(5, &reply(200, tokens), &asked.cursor).unwrap();
    let state = State::empty().secret("access_token", "at").secret("refresh_token", "rt");
    assert_eq!(done, Step::Done(state));
}

#[test]
fn the_token_endpoint_is_asked_no_more_often_than_it_wants() {
    let mut pause = shown();
    for (event, seconds) in [
        (reply(400, r#"{"error":"authorization_pending"}"#), 5),
        (reply(400, r#"{"error":"slow_down"}"#), 10),
        (reply(400, r#"{"error":"authorization_pending"}"#), 10),
        (reply(400, r#"{"error":"slow_down"}"#), 15),
        (Event::Failed("timed out".to_owned()), 30),
        (reply(503, "<html>"), 60),
        (reply(429, ""), 120),
        (reply(429, r#"{"error":"slow_down"}"#), 125),
        // GitHub says so with 200.
        (reply(200, r#"{"error":"authorization_pending"}"#), 125),
        (reply(503, ""), 250),
        (reply(503, ""), 500),
        (reply(503, ""), 600),
        (reply(400, r#"{"error":"slow_down"}"#), 600),
    ] {
        pause = paused(next(0, &event, &asked(0, &pause).cursor));
        assert_eq!((pause.seconds, &pause.prompt), (Some(seconds), &None), "{event:?}");
    }
    let mut later = HttpResponse { status: 503, headers: Vec::new(), body: Vec::new() };
    later.headers.push(("retry-after".to_owned(), "77".to_owned()));
    let pause = paused(next(0, &Event::Response(later), &asked(0, &shown()).cursor));
    assert_eq!(pause.seconds, Some(77));
}

#[test]
fn a_grant_that_is_over_says_who_has_to_act() {
    for (status, body, reason) in [
        (400, r#"{"error":"access_denied"}"#, Reason::Denied),
        (400, r#"{"error":"expired_token"}"#, Reason::Reauthorize),
        (400, r#"{"error":"invalid_grant"}"#, Reason::Reauthorize),
        (401, r#"{"error":"invalid_client"}"#, Reason::InvalidConfig),
        (400, r#"{"error":"surprise"}"#, Reason::Denied),
        (200, "{}", Reason::Unavailable),
    ] {
        let refusal = next(5, &reply(status, body), &asked(5, &shown()).cursor).unwrap_err();
        assert_eq!(refusal.reason, reason, "{body}");
    }
    // Nothing is asked once the codes have ended, whatever the server would say.
    asked(1799, &shown());
    let refusal = next(1800, &Event::Elapsed, &shown().cursor).unwrap_err();
    assert_eq!(refusal.reason, Reason::Reauthorize);
}

#[test]
fn codes_that_cannot_be_used_are_shown_to_nobody() {
    let long = format!("{}\",", "x".repeat(65));
    for (from, to, reason) in [
        ("\"device_code\"", "\"other\"", Reason::Unavailable),
        ("\"user_code\"", "\"other\"", Reason::Unavailable),
        ("WDJB-MJHT\",", "a\\nb\",", Reason::Unavailable),
        ("WDJB-MJHT\",", &*long, Reason::Unavailable),
        ("\"expires_in\"", "\"other\"", Reason::Unavailable),
        ("1800", "-1", Reason::Unavailable),
        ("\"interval\": 5", "\"interval\": {}", Reason::Unavailable),
        (CODES, "<html>", Reason::Unavailable),
        (CODES, r#"{"error":"invalid_scope"}"#, Reason::InvalidConfig),
    ] {
        let answer = CODES.replacen(from, to, 1);
        let refusal = next(0, &reply(200, &answer), &begun().cursor).unwrap_err();
        assert_eq!(refusal.reason, reason, "{answer}");
    }
    let refusal = next(0, &reply(404, ""), &begun().cursor).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some(DEVICE_URI));
    assert!(refusal.message.contains("device authorization endpoint"), "{}", refusal.message);
    let failed = next(0, &Event::Failed(String::new()), &begun().cursor).unwrap_err();
    assert_eq!(failed.reason, Reason::Unavailable);
}

#[test]
fn what_a_server_leaves_out_has_a_usual_value() {
    let plain =
        CODES.replace("verification_uri_complete", "other").replace(", \"interval\": 5", "");
    let shown = paused(next(0, &reply(200, &plain), &begun().cursor));
    assert_eq!(shown.prompt.unwrap().url, "https://example.com/device");
    assert_eq!(shown.seconds, Some(5));
    let google =
        plain.replace("verification_uri\"", "verification_url\"").replace("1800", "\"1800\"");
    let shown = paused(next(0, &reply(200, &google), &begun().cursor));
    assert_eq!(shown.prompt.unwrap().url, "https://example.com/device");
}

#[test]
fn nothing_else_is_an_event_of_the_grant() {
    let waiting = shown().cursor;
    let asked = asked(0, &shown()).cursor;
    for (event, cursor) in [
        (Event::Callback(Vec::new()), &waiting),
        (reply(200, "{}"), &waiting),
        (Event::Elapsed, &asked),
        (Event::Elapsed, &begun().cursor),
        (Event::Elapsed, &b"step=device-waiting".to_vec()),
        (Event::Elapsed, &b"\xff".to_vec()),
    ] {
        assert_eq!(next(0, &event, cursor).unwrap_err().reason, Reason::Reauthorize, "{event:?}");
    }
}
