//! Rows 6, 7, 8 and 16 for WebSockets, through the whole library.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign::egress::{Tunnel, WebSocket};
use countersign::{Countersign, Error, ReplyBody, Subject};
use countersign_hostile::{Guest, Val, answer};
use countersign_tests::sandbox;
use countersign_tests::world::{registry_of, unencrypted};
use http::{Request, Response};
use http_body_util::Empty;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{account, payload};

const SOON: Duration = Duration::from_secs(20);
/// The example of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// A plugin of these needs that does this.
fn plugin(needs: &[&str], edits: Vec<Val>) -> Vec<u8> {
    watching(needs, edits, 0)
}

/// The same; once it has seen so much of a reply's body, it would have every request made again.
fn watching(needs: &[&str], edits: Vec<Val>, body: u64) -> Vec<u8> {
    let about = r#"{"title":"Socket","version":"1"}"#;
    let all = [needs, &["read reply/body"]].concat();
    let watches = vec![answer::watch_any(body)];
    Guest::auth(answer::descriptor(&["X_SOCKET"], &[], &all, about.into()))
        .body("authorize", answer::ready_with(Val::List(edits), watches, Val::none()))
        .body("replied", answer::reaction(Val::of("again", "once more")))
        .build()
        .unwrap()
}

/// A host that sends to one listener.
struct Scene {
    host: Countersign,
    subject: Arc<Subject>,
    listener: TcpListener,
    _folder: TempDir,
}

impl Scene {
    async fn new(plugin: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut payload = payload("X_SOCKET", &["token"]);
        payload["proxy_url"] = format!("http://{}/base", listener.local_addr().unwrap()).into();
        let (registry, folder) = registry_of(&[("socket", plugin)]);
        let (egress, mut settings) = unencrypted();
        settings.longest_hold = Duration::from_hours(1);
        let host = Countersign::builder(sandbox(), registry, egress).settings(settings).build();
        let subject = account(&payload, &json!({"token": "t-1"}));
        Self { host, subject, listener, _folder: folder }
    }

    /// What the upstream was asked, its side of the connection, and what came of its answer.
    async fn exchange(
        &self,
        request: Request<Empty<Bytes>>,
        answer: &str,
    ) -> (Vec<String>, TcpStream, Result<Response<ReplyBody>, Error>) {
        let upstream = async {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            let lines = String::from_utf8(bytes).unwrap();
            (lines.trim_end().lines().map(str::to_owned).collect(), stream)
        };
        let exchange = async { tokio::join!(upstream, self.host.send(&self.subject, request)) };
        let ((lines, stream), reply) = timeout(SOON, exchange).await.unwrap();
        (lines, stream, reply)
    }
}

/// A handshake as a browser sends it, with these besides; marked, where it is a good one.
fn handshake(upgrade: &str, more: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut request = Request::get("/chat")
        .header("connection", "Upgrade, authorization, http2-settings")
        .header("upgrade", upgrade)
        .header("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA")
        .header("authorization", "the caller's")
        .header("sec-websocket-key", KEY)
        .header("sec-websocket-version", "13");
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let (mut parts, body) = request.body(Empty::new()).unwrap().into_parts();
    if let Some(websocket) = WebSocket::of(&parts).unwrap() {
        parts.extensions.insert(websocket);
    }
    Request::from_parts(parts, body)
}

fn lines<'a>(head: &'a [String], name: &str) -> Vec<&'a str> {
    let lines = head.iter().filter_map(|line| line.split_once(": "));
    lines.filter(|(other, _)| *other == name).map(|(_, value)| value).collect()
}

const AUTHORIZATION: &str = "write header/authorization";

fn bearer() -> Vec<u8> {
    plugin(&[AUTHORIZATION], vec![answer::set_header("authorization", "ours")])
}

