//! Rows 5, 6 and 7: header splitting, hop-by-hop abuse, and names in other spellings.

use countersign::Countersign;
use countersign_tests::world::unencrypted;
use countersign_tests::{Recorder, header, sandbox};
use http::Request;
use http::header::{HeaderName, HeaderValue};
use http_body_util::Empty;
use serde_json::{Value as Json, json};

use super::{Site, account, at, bundled, get, payload, whose};

const SPLITTERS: [&str; 8] =
    ["a\r\nX: y", "a\n", "a\0", "a\r", "a\r\n b", "a\u{10a}X: y", "\n", "a\u{7f}"];

#[tokio::test(flavor = "multi_thread")]
async fn row_05_no_value_splits_a_header_or_a_request() {
    let site = Site::new().await;
    let mut query = payload("API_KEY", &["api_key"]);
    query["auth_patterns"][0]["fields"][0]["header_name"] = "X-Key".into();
    let mut cookie = payload("API_KEY", &["api_key"]);
    cookie["auth_patterns"][0]["fields"][0]["cookie_name"] = "key".into();
    let payloads = [payload("BEARER", &["token"]), payload("API_KEY", &["api_key"]), query, cookie];
    for payload in &payloads {
        for value in SPLITTERS {
            let details = json!({"token": value, "api_key": value});
            let Ok(account) = whose(payload, &json!({}), &details) else { continue };
            let error = site.send(&account, get("/x")).await.unwrap_err();
            let code = error.code();
            assert!(["invalid_config", "edit_refused"].contains(&code), "{value:?}: {error}");
        }
    }
    // Basic encodes whatever it is given, so a value cannot split; it is refused all the same, or
    // sent as base64 alone.
    for value in SPLITTERS {
        let payload = payload("BASIC", &["username", "password"]);
        let details = json!({"username": "u", "password": value});
        let Ok(account) = whose(&payload, &json!({}), &details) else { continue };
        if let Ok(seen) = site.send(&account, get("/x")).await {
            let [sent] = &header(&seen, "authorization")[..] else { panic!("{seen}") };
            assert!(sent.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{sent}");
            assert_eq!(header(&seen, "x"), [""; 0]);
        }
    }
}

#[test]
fn row_05_no_name_or_setting_of_a_configuration_splits_anything() {
    let good = payload("API_KEY", &["api_key"]);
    let details = json!({"api_key": "k-1"});
    assert!(whose(&good, &json!({}), &details).is_ok());
    let change = |pointer: &str, value: &str| {
        let mut payload = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        payload.pointer_mut(parent).unwrap()[name] = value.into();
        payload
    };
    for name in ["X Key", "X-Key:", "X-Key\r\nEvil", "X\0Key", ":authority", "", "Ⓧ-Key"] {
        let places = ["header_name", "query_name", "cookie_name"];
        for place in
            places.into_iter().filter(|it| *it != "query_name" || name.contains(char::is_control))
        {
            let payload = change(&format!("/auth_patterns/0/fields/0/{place}"), name);
            assert!(whose(&payload, &json!({}), &details).is_err(), "{place} {name:?}");
        }
        let payload = change("/auth_patterns/0/auth_header_key_override", name);
        assert!(name.is_empty() || whose(&payload, &json!({}), &details).is_err(), "{name:?}");
    }
    for value in SPLITTERS.iter().filter(|it| it.contains(char::is_control)) {
        for setting in ["client_id", "scopes", "redirect_uri", "audience"] {
            let connection = json!({setting: value});
            assert!(whose(&good, &connection, &details).is_err(), "{setting} {value:?}");
        }
        let payload = change("/proxy_url", &format!("https://api.example.com/{value}"));
        assert!(whose(&payload, &json!({}), &details).is_err(), "{value:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_06_what_connection_names_never_takes_the_injected_header_along() {
    let site = Site::new().await;
    let mut key = payload("API_KEY", &["api_key"]);
    key["auth_patterns"][0]["auth_header_key_override"] = "X-API-Key".into();
    for (payload, name, value) in
        [(payload("BEARER", &["token"]), "authorization", "Bearer t-1"), (key, "x-api-key", "k-1")]
    {
        let account = account(&payload, &json!({"token": "t-1", "api_key": "k-1"}));
        let named = "authorization, x-api-key, close, X-Account, te, upgrade";
        for (hop, hop_value) in [
            ("connection", named),
            ("proxy-connection", named),
            ("keep-alive", "authorization"),
            ("te", "trailers, authorization"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            ("transfer-encoding", "chunked"),
            ("trailer", "authorization"),
            ("proxy-authorization", "Basic Og=="),
        ] {
            let request = Request::get("/x")
                .header(hop, hop_value)
                .header("x-account", "mine")
                .header("authorization", "the caller's own")
                .body(())
                .unwrap();
            let seen = site.send(&account, request).await.unwrap();
            assert_eq!(header(&seen, name), [value], "{hop}");
            // Trailers of a reply are welcome to us; no other word goes on.
            let goes_on = if hop == "te" { vec!["trailers"] } else { vec![] };
            assert_eq!(header(&seen, hop), goes_on, "{hop} went on");
            if hop == "connection" {
                assert_eq!(header(&seen, "x-account"), [""; 0], "what the caller named is dropped");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_06_the_reply_s_hop_by_hop_headers_end_here() {
    let upstream = Recorder::start(
        "127.0.0.1:0",
        "HTTP/1.1 200 OK\r\nconnection: x-hop, keep-alive\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
         proxy-authenticate: Basic\r\nproxy-connection: close\r\nupgrade: h2c\r\nx-kept: 1\r\n\
         content-length: 0\r\n\r\n",
    )
    .await;
    let (egress, settings) = unencrypted();
    let host = Countersign::builder(sandbox(), bundled().await, egress).settings(settings).build();
    let payload = at(&format!("http://{}", upstream.address()), &["token"]);
    let account = account(&payload, &json!({"token": "t-1"}));
    let request = Request::get("/x").body(Empty::<bytes::Bytes>::new()).unwrap();
    let reply = host.send(&account, request).await.unwrap();
    let names: Vec<_> = reply.headers().keys().map(HeaderName::as_str).collect();
    assert_eq!(names, ["x-kept", "content-length"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_07_exactly_one_credential_goes_upstream_and_it_is_ours() {
    let site = Site::new().await;
    let mut key = payload("API_KEY", &["api_key"]);
    key["auth_patterns"][0]["auth_header_key_override"] = "X-API-Key".into();
    let ours = |seen: &Json, folded: &str| -> Vec<String> {
        let headers = seen["headers"].as_array().unwrap().iter();
        headers
            .filter(|it| {
                let name = it[0].as_str().unwrap().replace(['_', '.'], "-");
                name.trim_end_matches('-') == folded
            })
            .map(|it| it[1].as_str().unwrap().to_owned())
            .collect()
    };
    let bearer = account(&payload("BEARER", &["token"]), &json!({"token": "t-1"}));
    let keyed = account(&key, &json!({"api_key": "k-1"}));
    for spelling in
        ["authorization", "AUTHORIZATION", "Authorization", "Authorization_", "authorization-"]
    {
        let mut request = get("/x");
        let name: HeaderName = spelling.parse().unwrap();
        for value in ["Bearer evil-1", "Bearer evil-2"] {
            request.headers_mut().append(name.clone(), HeaderValue::from_static(value));
        }
        let seen = site.send(&bearer, request).await.unwrap();
        assert_eq!(ours(&seen, "authorization"), ["Bearer t-1"], "{spelling}");
    }
    for spelling in ["x-api-key", "X-API-KEY", "X_API_Key", "x_api-key", "X.API.Key", "X_API_Key_"]
    {
        let request = Request::get("/x").header(spelling, "evil").body(()).unwrap();
        let seen = site.send(&keyed, request).await.unwrap();
        assert_eq!(ours(&seen, "x-api-key"), ["k-1"], "{spelling}");
        assert!(!seen.to_string().contains("evil"), "{spelling}");
    }
    // Pseudo-headers of HTTP/2 are no names that a request could hold.
    assert!(":authority".parse::<HeaderName>().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn row_07_the_same_holds_for_parameters_and_cookies() {
    let site = Site::new().await;
    let placed = |place: &str| {
        let mut payload = payload("API_KEY", &["api_key"]);
        payload["auth_patterns"][0]["fields"][0][place] = "key".into();
        account(&payload, &json!({"api_key": "k-1"}))
    };
    for query in
        ["key=evil", "key=evil&a=1&key=evil", "%6bey=evil", "k%65y=evil&key", "%6B%65%79=evil"]
    {
        let seen = site.send(&placed("query_name"), get(&format!("/x?{query}"))).await.unwrap();
        let url = seen["url"].as_str().unwrap();
        let query = url.split_once('?').unwrap().1;
        let pairs: Vec<_> =
            url::form_urlencoded::parse(query.as_bytes()).filter(|it| it.0 == "key").collect();
        assert_eq!(pairs, [("key".into(), "k-1".into())], "{url}");
    }
    for cookie in ["key=evil", "a=1; key=evil; key=evil", "key=\"evil\""] {
        let request = Request::get("/x").header("cookie", cookie).body(()).unwrap();
        let seen = site.send(&placed("cookie_name"), request).await.unwrap();
        let sent = header(&seen, "cookie").join("; ");
        assert_eq!(sent.matches("key=").count(), 1, "{sent}");
        assert!(sent.contains("key=k-1") && !sent.contains("evil"), "{sent}");
    }
}
