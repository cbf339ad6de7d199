//! What passes through the proxy, and what does not.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::scene::with_account;
use crate::upstream::{Reply, Upstream, whole};

/// Longer than anything takes here; never waited for where all is well.
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_request_goes_out_with_its_credential_and_without_what_is_the_gateways() {
    let upstream = Upstream::noting(|_| whole(200, "hello")).await;
    let scene = with_account(&upstream).await;
    let request = scene.proxied("PUT", "/v1/tickets/a%2Fb?page=2&q=a+b%20c");
    let request = request.header("x-own", "1").header("accept-encoding", "zstd").body("the body");
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let seen = upstream.one();
    assert_eq!(seen.method, "PUT");
    assert_eq!(seen.uri, "/base/v1/tickets/a%2Fb?page=2&q=a+b%20c");
    assert_eq!(seen.body, "the body");
    let id = reply.headers()["countersign-request-id"].to_str().unwrap();
    let mut headers: Vec<_> =
        seen.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    headers.sort_unstable();
    let host = upstream.address.to_string();
    let expected = [
        ("accept", "*/*"),
        ("accept-encoding", "zstd"),
        ("authorization", "Bearer canary"),
        ("content-length", "8"),
        ("host", &host),
        ("x-own", "1"),
        ("x-request-id", id),
    ];
    assert_eq!(headers, expected);
    assert_eq!(reply.bytes().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_reply_passes_as_it_is() {
    let upstream = Upstream::noting(|_| {
        let mut reply = whole(418, &b"\x1f\x8b no gzip at all \xff\0"[..]);
        for (name, value) in [
            ("content-encoding", "gzip"),
            ("content-type", "a/b"),
            ("etag", "\"x\""),
            ("x-two", "1"),
            ("x-two", "2"),
            ("vary", "accept"),
            ("location", "/elsewhere"),
        ] {
            reply.headers_mut().append(name, value.parse().unwrap());
        }
        reply
    })
    .await;
    let scene = with_account(&upstream).await;
    let reply = scene.proxied("GET", "/x").send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::IM_A_TEAPOT);
    let all = |name| reply.headers().get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all("content-encoding"), ["gzip"]);
    assert_eq!(all("content-type"), ["a/b"]);
    assert_eq!(all("etag"), ["\"x\""]);
    assert_eq!(all("x-two"), ["1", "2"]);
    assert_eq!(all("location"), ["/elsewhere"]);
    assert!(reply.headers().get("countersign-error").is_none());
    // A shared cache must not take one account's reply for another's.
    assert_eq!(all("vary"), ["accept", "authorization, connection_name, identifier"]);
    assert_eq!(reply.bytes().await.unwrap(), &b"\x1f\x8b no gzip at all \xff\0"[..]);
}

/// Or it would be taken for a failure of the gateway's own.
#[tokio::test]
async fn an_upstream_cannot_speak_as_the_gateway() {
    let upstream = Upstream::noting(|_| {
        let mut reply = whole(401, "upstream");
        for name in ["countersign-error", "countersign-request-id", "alt-svc"] {
            reply.headers_mut().insert(name, "evil".parse().unwrap());
        }
        for name in ["strict-transport-security", "clear-site-data"] {
            reply.headers_mut().insert(name, "evil".parse().unwrap());
        }
        reply
    })
    .await;
    let scene = with_account(&upstream).await;
    let reply = scene.proxied("GET", "/x").send().await.unwrap();
    assert_eq!(reply.status(), 401);
    assert!(reply.headers().values().all(|value| value != "evil"), "{:?}", reply.headers());
    assert!(reply.headers().get("countersign-error").is_none());
}

fn streamed(frames: impl futures_util::Stream<Item = Bytes> + Send + Sync + 'static) -> Reply {
    let body = StreamBody::new(frames.map(|data| Ok(Frame::data(data))));
    Response::new(BodyExt::boxed(body))
}

