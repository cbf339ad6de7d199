//! Trailers of requests, and exchanges in which both bodies move at once, as gRPC has them.

use std::convert::Infallible;

use bytes::Bytes;
use countersign::egress::settle;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::tls::{Handler, Protocol, TlsUpstream, url};
use crate::upstream::{EMPTY, Recorder, Then};
use crate::{SOON, egress};

/// A body that the test feeds, frame by frame.
fn fed() -> (mpsc::Sender<Frame<Bytes>>, impl Body<Data = Bytes, Error = Infallible> + Send) {
    let (feed, frames) = mpsc::channel(4);
    let frames = futures_util::stream::unfold(frames, |mut frames| async {
        frames.recv().await.map(|frame| (Ok(frame), frames))
    });
    (feed, StreamBody::new(frames))
}

fn fields(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value))
        })
        .collect()
}

/// Answers at once, sends back what comes as it comes, and says in its trailers what the request's
/// were.
fn mirror() -> Handler {
    Box::new(|request| {
        Box::pin(async move {
            let te = request.headers().get("te").cloned();
            let (feed, echoed) = fed();
            let mut body = request.into_body();
            tokio::spawn(async move {
                let mut trailers = fields(&[("grpc-status", "0")]);
                while let Some(Ok(frame)) = body.frame().await {
                    match frame.into_data() {
                        Ok(data) => feed.send(Frame::data(data)).await.unwrap(),
                        Err(frame) => {
                            for (name, value) in &frame.into_trailers().unwrap() {
                                trailers.append(
                                    HeaderName::try_from(format!("saw-{name}")).unwrap(),
                                    value.clone(),
                                );
                            }
                        }
                    }
                }
                let _ = feed.send(Frame::trailers(trailers)).await;
            });
            let mut reply = Response::new(echoed.boxed());
            reply
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("application/grpc"));
            // Over HTTP/1.1 this upstream sends none but these.
            let announced = HeaderValue::from_static("grpc-status, saw-x-sum");
            reply.headers_mut().insert("trailer", announced);
            if let Some(te) = te {
                reply.headers_mut().insert("saw-te", te);
            }
            Ok(reply)
        })
    })
}

