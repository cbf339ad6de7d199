//! Requests that are rejected before the token's time is over.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use countersign::body::RequestBody;
use countersign::egress::EgressError;
use countersign::{Countersign, Sender, Settings};
use countersign_hostile::answer::{self, set_header, watch_any};
use countersign_hostile::{Body, Guest, Part, Val};
use countersign_tests::world::{get, no_egress, status, whole};
use countersign_tests::{Recorder, sandbox};
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde_json::Value as Json;
use tokio::task::JoinSet;

use crate::plot::{Plot, done, guest};
use crate::remembered::WORK;
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

/// It would be spent for thirty seconds on a renewal that is not even tried.
#[tokio::test]
async fn a_renewal_that_rests_is_not_the_one_that_a_reply_may_force() {
    let scene = Scene::new().await;
    scene.server.turn(countersign_tests::token_server::Oddity::Says(503, ""));
    assert!(scene.host.renew(&scene.subject).await.is_err());
    scene.server.turn(None);
    scene.server.reject(&scene.tokens.access);
    assert_eq!(scene.get().await.unwrap(), 401);
    scene.clock.pass(1);
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.server.token_calls(), 2);
}

const REJECTS: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno";

/// `ok(reaction)` with a memo.
fn reacts(next: Val, memo: Val) -> Val {
    Val::ok(Val::Record(vec![("next", next), ("memo", Val::some(memo))]))
}

/// A plugin may ask for another try and then for new state, which is no way around the bound on
/// renewals that replies lead to.
#[tokio::test]
async fn a_renewal_after_another_try_is_bounded_like_one_that_a_reply_forces() {
    let upstream = Recorder::start("127.0.0.1:0", REJECTS).await;
    let watching = answer::ready_with(
        Val::List(vec![set_header("authorization", [Part::Token])]),
        vec![watch_any(0)],
        Val::none(),
    );
    // A memo says that the last reply was a rejection; it ends with the state.
    let authorize = Body::either("(local.get 3)", answer::renew(), watching);
    let guest = guest(&[])
        .body("authorize", authorize)
        .body("replied", reacts(Val::of("again", ""), "rejected".into()));
    for (begin, renewed) in
        [(done("new", 3600), Some(1)), (answer::refusal("unavailable", "not now"), None)]
    {
        let guest = guest.clone().body("begin", begin);
        let plot = Plot::sending(&upstream, &guest, Settings::default());
        let (code, body) = status(&plot.host, &plot.subject, "/things").await.unwrap();
        assert_eq!((code, &body[..]), (401, &b"no"[..]), "the upstream's own answer");
        let kept = plot.store.kept(&plot.subject).await;
        assert_eq!(kept.map(|state| state.version), renewed);
    }
}

/// Digest counts in the memo what it sends, and learns the next nonce from replies.
#[tokio::test(flavor = "multi_thread")]
async fn replies_that_change_the_memo_do_not_fail_requests_side_by_side() {
    let upstream =
        Recorder::start("127.0.0.1:0", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let counting = answer::ready_with(
        Val::List(vec![set_header("authorization", [Part::Text("n="), Part::Param(2)])]),
        vec![watch_any(0)],
        Val::some([Part::Text("x"), Part::Param(2)]),
    );
    // Authorizing takes its time, so that replies do come meanwhile.
    let guest = guest(&[])
        .fields(WORK)
        .body("authorize", Body::from(counting).after("(call $work)"))
        .body("replied", reacts(Val::case("deliver"), "n".into()));
    let plot = Arc::new(Plot::sending(&upstream, &guest, Settings::default()));
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let plot = Arc::clone(&plot);
        requests.spawn(async move {
            let served = status(&plot.host, &plot.subject, "/things").await;
            served.map(|it| it.0).map_err(|error| error.to_string())
        });
    }
    for served in requests.join_all().await {
        assert_eq!(served, Ok(200));
    }
}

