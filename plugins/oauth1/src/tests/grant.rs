//! Consent, from the temporary credentials to the state.

use countersign_plugin::{Event, Fetch, Flow, Grant, HttpResponse, Pause, Purpose, State, Step};

use super::*;

const REDIRECT: &str = "https://gw.example/callback?a=b";

const ENDPOINTS: [(&str, &str); 3] = [
    (REQUEST_TOKEN_URI, "https://as.example/initiate"),
    (AUTHORIZE_URI, "https://as.example/authorize"),
    (TOKEN_URI, "https://as.example/token"),
];

fn account(values: &[(&str, &str)]) -> Account {
    Account::of(&[&CLIENT[..], &ENDPOINTS, values].concat())
}

fn begin(account: &Account) -> Result<Step, Refusal> {
    let grant = Grant { redirect_uri: REDIRECT.to_owned(), state_token: "state".to_owned() };
    OAuth1::begin(&cx(), account, &Purpose::Grant(grant))
}

fn fetched(step: Result<Step, Refusal>) -> Fetch {
    match step.unwrap() {
        Step::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn paused(step: Result<Step, Refusal>) -> Pause {
    match step.unwrap() {
        Step::Pause(pause) => pause,
        other => panic!("{other:?}"),
    }
}

fn answered(account: &Account, cursor: &[u8], status: u16, body: &str) -> Result<Step, Refusal> {
    let reply = HttpResponse { status, headers: Vec::new(), body: body.into() };
    OAuth1::resume(&cx(), account, &Event::Response(reply), cursor)
}

const TEMPORARY: &str =
    "oauth_token=t%2F1&oauth_token_secret=te%26mp&oauth_callback_confirmed=true";

fn away(account: &Account) -> Pause {
    paused(answered(account, &fetched(begin(account)).cursor, 200, TEMPORARY))
}

fn came_back(account: &Account, parameters: &[(&str, &str)]) -> Result<Step, Refusal> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let event = Event::Callback(parameters.iter().map(owned).collect());
    OAuth1::resume(&cx(), account, &event, &away(account).cursor)
}

/// What a request of the grant was signed with, checked.
fn signed(fetch: &Fetch, secret: &str) -> Vec<(String, String)> {
    assert_eq!((fetch.request.method.as_str(), fetch.request.body.len()), ("POST", 0));
    let own = parameters(&fetch.request.headers[0].1);
    let mut all = base::Parameters::default();
    for (name, value) in own.iter().filter(|(name, _)| name != "oauth_signature") {
        all.add(name, value);
    }
    let base = Target::of(&fetch.request.url).unwrap().base_string("POST", all);
    let signature = Client::of(&account(&[])).unwrap().sign(&cx(), secret, &base).unwrap();
    assert_eq!(parameter(&own, "oauth_signature"), Some(&*signature));
    own
}

#[test]
fn a_grant_goes_from_temporary_credentials_over_the_user_to_a_token() {
    let account = account(&[
        ("pattern/oauth_config/extra_authorize_params/force_login", "true"),
        ("pattern/oauth_config/attributes/0", "screen_name"),
        ("pattern/oauth_config/attributes/1", "oauth_token_secret"),
        ("pattern/oauth_config/attributes/2", "not_there"),
        // Of a grant before.
        ("state/access_token", "old"),
        ("account/token", "old"),
    ]);
    let fetch = fetched(begin(&account));
    assert_eq!(fetch.request.url, "https://as.example/initiate");
    let own = signed(&fetch, "");
    assert_eq!(parameter(&own, "oauth_callback"), Some(REDIRECT));
    assert_eq!(parameter(&own, "oauth_token"), None, "the user may be another");

    let pause = paused(answered(&account, &fetch.cursor, 200, TEMPORARY));
    assert_eq!(
        pause.prompt.unwrap().url,
        "https://as.example/authorize?oauth_token=t%2F1&force_login=true"
    );
    assert_eq!(pause.callback, Some(("oauth_token".to_owned(), "t/1".to_owned())));
    assert_eq!(pause.seconds, None);

    let back = [("oauth_token", "t/1"), ("oauth_verifier", "v+1")];
    let fetch = fetched(came_back(&account, &back));
    assert_eq!(fetch.request.url, "https://as.example/token");
    let own = signed(&fetch, "te&mp");
    assert_eq!(parameter(&own, "oauth_verifier"), Some("v+1"));
    assert_eq!(parameter(&own, "oauth_token"), Some("t/1"));

    let body = "oauth_token=at&oauth_token_secret=shh&screen_name=a+name&user_id=7";
    let Step::Done(state) = answered(&account, &fetch.cursor, 200, body).unwrap() else { panic!() };
    let expected = State::empty()
        .secret("access_token", "at")
        .secret("token_secret", "shh")
        .attribute("screen_name", "a name");
    assert_eq!(state, expected);
}

#[test]
fn an_answer_that_makes_no_sense_is_refused_whole() {
    let account = account(&[]);
    let cursor = fetched(begin(&account)).cursor;
    let long = format!("{TEMPORARY}&oauth_token={}", "x".repeat(5000)).replacen("t%2F1", "", 1);
    for body in [
        "",
        "<html>",
        "{\"oauth_token\":\"t\"}",
        "oauth_token=&oauth_token_secret=s&oauth_callback_confirmed=true",
        "oauth_token=t&oauth_callback_confirmed=true",
        "oauth_token_secret=s&oauth_callback_confirmed=true",
        "oauth_token=t&oauth_token=u&oauth_token_secret=s&oauth_callback_confirmed=true",
        "oauth_token=t%0A&oauth_token_secret=s&oauth_callback_confirmed=true",
        "oauth_token=t&oauth_token_secret=%zz&oauth_callback_confirmed=true",
        &long,
    ] {
        let refusal = answered(&account, &cursor, 200, body).unwrap_err();
        assert_eq!(refusal.reason, Reason::Unavailable, "{body:.80}");
    }
}

#[test]
fn a_server_that_does_not_confirm_the_callback_is_not_gone_on_with() {
    let account = account(&[]);
    let cursor = fetched(begin(&account)).cursor;
    for confirmed in ["", "&oauth_callback_confirmed=false", "&oauth_callback_confirmed="] {
        let body = ["oauth_token=t&oauth_token_secret=s", confirmed].concat();
        let refusal = answered(&account, &cursor, 200, &body).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig, "{confirmed}");
        assert_eq!(refusal.field.as_deref(), Some(REQUEST_TOKEN_URI));
    }
}

