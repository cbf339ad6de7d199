//! Row 12 of the known pitfalls, within one process: many requests, one refresh token.

use std::sync::Arc;
use std::time::Duration;

use countersign::{Countersign, Settings};
use countersign_tests::token_server::{API, LOGIN, Oddity};
use countersign_tests::world::{bundled_registry, status};
use countersign_tests::{egress, subject};
use serde_json::json;
use tokio::task::JoinSet;

use crate::scene::{Scene, connection, provider};

const REQUESTS: usize = 200;

/// Begins so many requests at once.
fn burst(scene: &Scene, count: usize) -> JoinSet<Result<u16, String>> {
    let mut requests = JoinSet::new();
    for _ in 0..count {
        let (host, subject) = (scene.host.clone(), Arc::clone(&scene.subject));
        requests.spawn(async move {
            let reply = status(&host, &subject, "/things").await;
            reply.map(|(code, _)| code).map_err(|error| error.code().to_owned())
        });
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn pitfall_12_two_hundred_requests_at_expiry_make_one_renewal() {
    let scene = Scene::new().await;
    scene.expire();
    let codes = burst(&scene, REQUESTS).join_all().await;
    assert!(codes.iter().all(|code| *code == Ok(200)), "{codes:?}");
    assert_eq!(scene.server.token_calls(), 1);
    assert!(!scene.server.saw_reuse());
}

#[tokio::test]
async fn pitfall_12_a_leader_who_is_cancelled_loses_nothing() {
    let scene = Scene::new().await;
    scene.expire();
    scene.server.hold();
    let mut leader = burst(&scene, 1);
    scene.server.asked(1).await;
    leader.abort_all();
    while leader.join_next().await.is_some() {}
    scene.server.release();
    // The server has used up the old refresh token: only the stored new one can work.
    assert_eq!(scene.get().await.unwrap(), 200);
    scene.expire();
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.server.token_calls(), 2);
    assert!(!scene.server.saw_reuse());
}

#[tokio::test]
async fn pitfall_12_a_renewal_that_fails_is_shared_and_not_repeated() {
    let scene = Scene::new().await;
    scene.expire();
    scene.server.turn(Oddity::Says(503, ""));
    scene.server.hold();
    let requests = burst(&scene, REQUESTS);
    scene.server.asked(1).await;
    // The state was read for each of them; what is left is to wait for the renewal.
    while scene.store.reads() < REQUESTS {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    scene.server.release();
    let codes = requests.join_all().await;
    assert!(codes.iter().all(|code| *code == Err("unavailable".to_owned())), "{codes:?}");
    assert_eq!(scene.server.token_calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_rejected_together_are_sent_again_after_one_renewal() {
    let scene = Scene::new().await;
    scene.server.reject(&scene.tokens.access);
    scene.server.hold();
    let requests = burst(&scene, 50);
    // All are rejected before the one renewal is answered.
    while scene.server.events().lock().unwrap().iter().filter(|it| *it == "api 401").count() < 50 {
        tokio::task::yield_now().await;
    }
    scene.server.release();
    let codes = requests.join_all().await;
    assert!(codes.iter().all(|code| *code == Ok(200)), "{codes:?}");
    assert_eq!(scene.server.token_calls(), 1);
}

/// Another host around the scene's store.
fn other_host(scene: &Scene) -> Countersign {
    crate::scene::host(
        bundled_registry(),
        egress(scene.server.upstream(), &[API, LOGIN]),
        &scene.store,
        &scene.clock,
        Settings::default(),
    )
}

/// Two hosts around one store share no renewal, only the claim: as two processes do.
#[tokio::test(flavor = "multi_thread")]
async fn pitfall_12_two_hosts_of_one_store_make_one_renewal() {
    let scene = Scene::new().await;
    scene.expire();
    let other = other_host(&scene);
    scene.server.hold();
    let first = burst(&scene, 1);
    scene.server.asked(1).await;
    let reads = scene.store.reads();
    let subject = Arc::clone(&scene.subject);
    let second = tokio::spawn(async move { status(&other, &subject, "/things").await });
    while scene.store.reads() == reads {
        tokio::task::yield_now().await;
    }
    scene.server.release();
    assert_eq!(first.join_all().await, [Ok(200)]);
    assert_eq!(second.await.unwrap().unwrap().0, 200);
    assert_eq!(scene.server.token_calls(), 1);
    assert!(!scene.server.saw_reuse());
}

/// It may be the very state that is being renewed which a request has found wanting.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_seen_a_newer_state_does_not_wait_for_the_renewal_of_an_older_one() {
    let scene = Scene::new().await;
    scene.expire();
    scene.server.hold();
    let first = burst(&scene, 1);
    scene.server.asked(1).await;
    // Another node's state, as stale as this one.
    let tokens = scene.server.issue();
    let account = json!({"identifier": "user-1", "authorization_details": {
        "oauth_token": {"access_token": tokens.access, "refresh_token": tokens.refresh},
        "token_expires_at": "2001-01-01T00:00:00Z"}});
    scene.store.seed(&subject(&provider(), &connection(), &account));
    let second = burst(&scene, 1);
    // Time to come to its renewal; with less, it would wait for nothing in any case.
    tokio::time::sleep(Duration::from_millis(100)).await;
    scene.server.release();
    assert_eq!(second.join_all().await, [Ok(200)]);
    assert_ne!(first.join_all().await, [Ok(200)], "what it renewed is not the newest");
}

#[tokio::test]
async fn what_failed_for_one_host_is_tried_by_another_at_once() {
    let scene = Scene::new().await;
    scene.expire();
    scene.server.turn(Oddity::Says(503, ""));
    assert!(scene.get().await.is_err());
    scene.server.turn(None);
    assert!(scene.get().await.is_err(), "it rests");
    let (code, _) = status(&other_host(&scene), &scene.subject, "/things").await.unwrap();
    assert_eq!(code, 200);
}
