//! Bodies stream both ways, framed once.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig, EgressError};
use http::{Method, Request};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::upstream::{EMPTY, Recorder, Then};
use crate::{SOON, egress, get, loopback};

/// A body of unknown length, fed from the test. It is not `Sync`, as many bodies are not.
pub(crate) struct Fed {
    pieces: mpsc::Receiver<Bytes>,
    _not_sync: std::marker::PhantomData<std::cell::Cell<()>>,
}

pub(crate) fn fed() -> (mpsc::Sender<Bytes>, Fed) {
    let (feed, pieces) = mpsc::channel(1);
    (feed, Fed { pieces, _not_sync: std::marker::PhantomData })
}

impl Body for Fed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.pieces.poll_recv(cx).map(|piece| piece.map(|data| Ok(Frame::data(data))))
    }
}

#[tokio::test]
async fn a_body_is_sent_as_it_comes_and_the_reply_before_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let (feed, body) = fed();
    let request = Request::post(url).body(body).unwrap();
    let sending = tokio::spawn(async move { egress().send(request).await });

    let exchange = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        let mut read_until = async |stream: &mut tokio::net::TcpStream, end: &str| {
            while !seen.ends_with(end.as_bytes()) {
                assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
            }
            String::from_utf8(seen.clone()).unwrap()
        };
        // The second piece does not exist until the first has arrived.
        feed.send(Bytes::from("first")).await.unwrap();
        let head = read_until(&mut stream, "5\r\nfirst\r\n").await;
        assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"));
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let mut reply = sending.await.unwrap().unwrap().into_body();
        stream.write_all(b"3\r\none\r\n").await.unwrap();
        assert_eq!(reply.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        feed.send(Bytes::from("second")).await.unwrap();
        read_until(&mut stream, "6\r\nsecond\r\n").await;
        drop(feed);
        read_until(&mut stream, "0\r\n\r\n").await;
        stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
        assert_eq!(reply.collect().await.unwrap().to_bytes(), "two");
    };
    timeout(SOON, exchange).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_moves_is_not_silence() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let mut config = EgressConfig { ..loopback() };
    config.timeouts.first_byte = Duration::from_secs(1);
    let egress = Egress::new(config).unwrap();
    let (feed, body) = fed();
    let request = Request::post(upstream.url("/")).body(body).unwrap();
    let feeding = tokio::spawn(async move {
        // More than the limit in all, much less of it at a time.
        let mut ticks = tokio::time::interval(Duration::from_millis(150));
        for _ in 0..10 {
            ticks.tick().await;
            feed.send(Bytes::from("x")).await.unwrap();
        }
    });
    let reply = timeout(SOON, egress.send(request)).await.unwrap();
    feeding.await.unwrap();
    assert_eq!(reply.unwrap().status(), 200);
}

#[tokio::test]
async fn row_8_a_request_is_framed_once_and_rightly() {
    // method, content-length, transfer-encoding, and the framing that goes out
    let cases = [
        (Method::POST, Some("3"), None, "content-length: 5"),
        (Method::POST, Some("99"), Some("chunked"), "content-length: 5"),
        (Method::POST, None, Some("chunked, identity"), "content-length: 5"),
        (Method::POST, Some("+5"), None, "content-length: 5"),
        (Method::PUT, None, None, "content-length: 5"),
        (Method::GET, None, None, "content-length: 5"),
        (Method::DELETE, Some("0"), None, "content-length: 5"),
    ];
    let egress = egress();
    for (method, length, encoding, framing) in cases {
        let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
        let mut request = Request::builder().method(&method).uri(upstream.url("/"));
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        if let Some(encoding) = encoding {
            request = request.header("transfer-encoding", encoding);
        }
        egress.send(request.body(Full::from("hello")).unwrap()).await.unwrap();
        let framings: Vec<String> = upstream
            .header_lines()
            .into_iter()
            .filter(|line| line.starts_with("content-length") || line.starts_with("transfer"))
            .collect();
        assert_eq!(framings, [framing], "{method} {length:?} {encoding:?}");
        assert!(upstream.requests()[0].ends_with("\r\n\r\nhello"));
    }
}

