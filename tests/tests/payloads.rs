//! The four payloads of the reference, untouched, over TLS to a real upstream.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use bytes::Bytes;
use countersign::needs::Needs;
use countersign::{Countersign, Settings};
use countersign_cli::upstream::Upstream;
use countersign_tests::{egress, header, host, json, registry, sandbox, seen, subject};
use serde_json::{Value as Json, json};

fn details(details: &Json) -> Json {
    json!({"identifier": "u1", "authorization_details": {"static_auth": {"details": details}}})
}

/// An operator's policy, in the words of the plugin's own needs.
#[tokio::test]
async fn a_plugin_has_no_more_of_its_needs_than_the_operator_lets_it_have() {
    let payload = json("tests/vectors/payloads/bearer.json");
    let subject = subject(&payload, &json!({}), &details(&json!({"token": "t-1"})));
    let upstream = Upstream::echo(&["api.example.com"]).await.unwrap();
    for (write, ended) in [("header/authorization", Ok(())), ("header/x-key", Err("edit_refused"))]
    {
        let needs = [("read", "account/token"), ("write", write)];
        let needs = needs.map(|(verb, object)| (verb.to_owned(), object.to_owned()));
        let mut settings = Settings::default();
        settings.policy.insert("BEARER".to_owned(), Needs::parse(&needs).unwrap());
        let egress = egress(&upstream, &["api.example.com"]);
        let host = Countersign::builder(sandbox(), registry(None), egress).settings(settings);
        let request = http::Request::get("/v1/x").body(http_body_util::Empty::<Bytes>::new());
        let prepared = host.build().prepare(&subject, request.unwrap()).await;
        assert_eq!(prepared.map(drop).map_err(|error| error.code()), ended, "{write}");
    }
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
