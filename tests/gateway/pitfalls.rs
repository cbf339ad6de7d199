//! Known ways in which credential injectors have failed, at the gateway (docs/pitfalls.md, rows 4, 6
//! to 9 and 21; row 17 has a module of its own, `leaks`).

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::Process;
use crate::scene::{Gateway, bearer, values};
use crate::upstream::{Upstream, whole};

/// A gateway that may reach loopback without TLS.
struct Scene {
    gateway: Gateway,
    /// Where it listens.
    address: String,
    token: String,
    _process: Process,
    _folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = ["--allow-upstream", "127.0.0.1/32", "--allow-http-upstream"];
        let (process, gateway) = Gateway::start(&folder.path().join("data"), &options).await;
        let address = process.url().strip_prefix("http://").unwrap().to_owned();
        let token = gateway.token.clone();
        Self { gateway, address, token, _process: process, _folder: folder }
    }

    async fn provide(&self, name: &str, payload: &Json) {
        self.gateway.connect(payload, name, &Json::Null).await;
    }

    async fn account(&self, connection: &str, identifier: &str, token: &str) {
        let details = values(&serde_json::json!({"token": token}));
        self.gateway.account(connection, identifier, &details).await;
    }

    /// A request for the account `u1` of `api`.
    fn proxied(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.proxied_for(method, path, "api", "u1")
    }

    fn proxied_for(
        &self,
        method: &str,
        path: &str,
        connection: &str,
        identifier: &str,
    ) -> reqwest::RequestBuilder {
        self.gateway.proxied(method, path, (connection, identifier))
    }
}

/// One with the connection `api` to the upstream, and the account `u1` with the token `canary`.
async fn with_account(upstream: &Upstream) -> Scene {
    let scene = Scene::new().await;
    scene.provide("api", &bearer("api", &upstream.url("/base"))).await;
    scene.account("api", "u1", "canary").await;
    scene
}