#[tokio::test]
async fn row_8_a_lying_length_smuggles_nothing() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    for (declared, pieces) in
        [("5", vec!["hello", smuggled]), ("0", vec![smuggled]), ("99", vec!["short"])]
    {
        let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
        let egress = egress();
        let (feed, body) = fed();
        let request = Request::post(upstream.url("/liar"))
            .header("content-length", declared)
            .body(body)
            .unwrap();
        let feeding = tokio::spawn(async move {
            for piece in pieces {
                // The body may be given up before its end.
                let _ = feed.send(Bytes::from(piece)).await;
            }
        });
        let error = timeout(SOON, egress.send(request)).await.unwrap().unwrap_err();
        assert!(matches!(error, EgressError::BodyLength), "{declared}: {error:?}");
        feeding.await.unwrap();
        // The next request is on a connection of its own, and nothing came between.
        egress.send(get(&upstream.url("/next"))).await.unwrap();
        assert!(!upstream.requests().concat().contains("smuggled"), "{declared}");
        assert_eq!(upstream.request_line(), "GET /next HTTP/1.1");
    }
}

#[tokio::test]
async fn a_get_with_a_body_of_unknown_length_keeps_it() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let (feed, body) = fed();
    let request = Request::get(upstream.url("/")).body(body).unwrap();
    let feeding = tokio::spawn(async move { feed.send(Bytes::from("query")).await.unwrap() });
    timeout(SOON, egress().send(request)).await.unwrap().unwrap();
    feeding.await.unwrap();
    assert!(upstream.requests()[0].ends_with("5\r\nquery\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn trailers_of_a_reply_are_passed_on() {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
                  5\r\nhello\r\n0\r\nx-sum: 7\r\nconnection: close\r\n\r\n";
    let upstream = Recorder::start(answer, Then::KeepOpen).await;
    let reply = egress().send(get(&upstream.url("/"))).await.unwrap();
    assert_eq!(reply.headers()["trailer"], "x-sum");
    let whole = reply.into_body().collect().await.unwrap();
    let trailers = whole.trailers().unwrap();
    assert_eq!((trailers["x-sum"].as_bytes(), trailers.len()), (&b"7"[..], 1));
    assert_eq!(whole.to_bytes(), "hello");
}

#[tokio::test]
async fn a_compressed_reply_is_passed_on_as_it_is() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nzip!";
    let upstream = Recorder::start(answer, Then::KeepOpen).await;
    let reply = egress().send(get(&upstream.url("/"))).await.unwrap();
    assert_eq!(reply.headers()["content-encoding"], "gzip");
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "zip!");
    assert!(!upstream.requests().concat().contains("accept-encoding"));
}

#[tokio::test]
async fn row_13_a_fetch_reads_no_more_than_its_limit() {
    let long = "x".repeat(1000);
    let sized = format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{long}");
    let chunked =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n{long}\r\n0\r\n\r\n");
    for answer in [sized, chunked] {
        let upstream = Recorder::start(&answer, Then::KeepOpen).await;
        // the fetch's own limit, the configured one, and the one that is reported
        for (limit, configured, reported) in
            [(1000, 2000, None), (999, 2000, Some(999)), (2000, 500, Some(500))]
        {
            let egress =
                Egress::new(EgressConfig { max_fetched_bytes: configured, ..loopback() }).unwrap();
            let request = Request::post(upstream.url("/token")).body(Bytes::from("a=b")).unwrap();
            match egress.fetch(request, limit, SOON).await {
                Ok(answer) => assert_eq!((answer.body().len(), reported), (1000, None)),
                Err(EgressError::TooLarge { limit, .. }) => assert_eq!(Some(limit), reported),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(upstream.requests().len(), 3);
    }
}
