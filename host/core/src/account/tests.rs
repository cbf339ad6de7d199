//! Both forms of an account, and its state.

use serde_json::json;

use super::*;
use crate::secret::MASK;

fn parse(json: &Json) -> Account {
    Account::parse(json).unwrap_or_else(|problems| panic!("{problems}"))
}

fn typed(account: &Account) -> Vec<(&str, &str)> {
    account.values().map(|(name, value)| (name, value.expose())).collect()
}

#[test]
fn a_static_account_is_what_its_holder_typed() {
    let account = parse(&json!({"identifier": "u1", "authorization_details": {"static_auth": {
        "details": {
            "username": "me", "port": 8443, "sandbox": true, "none": null,
            "path_variables": {"tenant": "t1"}
        }
    }}}));
    assert_eq!(account.identifier(), "u1");
    assert_eq!(account.status(), Status::Active);
    assert_eq!(
        typed(&account),
        [("port", "8443"), ("sandbox", "true"), ("tenant", "t1"), ("username", "me")]
    );
    assert!(account.state().is_none());
}

#[test]
fn an_oauth_account_brings_its_first_state() {
    let account = parse(&json!({
        "identifier": "u1",
        "authorization_details": {
            "oauth_token": {
                "access_token": "at", "refresh_token": "rt", "scopes": ["a", "b"],
                "token_type": "Bearer", "id_token": ""
            },
            "token_expires_at": "2026-01-02T03:04:05.678Z"
        },
        "api_config": {"domain": "d", "path_variables": {"version": 2}}
    }));
    assert_eq!(account.status(), Status::Active);
    assert_eq!(typed(&account), [("domain", "d"), ("version", "2")]);
    let state = account.state().unwrap();
    assert_eq!(
        state.to_json(true),
        json!({
            "secrets": {"access_token": "at", "refresh_token": "rt"},
            "attributes": {"scope": "a b", "token_type": "Bearer"},
            "expires_at": "2026-01-02T03:04:05.678Z", "version": 0
        })
    );
    assert_eq!(state.expires_at, Some(1_767_323_045_678));
    assert!(!state.is_expired(1_767_323_045_677));
    assert!(state.is_expired(1_767_323_045_678));
}

#[test]
fn the_expiry_may_stand_beside_the_details() {
    let account = parse(&json!({
        "identifier": "u1", "token_expires_at": "1960-01-01T00:00:00Z",
        "authorization_details": {"oauth_token": {"access_token": "at", "domain": "d"}}
    }));
    assert_eq!(account.state().unwrap().expires_at, Some(0));
    assert_eq!(typed(&account), [("domain", "d")]);
}

#[test]
fn without_credentials_an_account_waits_for_its_holder() {
    for details in [
        json!(null),
        json!({"oauth_token": {}}),
        json!({"oauth_token": {"access_token": "", "scopes": ["a"], "token_type": "Bearer"}}),
        json!({"static_auth": {"details": {}}}),
    ] {
        let json = json!({
            "identifier": "u1", "authorization_details": details, "api_config": {"a": "b"}
        });
        assert_eq!(parse(&json).status(), Status::PendingAuth, "{details}");
    }
    let given = json!({"identifier": "u1", "status": "DISCONNECTED"});
    assert_eq!(parse(&given).status(), Status::Disconnected);
}

#[test]
fn each_thing_wrong_is_named_and_no_value_told() {
    let details = |details: Json| json!({"identifier": "u1", "authorization_details": details});
    let statics = |values: Json| details(json!({"static_auth": {"details": values}}));
    let token = |token: Json| details(json!({"oauth_token": token}));
    let at = "authorization_details.static_auth.details";
    let cases: Vec<(Json, Vec<String>)> = vec![
        (json!("canary"), vec![String::new()]),
        (json!({"status": "canary"}), vec!["identifier".into(), "status".into()]),
        (json!({"identifier": "canary\n"}), vec!["identifier".into()]),
        (json!({"identifier": "canary".repeat(40)}), vec!["identifier".into()]),
        (details(json!({})), vec!["authorization_details".into()]),
        (
            details(json!({"oauth_token": {}, "static_auth": {"details": {}}})),
            vec!["authorization_details".into()],
        ),
        (details(json!({"static_auth": {}})), vec![at.into()]),
        (details(json!({"static_auth": {"details": "canary"}})), vec![at.into()]),
        (
            statics(json!({"a": {"canary": 1}, "b": ["canary"]})),
            vec![format!("{at}.a"), format!("{at}.b")],
        ),
        (statics(json!({"a": "canary\0"})), vec![format!("{at}.a")]),
        (statics(json!({"a/b": "canary"})), vec![format!("{at}.a/b")]),
        (
            statics(json!({"a": "canary", "path_variables": {"a": "canary"}})),
            vec![format!("{at}.path_variables.a")],
        ),
        (
            token(json!({"access_token": "canary\r\nX: y"})),
            vec!["authorization_details.oauth_token.access_token".into()],
        ),
        (
            token(json!({"refresh_token": ["canary"]})),
            vec!["authorization_details.oauth_token.refresh_token".into()],
        ),
        (
            details(json!({"oauth_token": {}, "token_expires_at": "canary"})),
            vec!["authorization_details.token_expires_at".into()],
        ),
        (json!({"identifier": "u1", "api_config": ["canary"]}), vec!["api_config".into()]),
    ];
    for (json, expected) in cases {
        let Err(problems) = Account::parse(&json) else { panic!("{json}") };
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.clone()).collect();
        assert_eq!(paths, expected, "{json}");
        assert!(!format!("{problems} {problems:?}").contains("canary"), "{problems}");
    }
}

#[test]
fn a_state_is_masked_unless_revealed_and_reads_back() {
    let json = json!({
        "secrets": {"access_token": "at"}, "attributes": {"scope": "a"},
        "renew_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T01:00:00Z", "version": 7
    });
    let state = State::parse(&json).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(state.to_json(true), json);
    assert_eq!(state.to_json(false)["secrets"], json!({"access_token": MASK}));
    for (json, path) in [
        (json!({"secrets": {"a": []}}), "secrets.a"),
        (json!({"secrets": "x"}), "secrets"),
        (json!({"renew_at": "soon"}), "renew_at"),
        (json!({"version": -1}), "version"),
    ] {
        let Err(problems) = State::parse(&json) else { panic!("{json}") };
        assert_eq!(problems.iter().next().unwrap().path, path);
    }
}

#[test]
fn a_status_has_one_spelling() {
    for status in Status::ALL {
        assert_eq!(status.to_string().parse(), Ok(status));
    }
    assert_eq!("active".parse::<Status>(), Err(UnknownStatus));
}

#[test]
fn a_state_is_the_same_as_one_that_differs_in_its_version_alone() {
    let state = State::parse(&json!({
        "secrets": {"a": "1"}, "attributes": {"b": "2"}, "expires_at": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    assert!(state.holds_the_same(&State { version: 9, ..state.clone() }));
    let secrets = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), Secret::from(*text))).collect()
    };
    for other in [
        State { secrets: secrets(&[("a", "2")]), ..state.clone() },
        State { secrets: secrets(&[("c", "1")]), ..state.clone() },
        State { secrets: secrets(&[("a", "1"), ("c", "1")]), ..state.clone() },
        State { attributes: BTreeMap::new(), ..state.clone() },
        State { expires_at: None, ..state.clone() },
        State { renew_at: Some(1), ..state.clone() },
    ] {
        assert!(!state.holds_the_same(&other));
    }
}