#[test]
fn each_no_of_a_server_says_who_has_to_act() {
    use Reason::{Denied, InvalidConfig, Reauthorize, Unavailable};

    let account = account(&[]);
    let first = fetched(begin(&account)).cursor;
    let back = [("oauth_token", "t/1"), ("oauth_verifier", "v")];
    let second = fetched(came_back(&account, &back)).cursor;
    for (cursor, status, reason, field) in [
        (&first, 401, InvalidConfig, Some("connection/client_id")),
        (&first, 400, InvalidConfig, Some(REQUEST_TOKEN_URI)),
        (&first, 404, InvalidConfig, Some(REQUEST_TOKEN_URI)),
        (&first, 302, InvalidConfig, Some(REQUEST_TOKEN_URI)),
        (&first, 403, Denied, None),
        (&first, 429, Unavailable, None),
        (&first, 500, Unavailable, None),
        (&second, 401, Reauthorize, None),
        (&second, 400, Denied, None),
        (&second, 404, InvalidConfig, Some(TOKEN_URI)),
        (&second, 503, Unavailable, None),
    ] {
        let refusal = answered(&account, cursor, status, "oauth_problem=c4n4ry").unwrap_err();
        assert_eq!((refusal.reason, refusal.field.as_deref()), (reason, field), "{status}");
        assert!(!refusal.message.contains("c4n4ry"));
    }
    let failed = OAuth1::resume(&cx(), &account, &Event::Failed("x".into()), &first);
    assert_eq!(failed.unwrap_err().reason, Unavailable);
}

#[test]
fn a_callback_that_is_not_this_grants_asks_for_no_token() {
    let account = account(&[]);
    let (token, verifier) = (("oauth_token", "t/1"), ("oauth_verifier", "v"));
    for (parameters, reason) in [
        (vec![("oauth_token", "other"), verifier], Reason::Reauthorize),
        (vec![verifier], Reason::Reauthorize),
        (vec![token], Reason::Reauthorize),
        (vec![token, ("oauth_verifier", "")], Reason::Reauthorize),
        (vec![token, token, verifier], Reason::Reauthorize),
        (vec![token, verifier, verifier], Reason::Reauthorize),
        (vec![token, ("oauth_problem", "user_refused")], Reason::Denied),
    ] {
        assert_eq!(came_back(&account, &parameters).unwrap_err().reason, reason, "{parameters:?}");
    }
}

#[test]
fn a_cursor_that_does_not_read_back_is_refused() {
    let account = account(&[]);
    for cursor in ["", "step=", "step=away", "step=away&token=t", "step=%zz", "\u{0}"] {
        let event = Event::Callback(vec![("oauth_token".to_owned(), "t".to_owned())]);
        let refusal = OAuth1::resume(&cx(), &account, &event, cursor.as_bytes()).unwrap_err();
        assert_eq!(refusal.reason, Reason::Reauthorize, "{cursor}");
    }
    let elapsed = OAuth1::resume(&cx(), &account, &Event::Elapsed, b"step=requested");
    assert_eq!(elapsed.unwrap_err().reason, Reason::Reauthorize);
}

#[test]
fn a_grant_that_cannot_end_does_not_begin() {
    for (missing, _) in ENDPOINTS {
        let there = ENDPOINTS.into_iter().filter(|(name, _)| *name != missing).collect::<Vec<_>>();
        let account = Account::of(&[&CLIENT[..], &there].concat());
        assert_eq!(begin(&account).unwrap_err().field.as_deref(), Some(missing));
    }
    for purpose in [Purpose::Setup, Purpose::Renew(Vec::new()), Purpose::Revoke] {
        let refusal = OAuth1::begin(&cx(), &account(&[]), &purpose).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidRequest);
    }
    let field = "pattern/oauth_config/extra_authorize_params/oauth_token";
    let account = account(&[(field, "x")]);
    let cursor = fetched(begin(&account)).cursor;
    let refusal = answered(&account, &cursor, 200, TEMPORARY).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some(field));
}
