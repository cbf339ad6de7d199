//! Connections are kept, used again, and let go.

use std::time::Duration;

use bytes::Bytes;
use countersign::egress::Egress;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::bodies::fed;
use crate::tls::{Protocol, TlsUpstream};
use crate::upstream::{EMPTY, Recorder, Then};
use crate::{egress, get, tls};

/// Sends it, and reads the reply to its end.
async fn whole(egress: &Egress, request: Request<Full<Bytes>>) -> Bytes {
    egress.send(request).await.unwrap().into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other_however_replies_end() {
    for (method, answer, body) in [
        (Method::GET, EMPTY, ""),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n", ""),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", ""),
        (Method::HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", ""),
        (Method::GET, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            "hello",
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n",
            "hello",
        ),
        (Method::POST, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
    ] {
        let upstream = Recorder::start(answer, Then::KeepOpen).await;
        let egress = egress();
        for _ in 0..3 {
            let mut request = get(&upstream.url("/"));
            *request.method_mut() = method.clone();
            if method == Method::POST {
                *request.body_mut() = Full::from("a body");
            }
            assert_eq!(whole(&egress, request).await, body, "{answer}");
        }
        assert_eq!((upstream.requests().len(), upstream.connections()), (3, 1), "{answer}");
    }
}

#[tokio::test]
async fn origins_and_requests_at_the_same_time_have_connections_of_their_own() {
    let (upstream, other) = (
        Recorder::start(EMPTY, Then::KeepOpen).await,
        Recorder::start(EMPTY, Then::KeepOpen).await,
    );
    let egress = egress();
    let send = async |url: String| whole(&egress, get(&url)).await;
    tokio::join!(send(upstream.url("/")), send(upstream.url("/")), send(other.url("/")));
    assert_eq!((upstream.connections(), other.connections()), (2, 1));
    send(upstream.url("/")).await;
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn what_the_upstream_says_it_closes_is_not_used_again() {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    let upstream = Recorder::start(answer, Then::KeepOpen).await;
    let egress = egress();
    for _ in 0..2 {
        assert_eq!(whole(&egress, get(&upstream.url("/"))).await, "ok");
    }
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn a_request_goes_elsewhere_where_its_connection_was_closed_meanwhile() {
    // Without a word, or with one that nobody asked for.
    let unasked = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n";
    for farewell in ["", unasked] {
        let upstream = Recorder::start(&format!("{EMPTY}{farewell}"), Then::Close).await;
        let other = Recorder::start(EMPTY, Then::KeepOpen).await;
        let egress = egress();
        for _ in 0..3 {
            let mut request = get(&upstream.url("/"));
            // Not one that could be sent twice: it is certain that it was not.
            *request.method_mut() = Method::POST;
            *request.body_mut() = Full::from("once");
            whole(&egress, request).await;
            // By the time that another exchange is through, what the first one sent has come.
            whole(&egress, get(&other.url("/"))).await;
        }
        assert_eq!((upstream.requests().len(), upstream.connections()), (3, 3), "{farewell}");
    }
}

#[tokio::test]
async fn a_reply_that_nobody_reads_leaves_its_connection_to_others_where_it_has_come() {
    let small =
        Recorder::start("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", Then::KeepOpen);
    let unfinished =
        Recorder::start("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", Then::Hang);
    for (upstream, connections) in [(small.await, 1), (unfinished.await, 2)] {
        let egress = egress();
        for _ in 0..2 {
            drop(egress.send(get(&upstream.url("/"))).await.unwrap());
        }
        assert_eq!(upstream.connections(), connections);
    }
}

async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_body_goes_on_while_nobody_reads_the_reply_that_came_before_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let (feed, body) = fed();
    let sending =
        tokio::spawn(async move { egress().send(Request::post(url).body(body).unwrap()).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").await.unwrap();
    let reply = sending.await.unwrap().unwrap();
    feed.send(Bytes::from_static(b"more")).await.unwrap();
    read_until(&mut stream, "more\r\n").await;
    drop(feed);
    read_until(&mut stream, "0\r\n\r\n").await;
    stream.write_all(b"ok").await.unwrap();
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "ok");
}

/// A connection between two requests, from both sides.
async fn kept() -> (Egress, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let egress = egress();
    let (_, stream) = tokio::join!(whole(&egress, get(&url)), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(EMPTY.as_bytes()).await.unwrap();
        stream
    });
    (egress, stream)
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed_after_a_minute_and_before_a_minute_and_a_half() {
    let (egress, mut stream) = kept().await;
    tokio::time::pause();
    let kept = Instant::now();
    // Time leaps to the next alarm while nothing else happens.
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    let minutes = kept.elapsed().as_secs_f64() / 60.0;
    assert!((0.9..1.6).contains(&minutes), "{minutes}");
    drop(egress);
}

#[tokio::test]
async fn one_that_the_upstream_closes_is_let_go_though_no_request_comes() {
    let (egress, mut stream) = kept().await;
    tokio::time::pause();
    let closed = Instant::now();
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    assert!(closed.elapsed() <= Duration::from_secs(31), "{:?}", closed.elapsed());
    drop(egress);
}

#[tokio::test]
async fn http_2_has_one_connection_for_all_requests_until_it_is_closed() {
    let upstream = TlsUpstream::start(Protocol::Http2, std::sync::Arc::default()).await;
    let egress = upstream.egress();
    let send = || whole(&egress, get(&tls::url("/")));
    send().await;
    assert_eq!(upstream.connections(), 1);
    tokio::join!(send(), send(), send());
    assert_eq!(upstream.connections(), 1);
    upstream.close();
    let other = Recorder::start(EMPTY, Then::KeepOpen).await;
    whole(&crate::egress(), get(&other.url("/"))).await;
    send().await;
    assert_eq!(upstream.connections(), 2);
}
