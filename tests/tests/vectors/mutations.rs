//! `auth_field_mutations`, the built-in three and custom ones, through the library.

use countersign::{Error, Subject};
use countersign_tests::world::{bundled_registry, get, no_egress};
use countersign_tests::{host, subject};
use serde_json::{Value as Json, json};

async fn authorization(subject: &std::sync::Arc<Subject>) -> Result<String, Error> {
    let host = host(bundled_registry(), no_egress(), subject);
    let request = host.prepare(subject, get("/")).await?;
    Ok(request.headers()["authorization"].to_str().unwrap().to_owned())
}

fn with(
    auth_type: &str,
    mutations: &Json,
    fields: &Json,
    account: &Json,
) -> std::sync::Arc<Subject> {
    let provider = json!({
        "display_name": "Mutated", "proxy_url": "https://api.example.com", "proxy_enabled": true,
        "auth_patterns": [{"type": auth_type, "fields": fields, "auth_field_mutations": mutations}],
    });
    let details = json!({"identifier": "u", "authorization_details": account});
    subject(&provider, &json!({}), &details)
}

fn typed(details: &Json) -> Json {
    json!({"static_auth": {"details": details}})
}

#[tokio::test]
async fn default_then_prefix_then_suffix_and_the_scheme_last() {
    let oauth = json!({"oauth_token": {"access_token": "at"}});
    for (auth_type, mutations, account, sent) in [
        (
            "API_KEY",
            json!({"api_key": {"prefix": "Klaviyo-API-Key "}}),
            typed(&json!({"api_key": "k"})),
            "Klaviyo-API-Key k",
        ),
        (
            "BASIC",
            json!({"password": {"default": "X"}}),
            typed(&json!({"username": "k"})),
            "Basic azpY",
        ),
        (
            "BASIC",
            json!({"password": {"default": "X"}}),
            typed(&json!({"username": "k", "password": ""})),
            "Basic azpY",
        ),
        (
            "BASIC",
            json!({"password": {"default": "X"}}),
            typed(&json!({"username": "k", "password": "p"})),
            "Basic azpw",
        ),
        (
            "BASIC",
            json!({"username": {"suffix": "/token"}}),
            typed(&json!({"username": "me", "password": "p"})),
            "Basic bWUvdG9rZW46cA==",
        ),
        (
            "BEARER",
            json!({"token": {"suffix": "-s", "prefix": "p-", "default": "d"}}),
            typed(&json!({"token": "t"})),
            "Bearer p-t-s",
        ),
        (
            "BEARER",
            json!({"token": {"suffix": "-s", "prefix": "p-", "default": "d"}}),
            typed(&json!({})),
            "Bearer p-d-s",
        ),
        ("OAUTH", json!({"token": {"prefix": "p-", "suffix": "-s"}}), oauth, "Bearer p-at-s"),
    ] {
        let subject = with(auth_type, &mutations, &json!([]), &account);
        assert_eq!(authorization(&subject).await.unwrap(), sent, "{auth_type} {mutations}");
    }
}

#[tokio::test]
async fn a_prefix_alone_is_no_credential() {
    let subject = with(
        "BEARER",
        &json!({"token": {"prefix": "p-"}}),
        &json!([]),
        &typed(&json!({"token": " "})),
    );
    let error = authorization(&subject).await.unwrap_err();
    assert_eq!((error.code(), error.field()), ("invalid_config", Some("account/token")));
}

#[tokio::test]
async fn a_custom_mutation_runs_after_the_built_in_three() {
    let mutations = json!({"api_key": {"prefix": "a", "suffix": "z", "mutation": "base64"}});
    let subject = with("API_KEY", &mutations, &json!([]), &typed(&json!({"api_key": "-"})));
    assert_eq!(authorization(&subject).await.unwrap(), "YS16");
}

#[tokio::test]
async fn a_mutation_that_there_is_not_lists_those_that_there_are() {
    let mutations = json!({"api_key": {"mutation": "rot13"}});
    let subject = with("API_KEY", &mutations, &json!([]), &typed(&json!({"api_key": "k"})));
    let error = authorization(&subject).await.unwrap_err();
    assert_eq!(error.code(), "mutation_unknown");
    assert_eq!(error.to_string(), "no component serves the mutation rot13; there are: base64");
}