/// Sends these bytes, and reads until the gateway ends the connection.
async fn raw(scene: &Scene, bytes: &str) -> String {
    let mut stream = TcpStream::connect(&scene.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // An end that is not orderly is one too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The head of a proxied request, up to its own headers.
fn head(scene: &Scene, line: &str) -> String {
    format!(
        "{line}\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection_name: api\r\n\
         identifier: u1\r\n",
        scene.address, scene.token
    )
}

#[tokio::test]
async fn row_4_a_redirect_is_the_callers_to_follow() {
    let elsewhere = Upstream::noting(|_| whole(200, "")).await;
    let location = elsewhere.url("/stolen");
    let upstream = Upstream::noting(move |seen| {
        let status = seen.uri.path().rsplit('/').next().unwrap().parse().unwrap();
        let mut reply = whole(status, "");
        reply.headers_mut().insert("location", location.parse().unwrap());
        reply
    })
    .await;
    let scene = with_account(&upstream).await;
    for status in [301, 302, 303, 307, 308] {
        let answer = scene.proxied("GET", &format!("/{status}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    assert_eq!(upstream.take().len(), 5);
    assert!(elsewhere.take().is_empty());
}

#[tokio::test]
async fn row_6_what_a_caller_says_of_its_own_connection_takes_nothing_away() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    for (name, value) in [
        ("connection", "authorization, x-request-id"),
        ("connection", "close, x-own"),
        ("proxy-connection", "authorization"),
        ("te", "gzip, chunked"),
        ("keep-alive", "1"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"),
        ("proxy-authorization", "Basic evil"),
    ] {
        let close = if name == "connection" { "" } else { "connection: close\r\n" };
        let head = head(&scene, "GET /proxy/x HTTP/1.1");
        let close = if value.contains("close") { "" } else { close };
        let end = if name == "connection" && !value.contains("close") {
            "connection: close\r\n"
        } else {
            ""
        };
        let answer = raw(&scene, &format!("{head}{name}: {value}\r\n{close}{end}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {value}\n{answer}");
        let seen = upstream.one();
        assert_eq!(seen.headers["authorization"], "Bearer canary", "{name}: {value}");
        assert_eq!(seen.headers.get_all("authorization").iter().count(), 1);
        assert!(!seen.headers.contains_key(name), "{name}: {value}");
    }
}

#[tokio::test]
async fn row_7_the_credential_is_there_once_whatever_a_caller_sends() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = Scene::new().await;
    let mut payload = bearer("api", &upstream.url("/base"));
    payload["auth_patterns"][0]["auth_header_key_override"] = "X-API-Key".into();
    scene.provide("api", &payload).await;
    scene.account("api", "u1", "canary").await;
    for name in ["x-api-key", "X_API_Key", "x_api-key", "X-API-KEY"] {
        let request = scene.proxied("GET", "/x").header(name, "evil").header(name, "evil 2");
        assert_eq!(request.send().await.unwrap().status(), 200);
        let seen = upstream.one();
        let same = |name: &str| name.replace('_', "-") == "x-api-key";
        let values: Vec<_> =
            seen.headers.iter().filter(|(name, _)| same(name.as_str())).map(|it| it.1).collect();
        assert_eq!(values, ["Bearer canary"], "{name}");
        assert!(!seen.headers.contains_key("authorization"), "the gateway's own token");
        let routing =
            |name: &str| ["connection-name", "identifier"].contains(&&*name.replace('_', "-"));
        assert!(!seen.headers.keys().any(|name| routing(name.as_str())), "{:?}", seen.headers);
    }
}

/// What two readers could frame in two ways reaches no upstream.
#[tokio::test]
async fn row_8_a_request_that_can_be_framed_in_two_ways_is_refused() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    let smuggled = "GET /stolen HTTP/1.1\r\nhost: x\r\n\r\n";
    for framing in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5, 6\r\n",
        "content-length: +5\r\n",
        "content-length: 0x5\r\n",
        "transfer-encoding: identity, chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding : chunked\r\n",
        "content-length: 5\r\n transfer-encoding: chunked\r\n",
    ] {
        let head = head(&scene, "POST /proxy/x HTTP/1.1");
        let answer = raw(&scene, &format!("{head}{framing}\r\n0\r\n\r\n{smuggled}")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{framing}\n{answer}");
        assert!(upstream.take().is_empty(), "{framing}");
    }
    // Of both, the coding counts (RFC 9112, section 6.3), and what follows is no body.
    let head = head(&scene, "POST /proxy/x HTTP/1.1");
    let both = "content-length: 50\r\ntransfer-encoding: chunked\r\nconnection: close\r\n";
    let answer = raw(&scene, &format!("{head}{both}\r\n3\r\nabc\r\n0\r\n\r\n{smuggled}")).await;
    let seen = upstream.take();
    assert!(seen.len() <= 1, "{answer}\n{seen:?}");
    assert!(seen.iter().all(|it| it.body == "abc" && it.uri == "/base/x"), "{seen:?}");
}

/// An upstream connection that a reply was left unread on is not used for another account.
#[tokio::test]
async fn row_8_a_reply_that_is_left_unread_reaches_no_other_account() {
    let upstream = Upstream::noting(|seen| {
        whole(200, seen.headers["authorization"].to_str().unwrap().repeat(50_000))
    })
    .await;
    let scene = with_account(&upstream).await;
    scene.account("api", "u2", "second").await;
    for _ in 0..10 {
        let mut left = scene.proxied("GET", "/x").send().await.unwrap();
        left.chunk().await.unwrap();
        drop(left);
        let other = scene.proxied_for("GET", "/x", "api", "u2").send().await.unwrap();
        let body = other.text().await.unwrap();
        assert!(body == "Bearer second".repeat(50_000), "{}", &body[..100.min(body.len())]);
    }
}

#[tokio::test]
async fn row_9_nothing_that_a_proxy_may_have_written_says_where_a_request_goes() {
    let elsewhere = Upstream::noting(|_| whole(200, "")).await;
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    let evil = elsewhere.address.to_string();
    let mut request = scene.proxied("GET", "/x");
    for name in ["x-forwarded-host", "x-original-url", "x-rewrite-url", "x-host", "x-real-ip"] {
        request = request.header(name, &evil);
    }
    let request = request
        .header("x-forwarded-uri", "/proxy/other")
        .header("forwarded", format!("host={evil}"))
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-user", "u2");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let seen = upstream.one();
    assert_eq!(seen.uri, "/base/x");
    assert_eq!(seen.headers["host"], upstream.address.to_string());
    assert!(!seen.headers.contains_key("forwarded"));
    assert!(elsewhere.take().is_empty());
    // Nor a host that is said twice, differently.
    let line = format!("GET http://{evil}/proxy/x HTTP/1.1");
    let answer = raw(&scene, &format!("{}connection: close\r\n\r\n", head(&scene, &line))).await;
    assert!(answer.contains("host_refused"), "{answer}");
    assert!(upstream.take().is_empty());
}

/// A path that a model chose must not reach the management API, as a client library resolves it or
/// as it is.
#[tokio::test]
async fn a_path_does_not_lead_out_of_the_proxy() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    for (path, code) in [
        ("/proxy/../api/v1/connected_accounts/auth", "path_refused"),
        ("/proxy/%2e%2e/api/v1/providers", "path_refused"),
        ("/api/v1/connected_accounts/auth?connector=api&identifier=u1", "routing_headers"),
        ("/oauth/token", "routing_headers"),
        ("/metrics", "routing_headers"),
    ] {
        let request = head(&scene, &format!("GET {path} HTTP/1.1"));
        let answer = raw(&scene, &format!("{request}connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}\n{answer}");
        assert!(answer.contains(&format!("countersign-error: {code}\r\n")), "{path}\n{answer}");
    }
    assert!(upstream.take().is_empty());
}

#[tokio::test]
async fn row_21_a_cookie_of_one_account_is_not_sent_for_another() {
    let upstream = Upstream::noting(|seen| {
        let mut reply = whole(200, "");
        let whose = seen.headers["authorization"].to_str().unwrap().replace(' ', "-");
        let cookie = format!("session={whose}; Path=/");
        reply.headers_mut().insert("set-cookie", cookie.parse().unwrap());
        reply.headers_mut().insert("cache-control", "public, max-age=600".parse().unwrap());
        reply
    })
    .await;
    let scene = with_account(&upstream).await;
    scene.account("api", "u2", "second").await;
    for identifier in ["u1", "u2", "u1"] {
        let request = scene.proxied_for("GET", "/x", "api", identifier);
        let answer = request.header("cookie", "session=of-another").send().await.unwrap();
        assert!(!answer.headers().contains_key("set-cookie"));
        assert!(answer.headers()["vary"].to_str().unwrap().contains("identifier"));
        assert!(!upstream.one().headers.contains_key("cookie"), "{identifier}");
    }
}

#[tokio::test]
async fn a_method_that_would_echo_or_tunnel_is_refused() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    let answer = scene.proxied("TRACE", "/x").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.headers().contains_key("countersign-error"), "the gateway's own");
    let connect = head(&scene, "CONNECT /proxy/x HTTP/1.1");
    let answer = raw(&scene, &format!("{connect}connection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(upstream.take().is_empty());
}