/// Looks at the body of every reply, and then says this.
fn watching(replied: Val) -> Guest {
    let authorize = answer::ready_with(
        Val::List(vec![set_header("authorization", [Part::Token])]),
        vec![watch_any(1000)],
        Val::none(),
    );
    guest(&["read reply/body"]).body("authorize", authorize).body("replied", replied)
}

/// A plugin that looks at bodies must not hold back what comes piece by piece.
#[tokio::test]
async fn a_reply_that_streams_is_delivered_though_it_is_watched() {
    let guest = watching(answer::refusal("denied", "it was shown"));
    let (never, soon) = (Duration::from_hours(1), Duration::from_millis(50));
    for (kind, longest_hold, length) in [
        ("application/x-ndjson", never, "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
        ("Text/Event-Stream; x=y", never, "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
        ("multipart/x-mixed-replace", never, "content-length: 9\r\n\r\nfirst"),
        ("application/grpc+proto", never, "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
        ("application/json", soon, "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
        ("application/json", soon, "content-length: 9\r\n\r\nfirst"),
        ("application/json", never, "content-length: 1001\r\n\r\nfirst"),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{length}");
        let upstream = Recorder::start("127.0.0.1:0", &answer).await;
        let mut settings = Settings::default();
        settings.longest_hold = longest_hold;
        let plot = Plot::sending(&upstream, &guest, settings);
        let reply = plot.host.send(&plot.subject, get("/things")).await.unwrap();
        let first = reply.into_body().frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "first", "{kind} {length}");
    }
    // What ends in time is shown.
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst";
    let upstream = Recorder::start("127.0.0.1:0", whole).await;
    let plot = Plot::sending(&upstream, &guest, Settings::default());
    let error = plot.host.send(&plot.subject, get("/things")).await.err().unwrap();
    assert_eq!(error.code(), "denied");
}

#[tokio::test]
async fn the_trailers_of_a_reply_that_was_held_are_delivered_after_it() {
    let guest = watching(reacts(Val::case("deliver"), "shown".into()));
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
                  5\r\nfirst\r\n0\r\nx-sum: 7\r\n\r\n";
    let upstream = Recorder::start("127.0.0.1:0", answer).await;
    let plot = Plot::sending(&upstream, &guest, Settings::default());
    let mut body = plot.host.send(&plot.subject, get("/things")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "first");
    assert!(!body.is_end_stream());
    assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap()["x-sum"], "7");
    assert!(body.is_end_stream() && body.frame().await.is_none());
}

/// Answers with bodies of these lengths in turn, and keeps where it was asked for them.
struct Script {
    lengths: Mutex<Vec<usize>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Sender for Script {
    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Bytes>, EgressError> {
        self.asked.lock().unwrap().push(request.uri().to_string());
        let length = self.lengths.lock().unwrap().remove(0);
        Ok(Response::new(Bytes::from(vec![b'x'; length])))
    }
}

#[tokio::test]
async fn replies_from_elsewhere_than_the_egress_are_watched_like_its_own() {
    let plot = Plot::of(&watching(answer::refusal("denied", "it was shown")));
    let (lengths, asked) = (vec![1001, 1000, 0].into(), Mutex::default());
    let script = Arc::new(Script { lengths, asked });
    let host = Countersign::builder(sandbox(), Arc::clone(&plot.registry), no_egress())
        .store(Arc::clone(&plot.store) as _)
        .sender(Arc::clone(&script) as _)
        .build();
    let (code, body) = status(&host, &plot.subject, "/things").await.unwrap();
    assert_eq!((code, body.len()), (200, 1001), "longer than is watched for");
    for _ in 0..2 {
        let shown = host.send(&plot.subject, get("/things")).await.err().unwrap();
        assert_eq!(shown.code(), "denied");
    }
    assert_eq!(*script.asked.lock().unwrap(), ["https://api.hostile.example/base/things"; 3]);
}
