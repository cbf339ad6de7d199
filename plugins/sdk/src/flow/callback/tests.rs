//! Callbacks in, codes or refusals out.

use super::*;
use crate::Reason;

fn check(values: &[(&str, &str)], parameters: &[(&str, &str)]) -> Result<String, Refusal> {
    let parameters: Vec<Entry> =
        parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    code(&Account::of(values), &parameters, "st").map(str::to_owned)
}

const STATE: (&str, &str) = ("state", "st");
const CODE: (&str, &str) = ("code", "c0de");
const ISS: (&str, &str) = (ISSUER, "https://as.example");
const SENT: (&str, &str) = (ISSUER_SENT, "true");

#[test]
fn the_code_of_this_flow_is_taken() {
    for (values, parameters) in [
        (vec![], vec![STATE, CODE]),
        (vec![], vec![STATE, CODE, ("iss", "https://other.example"), ("session_state", "x")]),
        (vec![ISS], vec![STATE, CODE]),
        (vec![ISS], vec![STATE, CODE, ("iss", "https://as.example")]),
        (vec![ISS, SENT], vec![("iss", "https://as.example"), CODE, STATE]),
    ] {
        assert_eq!(check(&values, &parameters).unwrap(), "c0de", "{parameters:?}");
    }
}

#[test]
fn a_callback_of_another_flow_or_issuer_is_refused_whatever_else_it_says() {
    for (values, parameters) in [
        (vec![], vec![CODE]),
        (vec![], vec![("state", ""), CODE]),
        (vec![], vec![("state", "other"), CODE]),
        (vec![], vec![("state", "other"), ("error", "access_denied")]),
        (vec![], vec![STATE, STATE, CODE]),
        (vec![], vec![STATE, CODE, ("code", "other")]),
        (vec![], vec![STATE]),
        (vec![], vec![STATE, ("code", "")]),
        (vec![ISS], vec![STATE, CODE, ("iss", "https://as.example/")]),
        (vec![ISS], vec![STATE, CODE, ("iss", "https://evil.example")]),
        (vec![ISS], vec![STATE, ("error", "access_denied"), ("iss", "https://evil.example")]),
        (vec![ISS, SENT], vec![STATE, CODE]),
        (vec![ISS, SENT], vec![STATE, CODE, ("iss", "")]),
    ] {
        let refusal = check(&values, &parameters).unwrap_err();
        assert_eq!(refusal.reason, Reason::Reauthorize, "{parameters:?}");
    }
}

#[test]
fn an_empty_state_token_matches_nothing() {
    let parameters = [("state".to_owned(), String::new()), ("code".to_owned(), "c".to_owned())];
    assert!(code(&Account::of(&[]), &parameters, "").is_err());
}

#[test]
fn an_issuer_that_must_be_sent_must_be_configured() {
    let refusal = check(&[SENT], &[STATE, CODE, ("iss", "https://as.example")]).unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidConfig);
    assert_eq!(refusal.field.as_deref(), Some(ISSUER));
}

#[test]
fn each_error_says_who_has_to_act() {
    for (error, reason) in [
        ("access_denied", Reason::Denied),
        ("server_error", Reason::Unavailable),
        ("temporarily_unavailable", Reason::Unavailable),
        ("invalid_scope", Reason::InvalidConfig),
        ("unauthorized_client", Reason::InvalidConfig),
        ("unsupported_response_type", Reason::InvalidConfig),
        ("login_required", Reason::Reauthorize),
        ("c4n4ry", Reason::Denied),
    ] {
        let refusal = check(&[], &[STATE, CODE, ("error", error)]).unwrap_err();
        assert_eq!(refusal.reason, reason, "{error}");
        assert!(!refusal.message.contains("c4n4ry"));
    }
}
