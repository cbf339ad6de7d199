//! The request path.

use countersign_plugin::{Edit, Reason};

use super::*;

fn authorize(values: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    OAuth::authorize(&cx(), &account(values), None, &[])
}

const BEARER: &str = "Bearer at";

#[test]
fn a_valid_token_is_sent() {
    let sent = || Edit::header("authorization", BEARER);
    let later = "1800000000001";
    let refreshable = (REFRESH, "rt");
    for (values, expected) in [
        (vec![(TOKEN, "at")], Ready::lasting(vec![sent()])),
        (vec![(TOKEN, "at"), (EXPIRES_AT, later)], Ready::lasting(vec![sent()])),
        (vec![(TOKEN, "at"), refreshable], Ready::lasting(vec![sent()]).watch(401)),
        (
            vec![(TOKEN, "at"), (countersign_plugin::header::OVERRIDE, "X-Auth")],
            Ready::lasting(vec![Edit::header("X-Auth", BEARER)]),
        ),
        (
            vec![
                (TOKEN, "at"),
                ("pattern/fields/0/field_name", "dev"),
                ("pattern/fields/0/header_name", "X-Dev"),
                ("account/dev", "d"),
                ("pattern/account_fields/0/field_name", "tenant"),
                ("pattern/account_fields/0/query_name", "tenant"),
                ("account/tenant", "t"),
            ],
            Ready::lasting(vec![sent(), Edit::header("X-Dev", "d"), Edit::query("tenant", "t")]),
        ),
    ] {
        assert_eq!(authorize(&values).unwrap(), expected.into(), "{values:?}");
    }
}

#[test]
fn a_stale_or_missing_token_asks_for_renewal() {
    let by_client = (GRANT_TYPE, "client_credentials");
    for values in [
        vec![(REFRESH, "rt")],
        vec![(TOKEN, ""), (REFRESH, "rt")],
        vec![(TOKEN, "at"), (REFRESH, "rt"), (EXPIRES_AT, "1800000000000")],
        vec![(TOKEN, "at"), (REFRESH, "rt"), (EXPIRES_AT, "0")],
        vec![(TOKEN, "at"), (REFRESH, "rt"), (EXPIRES_AT, "never")],
        vec![by_client],
        vec![by_client, (TOKEN, "at"), (EXPIRES_AT, "1")],
    ] {
        assert_eq!(authorize(&values).unwrap(), Outcome::Renew(Vec::new()), "{values:?}");
    }
}

#[test]
fn with_nothing_to_renew_with_the_user_has_to_authorize() {
    for values in [
        vec![],
        vec![(REFRESH, "")],
        vec![(TOKEN, "at"), (EXPIRES_AT, "1")],
        vec![(GRANT_TYPE, "authorization_code")],
    ] {
        let refusal = authorize(&values).unwrap_err();
        assert_eq!(refusal.reason, Reason::Reauthorize);
        assert_eq!(refusal.field.as_deref(), Some(REFRESH));
    }
}

#[test]
fn a_rejected_token_is_renewed_where_it_can_be() {
    for (status, values, next) in [
        (401, vec![(REFRESH, "rt")], Reaction::renew()),
        (401, vec![(GRANT_TYPE, "client_credentials")], Reaction::renew()),
        (401, vec![], Reaction::deliver()),
        (403, vec![(REFRESH, "rt")], Reaction::deliver()),
    ] {
        let reply = HttpResponse { status, headers: Vec::new(), body: Vec::new() };
        assert_eq!(OAuth::replied(&cx(), &account(&values), &reply, &[]).unwrap(), next);
    }
}

#[test]
fn it_asks_leave_for_what_it_uses() {
    let descriptor = OAuth::descriptor();
    assert_eq!(descriptor.auth_types, ["OAUTH"]);
    assert_eq!(descriptor.flows, ["grant", "renew", "revoke"]);
    for need in
        [("fetch", TOKEN_URI), ("visit", AUTHORIZE_URI), ("write", REFRESH), ("read", TOKEN)]
    {
        let need = (need.0.to_owned(), need.1.to_owned());
        assert!(descriptor.needs.contains(&need), "{need:?}");
    }
}