#[tokio::test]
async fn row_06_a_handshake_carries_our_credential_and_its_tunnel_both_ways() {
    let scene = Scene::new(bearer()).await;
    let answer = format!("{SWITCHED}\r\nfirst");
    let more = [("sec-websocket-protocol", "chat"), ("sec-websocket-extensions", "x")];
    let (head, mut stream, reply) = scene.exchange(handshake("websocket", &more), &answer).await;
    assert_eq!(head[0], "GET /base/chat HTTP/1.1");
    for (name, values) in [
        ("authorization", &["ours"][..]),
        ("connection", &["upgrade"]),
        ("upgrade", &["websocket"]),
        ("http2-settings", &[]),
        ("sec-websocket-key", &[KEY]),
        ("sec-websocket-protocol", &["chat"]),
        ("sec-websocket-extensions", &["x"]),
    ] {
        assert_eq!(lines(&head, name), values, "{name}");
    }
    let mut reply = reply.unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["upgrade"]),
        (101, &"websocket".parse().unwrap())
    );
    let mut tunnel = Tunnel::take(&mut reply).unwrap();
    let both_ways = async {
        let mut read = [0; 5];
        tunnel.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"first");
        tunnel.write_all(b"frame").await.unwrap();
        tunnel.flush().await.unwrap();
        stream.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"frame");
    };
    timeout(SOON, both_ways).await.unwrap();
}

#[tokio::test]
async fn row_06_no_other_protocol_is_asked_for_and_row_08_none_is_switched_to() {
    let scene = Scene::new(bearer()).await;
    for upgrade in ["h2c", "h2c, TLS/1.2", "websocket/13"] {
        let answer = SWITCHED.replace("websocket", upgrade) + "\r\n";
        let (head, _stream, reply) = scene.exchange(handshake(upgrade, &[]), &answer).await;
        for name in ["connection", "upgrade", "http2-settings"] {
            assert_eq!(lines(&head, name), [""; 0], "{upgrade}");
        }
        assert_eq!(lines(&head, "authorization"), ["ours"]);
        let error = reply.err().unwrap();
        assert_eq!(error.code(), "upstream_unreachable", "{upgrade}");
        assert!(error.may_have_been_sent());
    }
}

#[tokio::test]
async fn a_handshake_is_sent_once_and_its_answer_is_not_held_back() {
    let edits = || vec![answer::set_header("authorization", "ours")];
    // The plugin would try again; or look at the body first, which does not come. Nobody would answer
    // another try, nor is there an end to the wait.
    for (watched, body) in [(0, "no"), (100, "no"), (100, "")] {
        let scene = Scene::new(watching(&[AUTHORIZATION], edits(), watched)).await;
        let refused = format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{body}");
        let (_, _stream, reply) = scene.exchange(handshake("websocket", &[]), &refused).await;
        assert_eq!(reply.unwrap().status(), 401, "{watched} {body}");
    }
}

#[tokio::test]
async fn row_16_an_appended_subprotocol_joins_the_callers_and_stays_unknown_to_it() {
    // Edits, the caller's offers, what the upstream is offered.
    type Case<'a> = (Vec<Val>, &'a [&'a str], &'a [&'a str]);

    let append =
        |value: &str| Val::of("append-header", answer::entry("Sec-WebSocket-Protocol", value));
    let name = "sec-websocket-protocol";
    let need = "write header/sec-websocket-protocol";
    let set = || vec![answer::set_header(name, "token.ours")];
    let cases: [Case<'_>; 6] = [
        (vec![append("token.ours")], &["chat, mqtt", "x"], &["chat, mqtt, x, token.ours"]),
        (vec![append("token.ours")], &[], &["token.ours"]),
        (vec![append("bearer"), append("ours")], &["chat"], &["chat, bearer, ours"]),
        (vec![append("bearer, ours")], &["bearer, evil, chat"], &["evil, chat, bearer, ours"]),
        // Set, it replaces; and where it appends nothing the caller's stays away.
        (set(), &["chat"], &["token.ours"]),
        (vec![answer::set_header("authorization", "ours")], &["token.evil"], &[]),
    ];
    for (edits, offers, offered) in cases {
        let scene = Scene::new(plugin(&[AUTHORIZATION, need], edits)).await;
        let more: Vec<_> = offers
            .iter()
            .map(|offer| (name, *offer))
            .chain([("sec_websocket_protocol", "token.evil")])
            .collect();
        let answer = format!("{SWITCHED}{name}: token.ours\r\n\r\n");
        let (head, _stream, reply) = scene.exchange(handshake("websocket", &more), &answer).await;
        assert_eq!(lines(&head, name), offered, "{offers:?}");
        assert_eq!(lines(&head, "sec_websocket_protocol"), [""; 0]);
        assert!(!reply.unwrap().headers().contains_key(name), "{offers:?}");
    }
}
