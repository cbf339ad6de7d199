//! Requests that are rejected before the token's time is over.

use std::sync::Arc;

use bytes::Bytes;
use countersign_tests::world::whole;
use http::Request;
use http_body_util::{Full, StreamBody};
use serde_json::Value as Json;

use crate::scene::Scene;

#[tokio::test]
async fn a_rejected_token_is_renewed_and_the_request_sent_again_with_its_body() {
    let scene = Scene::new().await;
    scene.server.reject(&scene.tokens.access);
    let request = Request::post("/things").body(Full::from("the body")).unwrap();
    let (code, body) =
        whole(scene.host.send(&scene.subject, request).await.unwrap()).await.unwrap();
    assert_eq!(code, 200);
    let seen: Json = serde_json::from_slice(&body).unwrap();
    assert_eq!((&seen["method"], &seen["body"]), (&"POST".into(), &"the body".into()));
    assert_eq!(scene.events(), ["api 401", "token", "token answered", "save", "api 200"]);
}

#[tokio::test]
async fn at_most_one_renewal_in_thirty_seconds_is_forced_by_replies() {
    let scene = Scene::new().await;
    let reject = async || {
        scene.server.reject(&scene.secret("access_token").await.unwrap());
        scene.get().await.unwrap()
    };
    assert_eq!(reject().await, 200);
    assert_eq!(reject().await, 401);
    scene.clock.pass(29);
    assert_eq!(reject().await, 401);
    scene.clock.pass(1);
    assert_eq!(reject().await, 200);
    assert_eq!(scene.server.token_calls(), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_caller_the_upstreams_own_answer() {
    let scene = Scene::new().await;
    scene.server.reject(&scene.tokens.access);
    scene.server.turn(countersign_tests::token_server::Oddity::Says(503, ""));
    let (code, body) =
        countersign_tests::world::status(&scene.host, &scene.subject, "/things").await.unwrap();
    assert_eq!((code, &body[..]), (401, &br#"{"rejected":true}"#[..]));
    assert_eq!(scene.version().await, 0);
}

#[tokio::test]
async fn a_body_that_is_large_or_streams_is_not_sent_again_but_the_next_request_is_served() {
    let stream = || {
        let frames = [Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from("chunk")))];
        StreamBody::new(futures_util::stream::iter(frames))
    };
    let large = || Full::new(Bytes::from(vec![b'x'; (64 << 10) + 1]));
    for streams in [true, false] {
        let scene = Scene::new().await;
        scene.server.reject(&scene.tokens.access);
        let send = async || {
            let request = Request::post("/things");
            let reply = if streams {
                scene.host.send(&scene.subject, request.body(stream()).unwrap()).await
            } else {
                scene.host.send(&scene.subject, request.body(large()).unwrap()).await
            };
            reply.unwrap().status().as_u16()
        };
        assert_eq!(send().await, 401);
        assert_eq!(send().await, 200);
        assert_eq!(
            scene.events(),
            ["api 401", "token", "token answered", "save", "api 200"],
            "streams: {streams}"
        );
    }
}

#[tokio::test]
async fn a_state_that_has_moved_meanwhile_is_used_and_not_renewed_again() {
    let scene = Scene::new().await;
    // The first answer is remembered with the old token, which another node then replaces.
    assert_eq!(scene.get().await.unwrap(), 200);
    let (host, subject) = (scene.host.clone(), Arc::clone(&scene.subject));
    host.renew(&subject).await.unwrap();
    scene.events();
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.events(), ["api 200"]);
}