#[tokio::test]
async fn over_http_2_both_bodies_move_at_once_and_both_end_with_trailers() {
    let upstream = TlsUpstream::start_with(Protocol::Http2, mirror).await;
    let (feed, body) = fed();
    let mut request = Request::post(url("/pkg.Service/Method"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("connection", "te")
        .body(body)
        .unwrap();
    let _ = settle(request.headers_mut());
    let exchange = async {
        feed.send(Frame::data(Bytes::from("one"))).await.unwrap();
        // The head and the first piece are here while the request is not at its end.
        let reply = upstream.egress().send(request).await.unwrap();
        assert_eq!(reply.headers()["saw-te"], "trailers");
        let mut reply = reply.into_body();
        assert_eq!(reply.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        feed.send(Frame::data(Bytes::from("two"))).await.unwrap();
        assert_eq!(reply.frame().await.unwrap().unwrap().into_data().unwrap(), "two");
        let trailers = fields(&[("x-sum", "7"), ("authorization", "theirs"), ("te", "gzip")]);
        feed.send(Frame::trailers(trailers)).await.unwrap();
        let trailers = reply.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers, fields(&[("grpc-status", "0"), ("saw-x-sum", "7")]));
    };
    timeout(SOON, exchange).await.unwrap();
}

#[tokio::test]
async fn over_http_2_trailers_follow_a_body_of_known_length_too() {
    let upstream = TlsUpstream::start_with(Protocol::Http2, mirror).await;
    let (feed, body) = fed();
    feed.send(Frame::data(Bytes::from("hello"))).await.unwrap();
    feed.send(Frame::trailers(fields(&[("x-sum", "7")]))).await.unwrap();
    let request = Request::post(url("/")).header("content-length", "5").body(body).unwrap();
    let exchange = async {
        let reply = upstream.egress().send(request).await.unwrap();
        let whole = reply.into_body().collect().await.unwrap();
        assert_eq!(whole.trailers(), Some(&fields(&[("grpc-status", "0"), ("saw-x-sum", "7")])));
        assert_eq!(whole.to_bytes(), "hello");
    };
    timeout(SOON, exchange).await.unwrap();
}

/// What goes over the wire below the head, for this head and body.
async fn sent(
    headers: &[(&'static str, &'static str)],
    data: &'static str,
    trailers: &[(&'static str, &'static str)],
) -> (Vec<String>, String) {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let (feed, body) = fed();
    let mut request = Request::post(upstream.url("/")).body(body).unwrap();
    request.headers_mut().extend(fields(headers));
    let _ = settle(request.headers_mut());
    if !data.is_empty() {
        feed.send(Frame::data(Bytes::from(data))).await.unwrap();
    }
    feed.send(Frame::trailers(fields(trailers))).await.unwrap();
    timeout(SOON, egress().send(request)).await.unwrap().unwrap();
    let request = upstream.requests().pop().unwrap();
    let body = request.split_once("\r\n\r\n").unwrap().1.to_owned();
    let framing = ["content-length", "transfer-encoding", "trailer", "te"];
    let is_framing = |line: &String| framing.iter().any(|it| line.starts_with(&format!("{it}:")));
    (upstream.header_lines().into_iter().filter(is_framing).collect(), body)
}

#[tokio::test]
async fn over_http_1_announced_trailers_follow_the_last_chunk() {
    let trailers = [("x-sum", "7"), ("x-other", "8"), ("authorization", "theirs")];
    for length in [None, Some(("content-length", "5"))] {
        let mut headers =
            vec![("trailer", "X-Sum, authorization, content-length"), ("te", "trailers")];
        headers.extend(length);
        let (framing, body) = sent(&headers, "hello", &trailers).await;
        assert_eq!(body, "5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n", "{length:?}");
        let mut framing = framing;
        framing.sort();
        assert_eq!(framing, ["te: trailers", "trailer: x-sum", "transfer-encoding: chunked"]);
    }
    let (_, body) = sent(&[("trailer", "x-sum")], "", &trailers).await;
    assert_eq!(body, "0\r\nx-sum: 7\r\n\r\n", "trailers alone");
}

#[tokio::test]
async fn row_8_over_http_1_trailers_that_cannot_be_sent_change_no_framing() {
    let trailers = [("x-sum", "7"), ("transfer-encoding", "chunked"), ("content-length", "9")];
    let (framing, body) = sent(&[("content-length", "5")], "hello", &trailers).await;
    assert_eq!((framing, body.as_str()), (vec!["content-length: 5".to_owned()], "hello"));
    let (framing, body) = sent(&[("trailer", "transfer-encoding")], "hello", &trailers).await;
    assert_eq!(framing, ["transfer-encoding: chunked"]);
    assert_eq!(body, "5\r\nhello\r\n0\r\n\r\n");
}

#[tokio::test]
async fn over_http_1_the_reply_of_a_grpc_like_upstream_comes_with_its_trailers() {
    let upstream = TlsUpstream::start_with(Protocol::Http1, mirror).await;
    let (feed, body) = fed();
    let mut request = Request::post(url("/"))
        .header("te", "trailers")
        .header("trailer", "x-sum")
        .body(body)
        .unwrap();
    let _ = settle(request.headers_mut());
    feed.send(Frame::data(Bytes::from("hello"))).await.unwrap();
    feed.send(Frame::trailers(fields(&[("x-sum", "7")]))).await.unwrap();
    let exchange = async {
        let reply = upstream.egress().send(request).await.unwrap();
        assert_eq!(reply.headers()["saw-te"], "trailers");
        let whole = reply.into_body().collect().await.unwrap();
        assert_eq!(whole.trailers(), Some(&fields(&[("grpc-status", "0"), ("saw-x-sum", "7")])));
        assert_eq!(whole.to_bytes(), "hello");
    };
    timeout(SOON, exchange).await.unwrap();
}
