//! Answers of token endpoints in, tokens or refusals out.

use super::*;
use crate::Reason;

fn reply(status: u16, body: &str) -> HttpResponse {
    let headers = vec![("Retry-After".to_owned(), "17".to_owned())];
    HttpResponse { status, headers, body: body.as_bytes().to_vec() }
}

fn refused(status: u16, body: &str) -> Refusal {
    match Token::read(&reply(status, body)) {
        Ok(_) => panic!("{status} {body:.80} gave a token"),
        Err(refusal) => refusal,
    }
}

#[test]
fn a_whole_answer_is_a_token() {
    let body = r#"{"access_token":"at","refresh_token":"rt","token_type":"BeArEr",
                   "expires_in":3600,"scope":"a b","instance_url":"https://x.example"}"#;
    let token = Token::read(&reply(200, body)).unwrap();
    assert_eq!(token.access, "at");
    assert_eq!(token.refresh.as_deref(), Some("rt"));
    assert_eq!(token.expires_in, Some(3600));
    assert_eq!(token.scope.as_deref(), Some("a b"));
    assert_eq!(token.reply.text("instance_url"), Some("https://x.example"));
}

#[test]
fn what_may_be_missing_may_be_missing() {
    for body in [
        r#"{"access_token":"at"}"#,
        r#"{"access_token":"at","refresh_token":null,"expires_in":null,"scope":null}"#,
        r#"{"access_token":"at","refresh_token":""}"#,
        r#"{"access_token":"at","error":null}"#,
    ] {
        let token = Token::read(&reply(200, body)).unwrap();
        assert_eq!((token.refresh, token.expires_in, token.scope), (None, None, None), "{body}");
    }
}

#[test]
fn a_lifetime_is_taken_in_the_forms_that_servers_send() {
    for (lifetime, expected) in [
        ("3600", Some(3600)),
        ("\"3600\"", Some(3600)),
        ("\" 60 \"", Some(60)),
        ("3599.9", Some(3599)),
        ("1", Some(1)),
        ("99999999999999", Some(u32::MAX)),
        ("1e300", Some(u32::MAX)),
        ("0", None),
        ("\"0\"", None),
    ] {
        let body = ["{\"access_token\":\"at\",\"expires_in\":", lifetime, "}"].concat();
        let token = Token::read(&reply(200, &body)).unwrap();
        assert_eq!(token.expires_in, expected, "{lifetime}");
    }
}

/// Row 13 of the known pitfalls: nothing of an odd answer is used.
#[test]
fn an_odd_answer_is_refused_whole() {
    let huge = ["{\"access_token\":\"", &"a".repeat(17 * 1024), "\"}"].concat();
    let long = ["{\"access_token\":\"at\",\"x\":\"", &"a".repeat(256 * 1024), "\"}"].concat();
    for body in [
        "",
        "<html><body>Sign in</body></html>",
        "access_token=at&token_type=bearer",
        "{}",
        "[]",
        r#"{"access_token":null}"#,
        r#"{"access_token":""}"#,
        r#"{"access_token":7}"#,
        r#"{"access_token":["at"]}"#,
        r#"{"access_token":"a\r\nX: y"}"#,
        r#"{"access_token":"at","access_token":"other"}"#,
        r#"{"access_token":"at","refresh_token":7}"#,
        r#"{"access_token":"at","expires_in":-1}"#,
        r#"{"access_token":"at","expires_in":"-1"}"#,
        r#"{"access_token":"at","expires_in":-0.5}"#,
        r#"{"access_token":"at","expires_in":"soon"}"#,
        r#"{"access_token":"at","expires_in":""}"#,
        r#"{"access_token":"at","expires_in":true}"#,
        r#"{"access_token":"at","error":{"message":"no"}}"#,
        &huge,
        &long,
    ] {
        assert_eq!(refused(200, body).reason, Reason::Unavailable, "{body:.80}");
    }
}

#[test]
fn a_token_of_another_type_is_a_matter_of_configuration() {
    for kind in ["mac", "DPoP", "N_A", ""] {
        let body = ["{\"access_token\":\"at\",\"token_type\":\"", kind, "\"}"].concat();
        assert_eq!(refused(200, &body).reason, Reason::InvalidConfig, "{kind}");
    }
}

#[test]
fn each_error_says_who_has_to_act() {
    use Reason::{Denied, InvalidConfig, Reauthorize, Unavailable};

    for (status, body, reason, field) in [
        (400, r#"{"error":"invalid_grant"}"#, Reauthorize, Some("state/refresh_token")),
        (200, r#"{"error":"invalid_grant"}"#, Reauthorize, Some("state/refresh_token")),
        (
            200,
            r#"{"error":"invalid_grant","access_token":"at"}"#,
            Reauthorize,
            Some("state/refresh_token"),
        ),
        (401, r#"{"error":"invalid_client"}"#, InvalidConfig, Some("connection/client_id")),
        (400, r#"{"error":"unauthorized_client"}"#, InvalidConfig, Some("connection/client_id")),
        (400, r#"{"error":"invalid_scope"}"#, InvalidConfig, Some("connection/scopes")),
        (
            400,
            r#"{"error":"invalid_request"}"#,
            InvalidConfig,
            Some("pattern/oauth_config/token_uri"),
        ),
        (
            400,
            r#"{"error":"unsupported_grant_type"}"#,
            InvalidConfig,
            Some("pattern/oauth_config/token_uri"),
        ),
        (302, "", InvalidConfig, Some("pattern/oauth_config/token_uri")),
        (404, "<html>", InvalidConfig, Some("pattern/oauth_config/token_uri")),
        (400, r#"{"error":"temporarily_unavailable"}"#, Unavailable, None),
        (400, r#"{"error":"something_else"}"#, Denied, None),
        (403, "<html>", Denied, None),
        (400, r#"{"access_token":"at"}"#, Denied, None),
        (429, r#"{"error":"invalid_grant"}"#, Unavailable, None),
        (500, r#"{"error":"invalid_grant"}"#, Unavailable, None),
        (503, "", Unavailable, None),
    ] {
        let refusal = refused(status, body);
        assert_eq!(refusal.reason, reason, "{status} {body}");
        assert_eq!(refusal.field.as_deref(), field, "{status} {body}");
        assert_eq!(refusal.retry_after, Some(17));
    }
}

#[test]
fn only_registered_error_codes_are_repeated() {
    assert!(refused(400, r#"{"error":"invalid_grant"}"#).message.contains("invalid_grant"));
    for (status, body) in [
        (400, r#"{"error":"c4n4ry"}"#),
        (400, r#"{"error":"invalid_grant","error_description":"c4n4ry"}"#),
        (400, "c4n4ry"),
        (500, "c4n4ry"),
        (200, r#"{"c4n4ry":1}"#),
        (200, r#"{"access_token":"at","expires_in":"c4n4ry"}"#),
        (200, r#"{"access_token":"at","token_type":"c4n4ry"}"#),
    ] {
        assert!(!refused(status, body).message.contains("c4n4ry"), "{status} {body}");
    }
}

#[test]
fn a_retry_after_that_is_a_date_is_passed_over() {
    let mut reply = reply(503, "");
    reply.headers[0].1 = "Wed, 21 Oct 2026 07:28:00 GMT".to_owned();
    assert_eq!(error(&reply).retry_after, None);
}
