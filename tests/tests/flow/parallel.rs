//! Row 12 of the known pitfalls, within one process: many requests, one refresh token.

use std::sync::Arc;

use countersign_tests::token_server::{API, LOGIN, Oddity};
use countersign_tests::world::status;
use tokio::task::JoinSet;

use crate::scene::Scene;

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

/// Two hosts around one store share no renewal, only the claim: as two processes do.
#[tokio::test(flavor = "multi_thread")]
async fn pitfall_12_two_hosts_of_one_store_make_one_renewal() {
    let scene = Scene::new().await;
    scene.expire();
    let other = crate::scene::host(
        countersign_tests::world::bundled_registry(),
        countersign_tests::egress(scene.server.upstream(), &[API, LOGIN]),
        &scene.store,
        &scene.clock,
        countersign::Settings::default(),
    );
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
