//! Rows 2 and 11: the caller's path and what looks like a template.

use countersign::Countersign;
use countersign_tests::world::unencrypted;
use countersign_tests::{Recorder, header, json as file, sandbox, seen};
use http::Request;
use http::uri::{Parts, PathAndQuery, Uri};
use serde_json::json;

use super::{HOST, Site, account, at, bundled, payload};

/// A URI of this path alone; none where no caller could even say it.
fn uri(path: &str) -> Option<Uri> {
    let mut parts = Parts::default();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn row_02_no_path_changes_the_authority_or_leaves_the_base() {
    let site = Site::new().await;
    let account = account(&payload("BEARER", &["token"]), &json!({"token": "t-1"}));
    let (mut sent, mut refused) = (0, 0);
    for path in [
        "//evil.com/x",
        "/\\evil.com/x",
        "\\\\evil.com/x",
        "\t//evil.com",
        "/\t/evil.com",
        "@evil.com",
        ":pw@evil.com/",
        ".evil.com/",
        "v1/x",
        ":8443/x",
        "https://evil.com/x",
        "http:/x",
        "javascript:alert(1)",
        "/../../admin",
        "/..",
        "/%2e%2e/admin",
        "/%2E%2e/admin",
        "/.%2e/admin",
        "/a/../../admin",
        "/..%2fadmin",
        "/..;/admin",
        "/%252e%252e/admin",
        "/x\r\nHost: evil",
        "/x%0d%0aHost:%20evil",
        "/@evil.com",
        "/:8443/x",
        "/https://evil.com/x",
        "///evil.com",
        "/a//evil.com",
        "/x?u=@evil.com",
        "/x?//evil.com",
        "*",
        "",
    ] {
        let Some(uri) = uri(path) else {
            refused += 1;
            continue;
        };
        let before = site.reached();
        match site.send(&account, Request::get(uri).body(()).unwrap()).await {
            Ok(seen) => {
                assert_eq!(seen["authority"], HOST, "{path}");
                let url = seen["url"].as_str().unwrap();
                assert!(
                    url == "/base" || url.starts_with("/base/") || url.starts_with("/base?"),
                    "{path}: {url}"
                );
                assert!(!url.contains(".."), "{path}: {url}");
                sent += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), "target_refused", "{path}");
                assert_eq!(site.reached(), before, "{path}");
                refused += 1;
            }
        }
    }
    assert!(sent > 5 && refused > 10, "{sent} sent, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_02_the_request_line_is_the_url_byte_for_byte() {
    let upstream =
        Recorder::start("127.0.0.1:0", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let (egress, settings) = unencrypted();
    let host = Countersign::builder(sandbox(), bundled().await, egress).settings(settings).build();
    let payload = at(&format!("http://{}/api", upstream.address()), &["token"]);
    let account = account(&payload, &json!({"token": "t-1"}));
    let table = file("tests/vectors/paths.json");
    let (mut exact, mut refused) = (0, 0);
    for row in table.as_array().unwrap() {
        let mut text = row["path"].as_str().unwrap().to_owned();
        // A request divides its URI at the first question mark.
        if text.contains('?') {
            continue;
        }
        if let Some(query) = row["query"].as_str() {
            text = format!("{text}?{query}");
        }
        // An `http::Request` holds no path that does not begin with a slash.
        let Some(uri) = uri(&text).filter(|it| it.to_string() == text && text.starts_with('/'))
        else {
            continue;
        };
        let request = Request::get(uri).body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
        let result = host.send(&account, request).await;
        if let Some(url) = row["url"].as_str() {
            assert!(result.is_ok(), "{text}: {:?}", result.err());
            let received = upstream.take();
            let wanted = url.strip_prefix("https://api.example.com").unwrap();
            let line = format!("GET {wanted} HTTP/1.1");
            assert_eq!(received.lines().next(), Some(line.as_str()));
            exact += 1;
        } else {
            let code = result.err().map(|error| error.code());
            assert_eq!(code, Some("target_refused"), "{text}");
            assert_eq!(upstream.take(), "", "{text}");
            refused += 1;
        }
    }
    assert!(exact >= 60, "{exact} exact, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_11_what_looks_like_a_template_stays_as_it_is() {
    let site = Site::new().await;
    let payload = payload("BEARER", &["token", "other"]);
    for token in [
        "{{other}}",
        "{{token}}",
        "${credentials.password}",
        "{other}",
        "%{other}",
        "{{ other }}",
        "<%= other %>",
    ] {
        let account = account(&payload, &json!({"token": token, "other": "SECRET-2"}));
        let request = Request::get("/x?q=%7B%7Btoken%7D%7D")
            .header("x-note", "{{token}} ${other}")
            .body(())
            .unwrap();
        let seen = site.send(&account, request).await.unwrap();
        assert_eq!(header(&seen, "authorization"), [format!("Bearer {token}")]);
        assert_eq!(header(&seen, "x-note"), ["{{token}} ${other}"]);
        assert_eq!(seen["url"], "/base/x?q=%7B%7Btoken%7D%7D");
        assert!(!seen.to_string().contains("SECRET-2"));
    }
    // In the path and the query themselves: literal, or refused; never filled.
    let account = account(&payload, &json!({"token": "SECRET-1", "other": "SECRET-2"}));
    for path in ["/{{token}}", "/x?q={{token}}", "/${token}"] {
        let Some(uri) = uri(path) else { continue };
        if let Ok(seen) = site.send(&account, Request::get(uri).body(()).unwrap()).await {
            let sent = seen["url"].as_str().unwrap();
            let sent = percent_encoding::percent_decode_str(sent).decode_utf8().unwrap();
            assert_eq!(sent, format!("/base{path}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_11_a_value_in_the_base_path_is_filled_once() {
    let site = Site::new().await;
    let payload = at(&format!("https://{HOST}/{{{{tenant}}}}"), &["token", "tenant"]);
    let account = account(&payload, &json!({"token": "SECRET-1", "tenant": "{{token}}"}));
    let seen = seen(&site.host, &account, "/x").await.unwrap();
    assert_eq!(seen["url"], "/%7B%7Btoken%7D%7D/x");
}
