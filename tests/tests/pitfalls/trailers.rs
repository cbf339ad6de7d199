//! Rows 6, 7 and 8 below the body: what a caller may say in its trailers, through the whole library.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign::{Countersign, Registry, Subject};
use countersign_hostile::{Body, Guest, Val, answer};
use countersign_tests::sandbox;
use countersign_tests::world::{registry_of, unencrypted};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{account, bundled, payload};

/// All that reached an upstream of one request: the lines of its head, and what is below.
struct Seen {
    head: Vec<String>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.iter().filter_map(|line| line.split_once(": "));
        lines.filter(|(other, _)| *other == name).map(|(_, value)| value).collect()
    }
}

/// Sends a POST with these headers, this body in two pieces, and these trailers after it.
async fn sent(
    registry: Arc<Registry>,
    payload: &Json,
    headers: &[(&'static str, &'static str)],
    trailers: &[(&'static str, &'static str)],
) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut payload = payload.clone();
    payload["proxy_url"] = format!("http://{}/base", listener.local_addr().unwrap()).into();
    let (egress, settings) = unencrypted();
    let host = Countersign::builder(sandbox(), registry, egress).settings(settings).build();
    let subject: Arc<Subject> = account(&payload, &json!({"token": "t-1", "api_key": "k-1"}));
    let map = |pairs: &[(&str, &'static str)]| {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_static(value));
        }
        map
    };
    let frames = [
        Frame::data(Bytes::from("he")),
        Frame::data(Bytes::from("llo")),
        Frame::trailers(map(trailers)),
    ];
    let frames = frames.into_iter().map(Ok::<_, Infallible>);
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let mut request = Request::post("/x").body(body).unwrap();
    *request.headers_mut() = map(headers);
    let upstream = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        loop {
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
            let text = String::from_utf8(bytes.clone()).unwrap();
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && (body.contains("\r\n0\r\n") && body.ends_with("\r\n\r\n")
                    || head.contains("content-length: 3") && body.len() == 3)
            {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                let head = head.lines().map(str::to_owned).collect();
                return Seen { head, body: body.to_owned() };
            }
        }
    };
    let exchange = async { tokio::join!(upstream, host.send(&subject, request)) };
    let (seen, reply) = timeout(Duration::from_secs(20), exchange).await.unwrap();
    assert_eq!(reply.unwrap().status(), 200);
    seen
}

/// The key in `X-API-Key`, and a header of the provider's own.
fn keyed() -> Json {
    let mut payload = payload("API_KEY", &["api_key"]);
    payload["auth_patterns"][0]["auth_header_key_override"] = "X-API-Key".into();
    payload["proxy_headers"] = json!({"X-Version": "2"});
    payload
}

#[tokio::test(flavor = "multi_thread")]
async fn row_07_no_trailer_stands_in_for_what_was_put_on_the_request() {
    for forbidden in [
        // What the plugin writes, and what the provider says.
        "x-api-key",
        "X-API-KEY",
        "X_API_Key",
        "x.api.key",
        "x-api-key_",
        "x-version",
        "X_Version",
        // What `Connection` names.
        "x-hop",
        // What frames, routes or authenticates.
        "authorization",
        "Authorization_",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "forwarded",
        "host",
        "http2-settings",
        "if-match",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-forwarded-host",
        "x-http-method-override",
    ] {
        let headers =
            [("connection", "x-hop"), ("trailer", "grpc-status, x-sum"), ("trailer", forbidden)];
        let trailers = [("grpc-status", "0"), (forbidden, "evil"), ("x-sum", "7")];
        let seen = sent(bundled().await, &keyed(), &headers, &trailers).await;
        assert_eq!(seen.header("trailer"), ["grpc-status, x-sum"], "{forbidden}");
        assert_eq!(seen.header("x-api-key"), ["k-1"], "{forbidden}");
        assert_eq!(seen.header("x-version"), ["2"], "{forbidden}");
        assert_eq!(seen.header("transfer-encoding"), ["chunked"], "{forbidden}");
        let (_, below) = seen.body.split_once("\r\n0\r\n").unwrap();
        let mut below: Vec<_> = below.trim_end().lines().collect();
        below.sort_unstable();
        assert_eq!(below, ["grpc-status: 0", "x-sum: 7"], "{forbidden}");
    }
}

/// A plugin that looks at the body, and then does this.
fn looking(edits: Vec<Val>) -> (Arc<Registry>, TempDir) {
    let needs = ["read body", "write body", "write header/authorization"];
    let about = r#"{"title":"Looking","version":"1"}"#;
    let looks = answer::show(&["body/bytes"]);
    let guest = Guest::auth(answer::descriptor(&["X_LOOKING"], &[], &needs, about.into()))
        .body("authorize", Body::either("(local.get 4)", answer::ready(edits), looks));
    registry_of(&[("looking", guest.build().unwrap())])
}

#[tokio::test]
async fn the_trailers_of_a_body_that_was_looked_at_follow_it_announced_or_not() {
    let payload = payload("X_LOOKING", &["token"]);
    let trailers = [("x-sum", "7"), ("authorization", "evil")];
    for headers in [&[][..], &[("trailer", "x-other, x-sum")]] {
        let set = vec![answer::set_header("authorization", "ours")];
        let (registry, _folder) = looking(set);
        let seen = sent(registry, &payload, headers, &trailers).await;
        assert_eq!(seen.header("authorization"), ["ours"]);
        assert_eq!(seen.header("trailer"), ["x-sum"]);
        assert_eq!(seen.body, "5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n");
    }
}

#[tokio::test]
async fn the_trailers_of_a_body_that_a_plugin_replaced_are_gone_with_it() {
    let payload = payload("X_LOOKING", &["token"]);
    let (registry, _folder) = looking(vec![Val::of("set-body", "new")]);
    let seen = sent(registry, &payload, &[("trailer", "x-sum")], &[("x-sum", "7")]).await;
    assert_eq!(seen.header("trailer"), [""; 0]);
    assert_eq!((seen.header("content-length"), seen.body.as_str()), (vec!["3"], "new"));
}
