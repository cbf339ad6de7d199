//! What a connection holds, and what is secret in it.

use serde_json::json;

use super::*;

#[test]
fn settings_are_values_and_secrets_have_their_type() {
    let connection = Connection::parse(&json!({
        "name": "acme", "type": "OAUTH", "client_id": "id-1", "client_secret": "s3cret",
        "scopes": ["a", "b"], "redirect_uri": "https://gw.test/cb", "pkce_enabled": true,
        "retries": 3, "nothing": null, "token_endpoint_auth_method": "client_secret_basic",
        "extra_authorize_params": {"prompt": "consent"}, "developer_token": "dev",
        "private_key": "-----BEGIN\nEND-----", "keys": [{"password": "p"}]
    }))
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(connection.name(), Some("acme"));
    assert_eq!(connection.pattern(), Some("OAUTH"));
    let values = connection.values();
    let found: Vec<_> = values
        .iter()
        .map(|(name, value)| (name, value.expose(), value.as_secret().is_some()))
        .collect();
    assert_eq!(
        found,
        [
            ("connection/client_id", "id-1", false),
            ("connection/client_secret", "s3cret", true),
            ("connection/developer_token", "dev", true),
            ("connection/extra_authorize_params/prompt", "consent", false),
            ("connection/keys/0/password", "p", true),
            ("connection/pkce_enabled", "true", false),
            ("connection/private_key", "-----BEGIN\nEND-----", true),
            ("connection/redirect_uri", "https://gw.test/cb", false),
            ("connection/retries", "3", false),
            ("connection/scopes", "a b", false),
            ("connection/token_endpoint_auth_method", "client_secret_basic", false),
        ]
    );
}

#[test]
fn the_pattern_is_named_before_the_type() {
    let connection = json!({"auth_pattern": "Bot", "type": "BEARER", "scopes": "a b"});
    let connection = Connection::parse(&connection).ok().unwrap();
    assert_eq!(connection.pattern(), Some("Bot"));
    assert_eq!(connection.values().text("connection/scopes"), Some("a b"));
    assert_eq!(connection.version(), 0);
    assert_eq!(connection.with_version(4).version(), 4);
}

#[test]
fn row_5_a_line_break_in_a_setting_is_refused_without_telling_it() {
    let cases = [
        (json!([]), ""),
        (json!({"name": 1}), "name"),
        (json!({"type": []}), "type"),
        (json!({"scopes": [1]}), "scopes[0]"),
        (json!({"scopes": {}}), "scopes"),
        (json!({"scopes": ["canary\r\nx"]}), "scopes"),
        (json!({"client_id": "canary\n"}), "client_id"),
        (json!({"client_secret": "canary\r"}), "client_secret"),
        (json!({"redirect_uri": "https://canary\0"}), "redirect_uri"),
        (json!({"private_key": "canary\0"}), "private_key"),
        (json!({"params": {"prompt": "canary\n"}}), "params.prompt"),
    ];
    for (json, path) in cases {
        let Err(problems) = Connection::parse(&json) else { panic!("{json}") };
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, [path], "{json}");
        assert!(!format!("{problems} {problems:?}").contains("canary"));
    }
}

#[test]
fn a_client_secret_that_is_no_text_is_refused_without_telling_it() {
    for secret in [json!(["canary"]), json!({"canary": "canary"}), json!(7), json!(true)] {
        let json = json!({"client_id": "c", "client_secret": secret});
        let Err(problems) = Connection::parse(&json) else { panic!("{json}") };
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["client_secret"], "{json}");
        assert!(!format!("{problems} {problems:?}").contains("canary"));
    }
    assert!(Connection::parse(&json!({"client_secret": null})).is_ok(), "that is none");
}
