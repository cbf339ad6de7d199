//! What a caller is told where its request does not go out.

use countersign_gateway::ConnectionUpdate;
use countersign_vault::Role;
use serde_json::{Map, json};

use crate::scene::{Scene, bearer, fault, json_of, with_account};
use crate::upstream::{Upstream, whole};

#[tokio::test]
async fn nothing_goes_out_for_a_caller_who_is_not_known_or_may_not() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    scene.account("api", "u2", "other").await;
    let manager = scene.client("skc_manage", &[Role::Manage, Role::Reveal]).await;
    let limited = scene.limited("skc_limited", &[Role::Proxy], &["u2"]).await;
    let authorized = |value: &str| {
        let request = scene.http.get(scene.url("/proxy/x")).header("connection_name", "api");
        request.header("identifier", "u1").header("authorization", value)
    };
    let own = format!("Bearer {}", scene.token);
    for (what, request, expected) in [
        ("a made-up token", authorized("Bearer made-up"), (401, "unauthenticated")),
        ("another scheme", authorized("Basic c2tjOng="), (401, "unauthenticated")),
        ("nothing", authorized(""), (401, "unauthenticated")),
        ("no token", authorized("Bearer "), (401, "unauthenticated")),
        ("two tokens", authorized(&own).header("authorization", &own), (401, "unauthenticated")),
        ("no role", authorized(&format!("Bearer {manager}")), (403, "forbidden")),
        ("another's", authorized(&format!("Bearer {limited}")), (404, "not_found")),
    ] {
        let answer = request.send().await.unwrap();
        if expected.0 == 401 {
            assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{what}");
        }
        assert_eq!(fault(answer).await, (expected.0, expected.1.to_owned()), "{what}");
    }
    assert!(upstream.take().is_empty());
    let request = authorized(&format!("Bearer {limited}"));
    drop(request);
    let own = scene.http.get(scene.url("/proxy/x")).bearer_auth(&limited);
    let own = own.header("connection_name", "api").header("identifier", "u2");
    assert_eq!(own.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_account_is_named_by_one_value_of_each_header() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    for (headers, fields) in [
        (vec![], vec!["connection_name", "identifier"]),
        (vec![("connection_name", "api")], vec!["identifier"]),
        (vec![("identifier", "u1")], vec!["connection_name"]),
        (vec![("connection_name", " "), ("identifier", "")], vec!["connection_name", "identifier"]),
        (
            vec![("connection_name", "api"), ("identifier", "u1"), ("identifier", "u2")],
            vec!["identifier"],
        ),
        (
            vec![("connection_name", "api"), ("connection-name", "api"), ("identifier", "u1")],
            vec!["connection_name"],
        ),
    ] {
        let mut request = scene.http.get(scene.url("/proxy/x")).bearer_auth(&scene.token);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{headers:?}");
        let json = json_of(answer).await;
        let violations = json["details"][0]["validation_error_info"]["field_violations"].clone();
        let named: Vec<_> = violations.as_array().unwrap().iter().map(|it| &it["field"]).collect();
        assert_eq!(named, fields, "{headers:?}");
    }
    // Another name, or none that can be.
    let (long, blanks) = ("x".repeat(401), ["u1\u{3000}", "\u{a0}u1", "u1\u{2028}", "u1\u{85}"]);
    for (identifier, expected) in
        blanks.iter().map(|it| (*it, 404)).chain([(long.as_str(), 400), (" u1\t", 200)])
    {
        let value = reqwest::header::HeaderValue::from_bytes(identifier.as_bytes()).unwrap();
        let request = scene.http.get(scene.url("/proxy/x")).bearer_auth(&scene.token);
        let request = request.header("connection_name", "api").header("identifier", value);
        assert_eq!(request.send().await.unwrap().status(), expected, "{identifier:?}");
    }
    upstream.one();
    // What a client could not write it may have left out: `usér ☃` comes as these bytes.
    let latin = reqwest::header::HeaderValue::from_bytes(b"us\xe9r").unwrap();
    let request = scene.http.get(scene.url("/proxy/x")).bearer_auth(&scene.token);
    let request = request.header("connection_name", "api").header("identifier", latin);
    assert_eq!(fault(request.send().await.unwrap()).await, (400, "invalid_request".to_owned()));
    assert!(upstream.take().is_empty());
}

