//! WebSockets: asked for whole, believed with proof, and never come upon by accident.

use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig, EgressError, Tunnel, WebSocket};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Empty, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::tls::{Protocol, TlsUpstream, url};
use crate::upstream::{EMPTY, Recorder, Then};
use crate::{SOON, egress, get, loopback};

/// The example of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn handshake(url: &str) -> Request<Empty<Bytes>> {
    Request::get(url)
        .header("upgrade", "websocket")
        .header("connection", "keep-alive, Upgrade")
        .header("sec-websocket-key", KEY)
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat")
        .header("sec-websocket-extensions", "permessage-deflate")
        .body(Empty::new())
        .unwrap()
}

/// Found good, marked as such, and settled.
fn marked(url: &str) -> Request<Empty<Bytes>> {
    let (mut parts, body) = handshake(url).into_parts();
    let websocket = WebSocket::of(&parts).unwrap().unwrap();
    parts.extensions.insert(websocket);
    let _ = countersign::egress::settle(&mut parts.headers);
    Request::from_parts(parts, body)
}

async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn bytes_go_both_ways_once_the_upstream_has_switched() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mapping = format!("api.example:80={address}").parse().unwrap();
    let mapped = Egress::new(EgressConfig { resolve: vec![mapping], ..loopback() }).unwrap();
    let unmapped = (egress(), format!("http://{address}/chat"));
    for (egress, url) in [unmapped, (mapped, "http://api.example/chat".to_owned())] {
        let upstream = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = head(&mut stream).await;
            // The first frame may come along with the head.
            stream.write_all(format!("{SWITCHED}first").as_bytes()).await.unwrap();
            (stream, head)
        };
        let exchange = async { tokio::join!(upstream, egress.send(marked(&url))) };
        let ((mut stream, head), reply) = timeout(SOON, exchange).await.unwrap();
        let mut reply = reply.unwrap();
        let mut lines: Vec<_> = head.trim_end().lines().skip(1).collect();
        lines.retain(|line| !line.starts_with("host: "));
        lines.sort_unstable();
        let expected = [
            "accept: */*",
            "connection: upgrade",
            &format!("sec-websocket-key: {KEY}"),
            "sec-websocket-extensions: permessage-deflate",
            "sec-websocket-protocol: chat",
            "sec-websocket-version: 13",
            "upgrade: websocket",
        ];
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        assert_eq!(reply.status(), 101);
        assert_eq!(
            (&reply.headers()["upgrade"], &reply.headers()["connection"]),
            (&HeaderValue::from_static("websocket"), &HeaderValue::from_static("upgrade"))
        );

        let mut tunnel = Tunnel::take(&mut reply).unwrap();
        assert!(Tunnel::take(&mut reply).is_none());
        assert!(http_body::Body::is_end_stream(reply.body()));
        let both_ways = async {
            let mut read = [0; 5];
            tunnel.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"first");
            tunnel.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            tunnel.flush().await.unwrap();
            let mut read = [0; 18];
            stream.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"GET / HTTP/1.1\r\n\r\n");
            drop(tunnel);
            assert_eq!(stream.read(&mut read).await.unwrap(), 0, "dropped, it is closed");
        };
        timeout(SOON, both_ways).await.unwrap();
    }
}

#[tokio::test]
async fn row_8_to_switch_unasked_or_without_proof_is_an_error_and_nothing_is_tunnelled() {
    let wrong = SWITCHED.replace("s3pP", "AAAA");
    let h2c = SWITCHED.replace("Upgrade: websocket", "Upgrade: h2c");
    let bare = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    for (answer, mark) in [
        (SWITCHED, false),
        (&wrong, true),
        (&h2c, true),
        (bare, true),
        (bare, false),
        (&h2c, false),
    ] {
        let upstream = Recorder::start(answer, Then::Hang).await;
        let url = upstream.url("/");
        // Whatever its headers say, a request without the mark asks for nothing.
        let request = if mark { marked(&url) } else { handshake(&url) };
        let error = timeout(SOON, egress().send(request)).await.unwrap().unwrap_err();
        assert!(matches!(error, EgressError::Switch { .. }), "{answer}: {error:?}");
        assert!(error.may_have_been_sent() && error.kind().as_str() == "upstream_unreachable");
        let asked = upstream.header_lines().iter().any(|line| line.starts_with("upgrade"));
        assert_eq!(asked, mark);
    }
}

#[tokio::test]
async fn another_answer_to_a_handshake_is_a_reply_like_any() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\nupgrade: websocket\r\n\
                  connection: upgrade\r\ncontent-length: 2\r\n\r\nno";
    let upstream = Recorder::start(answer, Then::KeepOpen).await;
    let mut reply = egress().send(marked(&upstream.url("/"))).await.unwrap();
    assert_eq!(reply.status(), 401);
    assert!(Tunnel::take(&mut reply).is_none() && !reply.headers().contains_key("upgrade"));
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "no");
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_handshake_that_is_no_longer_whole_is_not_sent() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let mut changed = marked(&upstream.url("/"));
    let other = HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAA==");
    changed.headers_mut().insert("sec-websocket-key", other);
    let error = egress().send(changed).await.unwrap_err();
    assert!(matches!(error, EgressError::Handshake(_)) && !error.may_have_been_sent());
    let body = marked(&upstream.url("/")).map(|_| Full::<Bytes>::from("x"));
    let error = egress().send(body).await.unwrap_err();
    assert!(matches!(error, EgressError::Handshake(_)) && !error.may_have_been_sent());
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn handshakes_are_of_http_1_and_of_connections_that_no_other_request_uses() {
    // An upstream that has HTTP/2 alone is not asked.
    let upstream = TlsUpstream::start(Protocol::Http2, std::sync::Arc::default()).await;
    let error = upstream.egress().send(marked(&url("/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");

    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let egress = egress();
    for _ in 0..2 {
        for request in
            [get(&upstream.url("/")), marked(&upstream.url("/")).map(|_| Full::default())]
        {
            egress.send(request).await.unwrap().into_body().collect().await.unwrap();
        }
    }
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn row_15_a_handshake_goes_to_no_address_that_is_not_allowed() {
    let upstream = Recorder::start(SWITCHED, Then::Hang).await;
    let config = EgressConfig { allowed_networks: Vec::new(), ..loopback() };
    let resolver = crate::Script::new(&[&["127.0.0.1"]]);
    let egress = Egress::with_resolver(config, resolver).unwrap();
    let url = format!("http://rebound.example:{}/", upstream.port());
    let error = egress.send(marked(&url)).await.unwrap_err();
    assert!(matches!(error, EgressError::AddressRefused { .. }), "{error:?}");
    assert_eq!(upstream.connections(), 0);
}
