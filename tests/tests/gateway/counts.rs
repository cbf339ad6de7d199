//! What a plugin counts for an account, with requests that come before the account was ever read.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use crate::scene::Scene;
use crate::upstream::{Seen, Upstream, whole};

const CHALLENGE: &str = r#"Digest realm="all", nonce="one-for-all", qop="auth", algorithm=SHA-256"#;

/// Answers each challenge with this one, and takes whatever answers it.
async fn digest() -> Upstream {
    Upstream::noting(|seen| {
        if seen.headers.contains_key(AUTHORIZATION) {
            return whole(200, "");
        }
        let mut reply = whole(401, "");
        reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        reply
    })
    .await
}

async fn provide(scene: &Scene, upstream: &Upstream) {
    let field = |name: &str| json!({"field_name": name, "required": true});
    let pattern = json!({"type": "DIGEST", "display_name": "d",
        "fields": [field("username"), field("password")]});
    let payload = json!({"display_name": "api", "proxy_enabled": true,
        "proxy_url": upstream.url("/"), "auth_patterns": [pattern]});
    scene.provide("api", &payload).await;
}

/// RFC 7616 section 3.4: a server refuses a count that it has seen, or counts backwards. A machine that
/// stalls for a second keeps nothing that it has read, and reads the account for each request: the
/// counts are the account's all the same.
#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_use_no_count_of_a_nonce_twice_whatever_is_kept_of_what_was_read() {
    for stalls in [false, true] {
        let scene = if stalls { Scene::stalled().await } else { Scene::new().await };
        let upstream = digest().await;
        provide(&scene, &upstream).await;
        let users: Vec<String> = (0..6).map(|nth| format!("u{nth}")).collect();
        for user in &users {
            let details = json!({"static_auth": {"details": {"username": user, "password": "p"}}});
            scene.account_of("api", user, details).await;
        }
        let mut counts = Vec::new();
        // First of accounts that nobody has read before.
        for _ in 0..2 {
            counts.extend(answered(&scene, &upstream, &users).await);
        }
        let mut once = BTreeSet::new();
        counts.retain(|it| !once.insert(it.clone()));
        assert_eq!(counts, [], "stalls: {stalls}");
    }
}

/// Eight requests at once for each account: whose answers came, and with which counts.
async fn answered(scene: &Scene, upstream: &Upstream, users: &[String]) -> Vec<(String, String)> {
    let requests = users
        .iter()
        .flat_map(|user| (0..8).map(move |_| scene.proxied_for("GET", "/x", "api", user).send()));
    for reply in join_all(requests).await {
        assert_eq!(reply.unwrap().status(), 200);
    }
    let counts: Vec<_> = upstream.take().iter().filter_map(count).collect();
    assert_eq!(counts.len(), users.len() * 8);
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