#[tokio::test]
async fn events_arrive_as_they_are_sent() {
    let more = Arc::new(Notify::new());
    let next = Arc::clone(&more);
    let upstream = Upstream::start(move |_| {
        let next = Arc::clone(&next);
        Box::pin(async move {
            let rest = stream::once(async move {
                next.notified().await;
                Bytes::from("data: 2\n\n")
            });
            let mut reply = streamed(stream::iter([Bytes::from("data: 1\n\n")]).chain(rest));
            reply.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
            reply
        })
    })
    .await;
    let scene = with_account(&upstream).await;
    let mut reply = scene.proxied("GET", "/events").send().await.unwrap();
    let first = timeout(LONG, reply.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(first, "data: 1\n\n");
    // The second is not even sent before the first has arrived.
    more.notify_one();
    let second = timeout(LONG, reply.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(second, "data: 2\n\n");
    assert!(timeout(LONG, reply.chunk()).await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn a_body_streams_in_both_directions_at_once() {
    // Sends back each piece as it comes.
    let upstream = Upstream::start(|request: http::Request<Incoming>| {
        let pieces = request.into_body().map_err(std::io::Error::other);
        Box::pin(async move { Response::new(BodyExt::boxed(pieces)) })
    })
    .await;
    let scene = with_account(&upstream).await;
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let pieces =
        stream::unfold(
            receiver,
            |mut receiver| async move { Some((receiver.recv().await?, receiver)) },
        );
    sender.send(Ok("0".into())).await.unwrap();
    let request = scene.proxied("POST", "/echo").body(reqwest::Body::wrap_stream(pieces));
    let mut reply = timeout(LONG, request.send()).await.unwrap().unwrap();
    for nth in 0..10 {
        let piece = timeout(LONG, reply.chunk()).await.unwrap().unwrap().unwrap();
        assert_eq!(piece, nth.to_string());
        sender.send(Ok((nth + 1).to_string().into())).await.unwrap();
    }
    drop(sender);
    assert_eq!(reply.chunk().await.unwrap().unwrap(), "10");
    assert!(reply.chunk().await.unwrap().is_none());
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_the_upstreams_request() {
    let ended = Arc::new(Notify::new());
    let told = Arc::clone(&ended);
    let upstream = Upstream::start(move |_| {
        let guard = Dropped(Arc::clone(&told));
        Box::pin(async move {
            let endless = stream::unfold(guard, |guard| async move {
                tokio::task::yield_now().await;
                Some((Bytes::from_static(&[0; 1024]), guard))
            });
            streamed(endless)
        })
    })
    .await;
    let scene = with_account(&upstream).await;
    let mut reply = scene.proxied("GET", "/endless").send().await.unwrap();
    reply.chunk().await.unwrap().unwrap();
    drop(reply);
    timeout(LONG, ended.notified()).await.unwrap();
}

/// Tells when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn http_2_is_spoken_with_callers_on_the_same_port() {
    let upstream = Upstream::noting(|_| whole(200, "hello")).await;
    let scene = with_account(&upstream).await;
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let request = http.get(scene.url("/proxy/v1/x?y")).bearer_auth(&scene.token);
    let request = request.header("connection_name", "api").header("identifier", "u1");
    let reply = request.send().await.unwrap();
    assert_eq!((reply.version(), reply.status()), (http::Version::HTTP_2, StatusCode::OK));
    assert_eq!(reply.bytes().await.unwrap(), "hello");
    assert_eq!(upstream.one().uri, "/base/v1/x?y");
}

#[tokio::test]
async fn a_change_takes_effect_on_the_next_request() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    let account = scene.account("api", "u2", "first").await;
    for token in ["first", "second", "third"] {
        scene.give(&account, token).await;
        let request = scene.proxied_for("GET", "/x", "api", "u2");
        assert_eq!(request.send().await.unwrap().status(), 200);
        let sent = upstream.one().headers["authorization"].clone();
        assert_eq!(sent, format!("Bearer {token}"));
    }
}
