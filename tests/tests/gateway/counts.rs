//! What a plugin counts for an account, with requests that come before the account was ever read.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use crate::scene::Scene;
use crate::upstream::{Seen, Upstream, whole};

const CHALLENGE: &str = r#"Digest realm="all", nonce="one-for-all", qop="auth", algorithm=SHA-256"#;

/// RFC 7616 section 3.4: a server refuses a count that it has seen, or counts backwards.
#[tokio::test(flavor = "multi_thread")]
async fn first_requests_at_once_use_no_count_of_a_nonce_twice() {
    let upstream = Upstream::noting(|seen| {
        if seen.headers.contains_key(AUTHORIZATION) {
            return whole(200, "");
        }
        let mut reply = whole(401, "");
        reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        reply
    })
    .await;
    let scene = Scene::new().await;
    let field = |name: &str| json!({"field_name": name, "required": true});
    let pattern = json!({"type": "DIGEST", "display_name": "d",
        "fields": [field("username"), field("password")]});
    let payload = json!({"display_name": "api", "proxy_enabled": true,
        "proxy_url": upstream.url("/"), "auth_patterns": [pattern]});
    scene.provide("api", &payload).await;
    // A machine that stalls for a second keeps nothing that it has read, and so no count either.
    let mut twice = Vec::new();
    for round in 0..5 {
        twice = used_twice(&scene, &upstream, round).await;
        if twice.is_empty() {
            return;
        }
    }
    panic!("{twice:?}");
}

/// Eight requests at once for each of six accounts that nobody has read before: whose count came
/// more than once.
async fn used_twice(scene: &Scene, upstream: &Upstream, round: u8) -> Vec<(String, String)> {
    let users: Vec<String> = (0..6).map(|nth| format!("u{round}-{nth}")).collect();
    for user in &users {
        let details = json!({"static_auth": {"details": {"username": user, "password": "p"}}});
        scene.account_of("api", user, details).await;
    }
    let requests = users
        .iter()
        .flat_map(|user| (0..8).map(move |_| scene.proxied_for("GET", "/x", "api", user).send()));
    for reply in join_all(requests).await {
        assert_eq!(reply.unwrap().status(), 200);
    }
    let mut counts: Vec<(String, String)> = upstream.take().iter().filter_map(count).collect();
    assert_eq!(counts.len(), 6 * 8);
    let mut once = BTreeSet::new();
    counts.retain(|it| !once.insert(it.clone()));
    counts
}

/// Whose answer it is, and with which count.
fn count(seen: &Seen) -> Option<(String, String)> {
    let answer = seen.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let parameter = |name: &str| {
        let found = answer.split([',', ' ']).find_map(|part| part.strip_prefix(name));
        Some(found?.trim_matches('"').to_owned())
    };
    Some((parameter("username=")?, parameter("nc=")?))
}