#[tokio::test]
async fn each_failure_of_the_gateways_own_has_its_code() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    // Somebody else's port that nothing listens on any more.
    let gone = Upstream::noting(|_| whole(200, "")).await;
    scene.connect("gone", &gone).await;
    scene.account("gone", "u1", "t").await;
    drop(gone);
    let mut closed = bearer("closed", &upstream.url(""));
    closed["proxy_enabled"] = false.into();
    scene.provide("closed", &closed).await;
    scene.account("closed", "u1", "t").await;
    scene.provide("private", &bearer("private", "http://127.0.0.2:1/")).await;
    scene.account("private", "u1", "t").await;
    scene.connect("off", &upstream).await;
    let account = scene.account("off", "u1", "t").await;
    let off = ConnectionUpdate { enabled: Some(false), settings: Map::new() };
    scene.service.update_connection(scene.caller(), &account.connection, off).await.unwrap();
    scene.account_of("api", "pending", json!(null)).await;
    for (connector, identifier, path, expected) in [
        ("api", "nobody", "/x", (404, "not_found")),
        ("nothing", "u1", "/x", (404, "not_found")),
        ("api", "pending", "/x", (400, "account_inactive")),
        ("off", "u1", "/x", (400, "connection_disabled")),
        ("closed", "u1", "/x", (403, "proxy_disabled")),
        ("private", "u1", "/x", (403, "address_refused")),
        ("gone", "u1", "/x", (502, "upstream_unreachable")),
        ("api", "u1", "//evil.example/x", (400, "target_refused")),
        ("api", "u1", "/a%zz", (400, "target_refused")),
    ] {
        let answer = scene.proxied_for("GET", path, connector, identifier).send().await.unwrap();
        let expected = (expected.0, expected.1.to_owned());
        assert_eq!(fault(answer).await, expected, "{connector} {identifier} {path}");
    }
    assert!(upstream.take().is_empty());
}

#[tokio::test]
async fn an_inactive_account_says_how_to_go_on() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    scene.account_of("api", "pending", json!(null)).await;
    let answer = scene.proxied_for("GET", "/x", "api", "pending").send().await.unwrap();
    let json = json_of(answer).await;
    assert!(json["message"].as_str().unwrap().contains("authorization link"), "{json}");
}

/// An upstream's 401 must not be taken for the gateway's, or an SDK would get a new token and send
/// the request again.
#[tokio::test]
async fn what_the_upstream_refuses_is_told_apart() {
    let upstream = Upstream::noting(|seen| {
        let status = seen.uri.path().rsplit('/').next().unwrap().parse().unwrap();
        whole(status, r#"{"error":"theirs"}"#)
    })
    .await;
    let scene = with_account(&upstream).await;
    for status in [400, 401, 403, 404, 409, 429, 500, 502, 503, 504] {
        let answer = scene.proxied("GET", &format!("/{status}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert!(answer.headers().get("countersign-error").is_none());
        assert_eq!(answer.bytes().await.unwrap(), r#"{"error":"theirs"}"#);
    }
}

#[tokio::test]
async fn a_request_keeps_the_id_that_its_caller_gave_it() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    for (given, taken) in [("run-7:a.b_C", true), ("two words", false), ("a\u{e9}", false)] {
        let value = reqwest::header::HeaderValue::from_bytes(given.as_bytes()).unwrap();
        let request = scene.proxied("GET", "/x").header("x-request-id", value);
        let answer = request.send().await.unwrap();
        let id = answer.headers()["countersign-request-id"].to_str().unwrap().to_owned();
        assert_eq!(id == given, taken, "{given}");
        upstream.one();
    }
    let ids: Vec<_> = futures_util::future::join_all((0..2).map(|_| async {
        let answer = scene.http.get(scene.url("/nowhere")).send().await.unwrap();
        let header = answer.headers()["countersign-request-id"].to_str().unwrap().to_owned();
        let json = json_of(answer).await;
        assert_eq!(json["details"][0]["request_info"]["request_id"], header.as_str());
        header
    }))
    .await;
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn what_is_no_door_is_not_there() {
    let scene = Scene::new().await;
    for (method, path, expected) in [
        ("GET", "/", (404, "not_found")),
        ("GET", "/proxyv1/x", (404, "not_found")),
        ("GET", "/oauth/token", (405, "method_not_allowed")),
        ("POST", "/healthz", (405, "method_not_allowed")),
        ("GET", "/metrics", (401, "unauthenticated")),
        ("GET", "/api/v1/providers", (401, "unauthenticated")),
    ] {
        let request = scene.http.request(method.parse().unwrap(), scene.url(path));
        let answer = request.send().await.unwrap();
        assert_eq!(fault(answer).await, (expected.0, expected.1.to_owned()), "{method} {path}");
    }
    for path in ["/healthz", "/readyz", "/keys", "/openapi.json"] {
        assert_eq!(scene.http.get(scene.url(path)).send().await.unwrap().status(), 200, "{path}");
    }
}
