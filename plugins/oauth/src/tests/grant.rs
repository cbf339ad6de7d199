//! Consent, from the link to the state.

use countersign_plugin::{Grant, Pause, Purpose, Reason, flow::pkce, form};

use super::*;

const REDIRECT: &str = "https://gw.example/callback?a=b";

fn begin(account: &Account) -> Result<Step, Refusal> {
    let grant = Grant { redirect_uri: REDIRECT.to_owned(), state_token: "st&te".to_owned() };
    OAuth::begin(&cx(), account, &Purpose::Grant(grant))
}

fn paused(step: Result<Step, Refusal>) -> Pause {
    match step.unwrap() {
        Step::Pause(pause) => pause,
        other => panic!("{other:?}"),
    }
}

fn came_back(
    account: &Account,
    pause: &Pause,
    parameters: &[(&str, &str)],
) -> Result<Step, Refusal> {
    let parameters =
        parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    OAuth::resume(&cx(), account, &Event::Callback(parameters), &pause.cursor)
}

fn url(pause: &Pause) -> (String, Vec<(String, String)>) {
    let url = &pause.prompt.as_ref().unwrap().url;
    let (endpoint, query) = url.split_once('?').unwrap();
    (endpoint.to_owned(), form::split(query).unwrap())
}

#[test]
fn the_link_carries_all_that_the_server_needs() {
    let account = account(&[
        ("connection/scopes", "a b"),
        ("pattern/oauth_config/extra_authorize_params/access_type", "offline"),
        ("grant/login_hint", "u@x.example"),
    ]);
    let pause = paused(begin(&account));
    assert_eq!(pause.callback, Some(("state".to_owned(), "st&te".to_owned())));
    assert_eq!(pause.seconds, None);
    let challenge = pkce::challenge(&pkce::verifier(&cx()));
    let expected = [
        ("response_type", "code"),
        ("client_id", "id"),
        ("redirect_uri", REDIRECT),
        ("state", "st&te"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("scope", "a b"),
        ("access_type", "offline"),
        ("login_hint", "u@x.example"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    assert_eq!(
        url(&pause),
        ("https://as.example/authorize".to_owned(), expected.map(owned).into())
    );
}

#[test]
fn a_query_that_the_endpoint_has_is_kept() {
    let account = Account::of(&[CLIENT[0], (AUTHORIZE_URI, "https://as.example/a?tenant=x")]);
    let (_, pairs) = url(&paused(begin(&account)));
    assert_eq!(pairs[0], ("tenant".to_owned(), "x".to_owned()));
    assert_eq!(pairs[1].0, "response_type");
}

#[test]
fn the_pattern_cannot_replace_what_keeps_the_flow_safe() {
    let names = [
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "code_challenge",
        "code_challenge_method",
        "scope",
    ];
    for name in names {
        let field = ["pattern/oauth_config/extra_authorize_params/", name].concat();
        let refusal = begin(&account(&[(&field, "plain")])).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field.as_str()));
    }
}

#[test]
fn the_code_is_redeemed_with_its_verifier_and_ends_in_state() {
    let account = account(&[(REFRESH, "of another user"), ("state/scope", "old")]);
    let pause = paused(begin(&account));
    let fetch = fetched(came_back(&account, &pause, &[("state", "st&te"), ("code", "c/1")]));
    let verifier = pkce::verifier(&cx());
    let expected = [
        "grant_type=authorization_code&code=c%2F1&redirect_uri=",
        &form::encode(REDIRECT),
        "&code_verifier=",
        &verifier,
    ]
    .concat();
    assert_eq!(body(&fetch), expected);
    let answer = r#"{"access_token":"at","token_type":"Bearer","scope":"a","expires_in":600}"#;
    let state = done(answered(&account, &fetch, 200, answer));
    let expected =
        State::empty().secret("access_token", "at").attribute("scope", "a").expires_in(Some(600));
    assert_eq!(state, expected, "nothing of the state before is carried over");
}

#[test]
fn a_callback_that_is_not_this_flows_asks_no_token() {
    let account = account(&[("pattern/oauth_config/issuer", "https://as.example")]);
    let pause = paused(begin(&account));
    for (parameters, reason) in [
        (&[("state", "other"), ("code", "c")][..], Reason::Reauthorize),
        (&[("code", "c")], Reason::Reauthorize),
        (&[("state", "st&te")], Reason::Reauthorize),
        (
            &[("state", "st&te"), ("code", "c"), ("iss", "https://evil.example")],
            Reason::Reauthorize,
        ),
        (&[("state", "st&te"), ("error", "access_denied")], Reason::Denied),
    ] {
        assert_eq!(came_back(&account, &pause, parameters).unwrap_err().reason, reason);
    }
}

#[test]
fn a_cursor_that_does_not_read_back_is_refused() {
    let account = account(&[]);
    for cursor in ["", "step=", "step=callback", "step=callback&state=st", "step=%zz", "\u{0}"] {
        let event = Event::Callback(vec![("state".to_owned(), "st".to_owned())]);
        let refusal = OAuth::resume(&cx(), &account, &event, cursor.as_bytes()).unwrap_err();
        assert_eq!(refusal.reason, Reason::Reauthorize, "{cursor}");
    }
    let elapsed = OAuth::resume(&cx(), &account, &Event::Elapsed, b"step=refresh").unwrap_err();
    assert_eq!(elapsed.reason, Reason::Reauthorize);
}

#[test]
fn the_user_is_asked_for_only_where_the_pattern_wants_it() {
    let uri = (USER_INFO_URI, "https://as.example/me");
    for (values, asks) in [
        (vec![uri], false),
        (vec![(user_info::WANTED, "true")], false),
        (vec![uri, (user_info::WANTED, "false")], false),
        (vec![uri, (user_info::WANTED, "true")], true),
    ] {
        let account = account(&values);
        let pause = paused(begin(&account));
        let fetch = fetched(came_back(&account, &pause, &[("state", "st&te"), ("code", "c")]));
        let answer = r#"{"access_token":"a=t&","refresh_token":"rt","scope":"s","expires_in":60}"#;
        let step = answered(&account, &fetch, 200, answer);
        if !asks {
            done(step);
            continue;
        }
        let fetch = fetched(step);
        assert_eq!((fetch.request.method.as_str(), fetch.request.url.as_str()), ("GET", uri.1));
        assert_eq!(header(&fetch, "authorization"), Some("Bearer a=t&"));
        let who = r#"{"sub":"u1","email":"u@x.example","groups":["x"],"name":null}"#;
        let expected = State::empty()
            .secret("access_token", "a=t&")
            .secret("refresh_token", "rt")
            .attribute("scope", "s")
            .attribute("user_sub", "u1")
            .attribute("user_email", "u@x.example")
            .expires_in(Some(60));
        assert_eq!(done(answered(&account, &fetch, 200, who)), expected);
        for (status, body, reason) in [
            (401, "", Reason::Denied),
            (500, "", Reason::Unavailable),
            (200, "<html>", Reason::Unavailable),
        ] {
            let refusal = answered(&account, &fetch, status, body).unwrap_err();
            assert_eq!(refusal.reason, reason);
        }
    }
}
