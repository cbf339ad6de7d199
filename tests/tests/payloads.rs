//! The four payloads of the reference, untouched, over TLS to a real upstream.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use countersign_cli::upstream::Upstream;
use countersign_tests::{egress, header, host, json, registry, seen, subject};
use serde_json::{Value as Json, json};

fn details(details: &Json) -> Json {
    json!({"identifier": "u1", "authorization_details": {"static_auth": {"details": details}}})
}

#[tokio::test]
async fn each_untouched_payload_puts_its_credential_on_the_request() {
    let oauth = json!({"identifier": "u1", "authorization_details": {
        "oauth_token": {"access_token": "at-1", "refresh_token": "rt-1", "scopes": ["profile"]}}});
    for (payload, upstream_host, account, url, authorization) in [
        ("bearer", "api.example.com", details(&json!({"token": "t-1"})), "/v1/x?y=1", "Bearer t-1"),
        (
            "freshdesk",
            "yourcompany.freshdesk.com",
            details(&json!({"domain": "yourcompany.freshdesk.com", "username": "k-1"})),
            "/api/v1/x?y=1",
            "Basic ay0xOg==",
        ),
        (
            "attention",
            "api.attention.tech",
            details(&json!({"api_key": "k-2"})),
            "/v1/x?y=1",
            "k-2",
        ),
        ("asana", "app.asana.com", oauth, "/api/v1/x?y=1", "Bearer at-1"),
    ] {
        let upstream = Upstream::echo(&[upstream_host]).await.unwrap();
        let subject = subject(
            &json(&format!("tests/vectors/payloads/{payload}.json")),
            &json!({"client_id": "c", "client_secret": "s"}),
            &account,
        );
        let host = host(registry(None), egress(&upstream, &[upstream_host]), &subject);
        // Twice: the second answer is a remembered one.
        for _ in 0..2 {
            let seen = seen(&host, &subject, "/v1/x?y=1").await.unwrap();
            assert_eq!(header(&seen, "authorization"), [authorization], "{payload}");
            assert_eq!(seen["url"], url, "{payload}");
        }
    }
}
