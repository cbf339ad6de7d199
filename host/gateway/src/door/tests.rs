use http::Request;

use super::*;

fn parts(path: &str, headers: &[(&str, &str)]) -> request::Parts {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn code(path: &str, headers: &[(&str, &str)]) -> &'static str {
    Door::of(&parts(path, headers)).err().unwrap().code
}

#[test]
fn each_path_has_its_door() {
    for (path, door) in [
        ("/proxy", Door::Proxy),
        ("/proxy/", Door::Proxy),
        ("/proxy/v1/tickets?page=2", Door::Proxy),
        ("/proxy//evil.example/x", Door::Proxy),
        ("/oauth/token", Door::Token),
        ("/api/v1/providers", Door::Api),
        ("/openapi.json", Door::OpenApi),
        ("/keys", Door::Keys),
        ("/healthz", Door::Health),
        ("/readyz", Door::Ready),
        ("/metrics", Door::Metrics),
        ("/", Door::None),
        ("/proxyv1/x", Door::None),
        ("/%70roxy/x", Door::None),
        ("/PROXY/x", Door::None),
        ("/api", Door::None),
        ("/oauth/token/", Door::None),
    ] {
        assert_eq!(Door::of(&parts(path, &[])).unwrap(), door, "{path}");
    }
}

#[test]
fn dot_segments_are_refused_at_every_door_encoded_or_not() {
    for path in [
        "/proxy/../api/v1/providers",
        "/proxy/..",
        "/proxy/./x",
        "/proxy/a/%2e%2e/b",
        "/proxy/a/.%2E/b",
        "/proxy/a/%252e%252e/b",
        "/proxy/a%2f..%2fb",
        "/proxy/a%5c..%5cb",
        "/proxy/..;x=1/b",
        "/api/v1/../../proxy/x",
        "/api/v1/%2e%2e/providers",
        "/oauth/./token",
    ] {
        assert_eq!(code(path, &[]), "path_refused", "{path}");
    }
    assert!(Door::of(&parts("/proxy/a..b/.well-known/x?y=../..", &[])).is_ok());
}

/// What a client library has made of `/../api/v1/providers` before it was sent.
#[test]
fn routing_headers_are_refused_wherever_nothing_is_routed() {
    for name in
        ["connection_name", "Connection_Name", "connection-name", "identifier", "IDENTIFIER"]
    {
        for path in ["/api/v1/providers", "/oauth/token", "/proxyv1/x", "/", "/metrics"] {
            assert_eq!(code(path, &[(name, "x")]), "routing_headers", "{name} {path}");
        }
        assert!(Door::of(&parts("/proxy/x", &[(name, "x")])).is_ok());
    }
}

#[test]
fn a_host_is_said_once() {
    for (path, headers) in [
        ("http://a.example/proxy/x", vec![("host", "b.example")]),
        ("/proxy/x", vec![("host", "a.example"), ("host", "b.example")]),
        ("/proxy/x", vec![("host", "a.example"), ("host", "a.example")]),
        ("http://user@a.example/proxy/x", vec![]),
    ] {
        assert_eq!(code(path, &headers), "host_refused", "{path} {headers:?}");
    }
    assert!(Door::of(&parts("http://a.example/proxy/x", &[("host", "A.example")])).is_ok());
    // Nothing that a proxy may have written changes where a request goes.
    let forwarded = [("x-forwarded-host", "evil"), ("x-forwarded-uri", "/proxy/x"), ("host", "a")];
    assert_eq!(Door::of(&parts("/api/v1/x", &forwarded)).unwrap(), Door::Api);
}
