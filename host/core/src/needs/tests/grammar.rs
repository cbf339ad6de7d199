//! What a need may be written as, and what is refused.

use super::*;

#[test]
fn every_object_of_the_contract_is_read() {
    for need in [
        "read provider/proxy_url",
        "read pattern/oauth_config",
        "read pattern/fields/*/header_name",
        "read connection/client_id",
        "read shared/token_endpoint",
        "read account/token",
        "read account/{pattern/fields/*/field_name}",
        "read state/refresh_token",
        "read grant/login_hint",
        "read header/x-amz-*",
        "read query/key",
        "read cookie/session",
        "read path",
        "read origin",
        "read body",
        "read body/sha-256",
        "read reply/body",
        "read reply/header/www-authenticate",
        "write header/authorization",
        "write header/X-API-Key",
        "write header/{pattern/auth_header_key_override}",
        "write header/{pattern/headers/*/name}",
        "write query/api_key",
        "write cookie/session",
        "write path",
        "write origin",
        "write body",
        "write state/access_token",
        "write shared/client_id",
        "write client-certificate",
        "write client-certificate/account/key",
        "write client-certificate/connection/*_key",
        "write client-certificate/account/{pattern/key_field}",
        "write own-connection",
        "fetch pattern/oauth_config/token_uri",
        "fetch shared/token_endpoint",
        "visit pattern/oauth_config/authorize_uri",
        "send bare",
    ] {
        let parsed = Needs::parse(&entries(&[need])).unwrap_or_else(|e| panic!("{need}: {e}"));
        let (verb, object) = parsed.entries().next().unwrap();
        assert_eq!(format!("{verb} {object}"), need);
    }
}

#[test]
fn a_verb_that_is_not_known_is_refused() {
    for need in ["own everything", "READ account/token", " account/token", "* path"] {
        assert!(matches!(refused(need), NeedsError::UnknownVerb(_)), "{need}");
    }
}

#[test]
fn an_object_that_the_verb_does_not_have_is_refused() {
    for need in [
        "read moon/light",
        "read ",
        "read *",
        "read accounts/token",
        "read reply",
        "read reply/status",
        "read client-certificate",
        "read own-connection",
        "read bare",
        "read {pattern/x}",
        "write account/token",
        "write pattern/type",
        "write provider/proxy_url",
        "write connection/client_id",
        "write grant/hint",
        "write reply/body",
        "write reply/header/date",
        "write bare",
        "fetch https://evil.example/",
        "fetch account/url",
        "fetch grant/url",
        "fetch header/location",
        "fetch path",
        "fetch {state/instance_url}",
        "visit everywhere",
        "visit account/url",
        "send spam",
        "send path",
    ] {
        assert!(matches!(refused(need), NeedsError::UnknownObject { .. }), "{need}");
    }
}

#[test]
fn a_malformed_object_is_refused() {
    for need in [
        "read account//token",
        "read account/token/",
        "read account/",
        "read account/to ken",
        "read account/token\nwrite body",
        "read account/a*b*c",
        "read account/**",
        "read account/{pattern/x",
        "read account/pattern/x}",
        "read account/{{pattern/x}}",
        "read account/{pattern/a}{pattern/b}",
        "read account/x-{pattern/x}",
        "read account/{pattern/x}-x",
        "read account/{pattern/a}/{pattern/b}",
        "read account/{pattern//b}",
        "read account/{pattern}",
        "read account/{pattern/}",
        "write header/",
        "write header/a/b",
        "write header/a:b",
        "write header/:authority",
        "write header/a:*",
        "write header/x-*(",
        "write header/ä",
        "write cookie/a=b",
        "write cookie/a;*",
        "write query/a/b",
        "write path/below",
        "write body/sha-256",
        "write own-connection/x",
        "write client-certificate/",
        "write client-certificate/*/key",
        "write client-certificate/{pattern/x}/key",
        "write client-certificate/shared/key",
        "write client-certificate/pattern/key",
        "read path/below",
        "read body/sha-256/x",
        "read reply/body/x",
        "send bare/x",
    ] {
        assert!(matches!(refused(need), NeedsError::Malformed { .. }), "{need}: {}", refused(need));
    }
    let long = |n: usize| format!("read account/{}", "a".repeat(n - "account/".len()));
    assert!(Needs::parse(&entries(&[&long(256)])).is_ok());
    assert!(matches!(refused(&long(257)), NeedsError::Malformed { .. }));
}

#[test]
fn a_need_for_everything_is_refused() {
    for need in [
        "read account",
        "read account/*",
        "read account/*/x",
        "read state/*",
        "read header",
        "read header/*",
        "read header/*-key",
        "read reply/header/*",
        "read body/*",
        "read body/sha-*",
        "read account/{pattern/*}",
        "write header",
        "write header/*",
        "write query/*",
        "write cookie/*",
        "write state",
        "write state/*",
        "write client-certificate/account",
        "write client-certificate/account/*",
        "fetch pattern",
        "fetch pattern/*",
    ] {
        assert!(matches!(refused(need), NeedsError::Everything(_)), "{need}: {}", refused(need));
    }
}

#[test]
fn a_reference_to_what_an_account_or_a_reply_chose_is_refused() {
    for root in ["account", "state", "shared", "grant", "header", "query", "moon", "reply/header"] {
        let need = format!("write header/{{{root}/name}}");
        assert!(matches!(refused(&need), NeedsError::Reference(_)), "{need}");
    }
}

#[test]
fn more_needs_than_any_plugin_has_are_refused() {
    assert!(Needs::parse(&entries(&["read account/token"; 256])).is_ok());
    let many = entries(&["read account/token"; 257]);
    assert_eq!(Needs::parse(&many).unwrap_err(), NeedsError::TooMany);
}

#[test]
fn what_an_error_quotes_is_one_short_line() {
    let long = format!("read moon/\u{1b}\n{}", "x".repeat(500));
    for text in [refused(&long).to_string(), refused(&format!("a\n{long}")).to_string()] {
        assert!(!text.contains(char::is_control) && text.len() < 200, "{text}");
    }
}
