//! Row 4: a credential follows no redirect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use countersign::Countersign;
use countersign_cli::upstream::Upstream;
use countersign_hostile::{Guest, Part, Val, answer};
use countersign_tests::world::registry_of;
use countersign_tests::{Recorder, egress, sandbox};
use http::Response;
use http_body_util::{Empty, Full};
use serde_json::json;

use super::{HOST, account, bundled, payload};

const BODY_KEY: &str = "BODY_KEY";

/// A plugin that puts the credential into the body.
fn body_key() -> Vec<u8> {
    let needs = ["read account/token", "write body"];
    let about = r#"{"title":"Body key","version":"1"}"#;
    let descriptor = answer::descriptor(&[BODY_KEY], &[], &needs, about.into());
    let ready = answer::ready(vec![Val::of("set-body", [Part::Token])]);
    Guest::auth(descriptor).body("authorize", ready).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn row_04_no_redirect_is_followed_whatever_carries_the_credential() {
    let thief =
        Recorder::start("127.0.0.1:0", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let there = thief.address();
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    // `/base/CODE/NTH` is answered with that status, and a place to go.
    let destinations = [
        format!("http://{there}/"),
        format!("https://{there}/"),
        format!("//{there}/"),
        format!("https://{HOST}:{}/", there.port()),
        "/base/elsewhere".to_owned(),
    ];
    let targets = destinations.clone();
    let upstream = Upstream::start(&[HOST], move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        let mut segments = request.uri().path().split('/').skip(2).map(str::to_owned);
        let code: u16 = segments.next().and_then(|it| it.parse().ok()).unwrap_or(200);
        let nth: usize = segments.next().and_then(|it| it.parse().ok()).unwrap_or(0);
        let reply = Response::builder().status(code).header("location", targets[nth].as_str());
        async move { reply.body(Full::new(Bytes::new())).unwrap() }
    });
    let upstream = upstream.await.unwrap();
    let (registry, _folder) = registry_of(&[("body-key", body_key())]);
    let body_keys = Countersign::builder(sandbox(), registry, egress(&upstream, &[HOST])).build();
    let host = Countersign::builder(sandbox(), bundled().await, egress(&upstream, &[HOST])).build();

    let mut key_header = payload("API_KEY", &["api_key"]);
    key_header["auth_patterns"][0]["auth_header_key_override"] = "X-API-Key".into();
    let mut other_header = key_header.clone();
    other_header["auth_patterns"][0]["auth_header_key_override"] = "Api-Key".into();
    let placed = |place: &str| {
        let mut payload = payload("API_KEY", &["api_key"]);
        payload["auth_patterns"][0]["fields"][0][place] = "key".into();
        payload
    };
    let payloads = [
        payload("BEARER", &["token"]),
        key_header,
        other_header,
        placed("query_name"),
        placed("cookie_name"),
        payload(BODY_KEY, &["token"]),
    ];
    for payload in payloads {
        let in_body = payload["auth_patterns"][0]["type"] == BODY_KEY;
        let host = if in_body { &body_keys } else { &host };
        let account = account(&payload, &json!({"token": "t-1", "api_key": "k-1"}));
        for code in [301, 302, 303, 307, 308] {
            for (nth, place) in destinations.iter().enumerate() {
                let before = reached.load(Ordering::SeqCst);
                let request =
                    http::Request::get(format!("/{code}/{nth}")).body(Empty::<Bytes>::new());
                let reply = host.send(&account, request.unwrap()).await.unwrap();
                assert_eq!(reply.status(), code);
                assert_eq!(reply.headers()["location"], place.as_str());
                assert_eq!(reached.load(Ordering::SeqCst), before + 1, "sent once");
            }
        }
    }
    assert_eq!(thief.take(), "");
}
