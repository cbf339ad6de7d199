//! Renewal and revocation.

use countersign_plugin::{Purpose, Reason};

use super::*;

fn renew(account: &Account) -> Result<Step, Refusal> {
    OAuth::begin(&cx(), account, &Purpose::Renew(Vec::new()))
}

/// RFC 6749, section 6.
#[test]
fn the_refresh_token_is_sent_by_the_client() {
    let fetch = fetched(renew(&account(&[(REFRESH, "r t")])));
    assert_eq!(fetch.request.url, "https://as.example/token");
    assert_eq!(body(&fetch), "grant_type=refresh_token&refresh_token=r+t");
    // base64("id:se%26cret")
    assert_eq!(header(&fetch, "authorization"), Some("Basic aWQ6c2UlMjZjcmV0"));
}

#[test]
fn a_new_refresh_token_replaces_the_old_one_which_else_is_kept() {
    for (answer, refresh) in [
        (r#"{"access_token":"new","refresh_token":"rotated","expires_in":3600}"#, "rotated"),
        (r#"{"access_token":"new","expires_in":"3600"}"#, "rt"),
        (r#"{"access_token":"new","expires_in":3600,"refresh_token":""}"#, "rt"),
    ] {
        let account = account(&[(REFRESH, "rt"), ("state/scope", "a b"), ("state/user_sub", "u1")]);
        let state = done(answered(&account, &fetched(renew(&account)), 200, answer));
        let expected = State::empty()
            .secret("access_token", "new")
            .secret("refresh_token", refresh)
            .attribute("scope", "a b")
            .attribute("user_sub", "u1")
            .expires_in(Some(3600));
        assert_eq!(state, expected);
        assert_eq!((state.renew_after, state.expires_after), (Some(3240), Some(3600)));
    }
}

#[test]
fn a_token_without_a_lifetime_does_not_expire() {
    let account = account(&[(REFRESH, "rt")]);
    let state =
        done(answered(&account, &fetched(renew(&account)), 200, r#"{"access_token":"new"}"#));
    assert_eq!((state.renew_after, state.expires_after), (None, None));
}

#[test]
fn attributes_that_the_pattern_names_are_kept_and_handed_on() {
    let values = [
        ("pattern/oauth_config/attributes/0", "instance_url"),
        ("pattern/oauth_config/attributes/1", "org"),
        ("pattern/oauth_config/attributes/2", "gone"),
        ("pattern/oauth_config/attributes/3", "nested"),
        ("pattern/oauth_config/attributes/4", "access_token"),
        ("pattern/oauth_config/attributes/5", "scope"),
        (REFRESH, "rt"),
        ("state/org", "old"),
        ("state/gone", "kept"),
    ];
    let account = account(&values);
    let answer = r#"{"access_token":"new","instance_url":"https://x.example","org":7,"nested":{}}"#;
    let state = done(answered(&account, &fetched(renew(&account)), 200, answer));
    let expected = [("instance_url", "https://x.example"), ("org", "7"), ("gone", "kept")];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    assert_eq!(state.attributes, expected.map(owned));
}

/// Row 13 of the known pitfalls: an odd answer changes nothing.
#[test]
fn an_odd_answer_is_a_refusal_and_never_half_a_state() {
    for (status, answer, reason) in [
        (200, r#"{"error":"invalid_grant"}"#, Reason::Reauthorize),
        (200, r#"{"error":"invalid_grant","access_token":"new"}"#, Reason::Reauthorize),
        (200, "{}", Reason::Unavailable),
        (200, "<html>", Reason::Unavailable),
        (200, r#"{"access_token":"new","expires_in":-5}"#, Reason::Unavailable),
        (200, r#"{"access_token":"new","token_type":"mac"}"#, Reason::InvalidConfig),
        (400, r#"{"error":"invalid_grant"}"#, Reason::Reauthorize),
        (401, r#"{"error":"invalid_client"}"#, Reason::InvalidConfig),
        (429, "", Reason::Unavailable),
        (503, "<html>", Reason::Unavailable),
    ] {
        let account = account(&[(REFRESH, "rt")]);
        let refusal = answered(&account, &fetched(renew(&account)), status, answer).unwrap_err();
        assert_eq!(refusal.reason, reason, "{status} {answer}");
    }
}

#[test]
fn no_answer_is_tried_again_later() {
    let account = account(&[(REFRESH, "rt")]);
    let fetch = fetched(renew(&account));
    let failed = Event::Failed("connection refused".to_owned());
    let refusal = OAuth::resume(&cx(), &account, &failed, &fetch.cursor).unwrap_err();
    assert_eq!(refusal.reason, Reason::Unavailable);
}

#[test]
fn what_renewal_lacks_is_named() {
    for (values, reason, field) in [
        (vec![], Reason::Reauthorize, REFRESH),
        (vec![(REFRESH, "rt")], Reason::InvalidConfig, TOKEN_URI),
        (
            vec![(REFRESH, "rt"), (TOKEN_URI, "https://as.example/token")],
            Reason::InvalidConfig,
            "connection/client_id",
        ),
    ] {
        let refusal = renew(&Account::of(&values)).unwrap_err();
        assert_eq!((refusal.reason, refusal.field.as_deref()), (reason, Some(field)));
    }
}

/// RFC 6749, section 4.4.
#[test]
fn client_credentials_need_no_user() {
    let grant = (GRANT_TYPE, "client_credentials");
    let all = "connection/scopes/0";
    for (values, form) in [
        (vec![grant], "grant_type=client_credentials"),
        (vec![grant, (REFRESH, "rt")], "grant_type=client_credentials"),
        (vec![grant, ("connection/scopes", "a b")], "grant_type=client_credentials&scope=a+b"),
        (
            vec![grant, (all, "a"), ("connection/scopes/1", "b")],
            "grant_type=client_credentials&scope=a+b",
        ),
    ] {
        let account = account(&values);
        let fetch = fetched(renew(&account));
        assert_eq!(body(&fetch), form);
        let answer = r#"{"access_token":"new","refresh_token":"none","expires_in":60}"#;
        let state = done(answered(&account, &fetch, 200, answer));
        assert_eq!(state, State::empty().secret("access_token", "new").expires_in(Some(60)));
    }
}

/// RFC 7009.
#[test]
fn the_token_is_given_back() {
    let revoke = |account: &Account| OAuth::begin(&cx(), account, &Purpose::Revoke);
    let url = (REVOCATION_URI, "https://as.example/revoke");
    for (values, form) in [
        (vec![url, (ACCESS, "at"), (REFRESH, "rt")], "token=rt&token_type_hint=refresh_token"),
        (vec![url, (ACCESS, "at")], "token=at&token_type_hint=access_token"),
    ] {
        let account = account(&values);
        let fetch = fetched(revoke(&account));
        assert_eq!((fetch.request.url.as_str(), body(&fetch)), (url.1, form));
        assert_eq!(done(answered(&account, &fetch, 200, "")), State::empty());
        let refusal = answered(&account, &fetch, 503, "").unwrap_err();
        assert_eq!(refusal.reason, Reason::Unavailable);
    }
    for values in [vec![url], vec![(ACCESS, "at"), (REFRESH, "rt")]] {
        assert_eq!(done(revoke(&account(&values))), State::empty());
    }
}

#[test]
fn setup_is_no_flow_of_this_plugin() {
    let refusal = OAuth::begin(&cx(), &account(&[]), &Purpose::Setup).unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidRequest);
}
