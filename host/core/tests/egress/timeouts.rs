//! Silence ends, wherever it falls; a stream that moves does not.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig, EgressError, Phase, Timeouts};
use http::Request;
use http_body_util::BodyExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::upstream::{Recorder, Then};
use crate::{SOON, Script, get, loopback};

const SHORT: Duration = Duration::from_millis(150);

fn egress(adjust: impl FnOnce(&mut Timeouts)) -> Egress {
    let mut config = EgressConfig { ..loopback() };
    adjust(&mut config.timeouts);
    Egress::new(config).unwrap()
}

fn phase(error: &EgressError) -> Option<Phase> {
    match error {
        EgressError::TimedOut { phase, .. } => Some(*phase),
        _ => None,
    }
}

#[tokio::test]
async fn a_peer_that_accepts_but_never_shakes_hands_ends_the_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let egress = egress(|timeouts| timeouts.connect = SHORT);
    let error = timeout(SOON, egress.send(get(&url))).await.unwrap().unwrap_err();
    assert_eq!(phase(&error), Some(Phase::Connect), "{error:?}");
    assert!(error.to_string().contains(" after 150ms ("), "{error}");
    assert!(!error.may_have_been_sent());
}

/// A port that says nothing to whoever connects: it lets nobody wait, and somebody does.
async fn silent_port(address: SocketAddr) -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(0).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(SHORT, TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    (listener, waiting)
}

#[tokio::test]
async fn an_address_that_is_silent_leaves_time_for_the_next_one() {
    let upstream = Recorder::start("HTTP/1.1 204 No Content\r\n\r\n", Then::Close).await;
    let silent = SocketAddr::from(([127, 0, 0, 2], upstream.port()));
    let _silent = silent_port(silent).await;
    let url = format!("http://two.example:{}/", upstream.port());
    for (addresses, answered) in [(&["127.0.0.2", "127.0.0.1"][..], true), (&["127.0.0.2"], false)]
    {
        let mut config = EgressConfig { ..loopback() };
        config.timeouts.connect = SHORT * 8;
        let egress = Egress::with_resolver(config, Script::new(&[addresses])).unwrap();
        match timeout(SOON, egress.send(get(&url))).await.unwrap() {
            Ok(reply) => assert!(answered && reply.status() == 204),
            Err(error) => assert!(!answered && phase(&error) == Some(Phase::Connect), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn an_upstream_that_never_answers_ends_the_wait() {
    let upstream = Recorder::start("", Then::Hang).await;
    let egress = egress(|timeouts| timeouts.first_byte = SHORT);
    let sent = egress.send(get(&upstream.url("/")));
    let error = timeout(SOON, sent).await.unwrap().unwrap_err();
    assert_eq!(phase(&error), Some(Phase::FirstByte), "{error:?}");
    let what =
        format!("127.0.0.1:{} timed out after 150ms (waiting for the reply)", upstream.port());
    assert_eq!(error.to_string(), what);
    assert!(error.may_have_been_sent());
}

#[tokio::test]
async fn an_upstream_that_falls_silent_ends_the_reply() {
    let upstream =
        Recorder::start("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", Then::Hang).await;
    let egress = egress(|timeouts| timeouts.idle = SHORT);
    let mut body = egress.send(get(&upstream.url("/"))).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "half");
    let error = timeout(SOON, body.frame()).await.unwrap().unwrap().unwrap_err();
    assert_eq!(phase(&error), Some(Phase::Idle), "{error:?}");
    assert!(error.to_string().contains(" after 150ms ("), "{error}");
}

#[tokio::test]
async fn a_fetch_ends_at_its_deadline_though_bytes_trickle() {
    let upstream =
        Recorder::start("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", Then::Hang).await;
    let egress = egress(|_| {});
    let request = Request::get(upstream.url("/")).body(Bytes::new()).unwrap();
    let fetched = timeout(SOON, egress.fetch(request, 100, SHORT)).await.unwrap();
    let error = fetched.unwrap_err();
    assert_eq!(phase(&error), Some(Phase::Deadline));
    assert!(error.to_string().contains(" after 150ms ("), "{error}");
}
