//! Row 6: headers of one connection stay on it, both ways.

use countersign::egress::{EgressError, settle};
use http::{HeaderValue, Request};
use http_body_util::Full;

use crate::upstream::{EMPTY, Recorder, Then};
use crate::{egress, get};

#[tokio::test]
async fn row_6_a_caller_cannot_name_an_injected_header_away() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    for (connection, upgrade) in [
        ("authorization, x-api-key", None),
        ("close, X-Api-Key, Authorization", None),
        ("upgrade, http2-settings, authorization, x-api-key", Some("h2c")),
    ] {
        let mut request = get(&upstream.url("/"));
        let headers = request.headers_mut();
        headers.insert("connection", HeaderValue::from_static(connection));
        headers.insert("proxy-connection", HeaderValue::from_static("authorization"));
        headers.insert("te", HeaderValue::from_static("trailers, authorization"));
        headers.insert("http2-settings", HeaderValue::from_static("AAMAAABkAAQ"));
        headers.insert("authorization", HeaderValue::from_static("the caller's"));
        if let Some(upgrade) = upgrade {
            headers.insert("upgrade", HeaderValue::from_static(upgrade));
        }
        let _ = settle(headers);
        assert!(!headers.contains_key("authorization"));
        let shown = headers.clone();
        headers.insert("authorization", HeaderValue::from_static("ours"));
        headers.insert("x-api-key", HeaderValue::from_static("ours"));
        egress().send(request).await.unwrap();

        let mut sent = upstream.header_lines();
        sent.sort();
        let host = format!("host: 127.0.0.1:{}", upstream.port());
        let expected =
            ["accept: */*", "authorization: ours", &host, "te: trailers", "x-api-key: ours"];
        assert_eq!(sent, expected);
        assert_eq!(shown.len(), 2, "nothing but the edits comes after what a plugin sees");
    }
}

#[tokio::test]
async fn a_request_that_was_not_settled_loses_no_injected_header_either() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let mut request = get(&upstream.url("/"));
    request.headers_mut().insert("connection", HeaderValue::from_static("authorization"));
    request.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
    request.headers_mut().insert("te", HeaderValue::from_static("gzip, authorization"));
    request.headers_mut().insert("authorization", HeaderValue::from_static("ours"));
    egress().send(request).await.unwrap();
    let sent = upstream.header_lines();
    assert!(sent.contains(&"authorization: ours".to_owned()));
    for hop in ["connection", "upgrade", "te"] {
        assert!(!sent.iter().any(|line| line.starts_with(&format!("{hop}:"))), "{hop}");
    }
}

#[tokio::test]
async fn the_host_header_follows_from_the_url() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let mut request = get(&upstream.url("/"));
    request.headers_mut().append("host", HeaderValue::from_static("evil.example"));
    request.headers_mut().append("host", HeaderValue::from_static("other.example"));
    egress().send(request).await.unwrap();
    let hosts: Vec<String> =
        upstream.header_lines().into_iter().filter(|line| line.starts_with("host")).collect();
    assert_eq!(hosts, [format!("host: 127.0.0.1:{}", upstream.port())]);
}

#[tokio::test]
async fn row_6_hop_by_hop_headers_of_a_reply_are_dropped() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Internal\r\nX-Internal: 1\r\n\
                  Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\n\
                  X-Kept: 1\r\nContent-Length: 2\r\n\r\nhi";
    let upstream = Recorder::start(answer, Then::KeepOpen).await;
    let reply = egress().send(get(&upstream.url("/"))).await.unwrap();
    let mut names: Vec<&str> = reply.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "x-kept"]);
    assert!(reply.extensions().is_empty());
}

#[tokio::test]
async fn tunnels_and_echoes_are_refused() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    for method in ["CONNECT", "TRACE"] {
        let request = Request::builder()
            .method(method)
            .uri(upstream.url("/"))
            .body(Full::<bytes::Bytes>::default())
            .unwrap();
        assert!(matches!(egress().send(request).await, Err(EgressError::Method)), "{method}");
    }
    assert_eq!(upstream.connections(), 0);
}
