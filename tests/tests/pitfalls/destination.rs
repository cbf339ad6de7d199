//! Rows 1, 3 and 15: who chooses the host, and which addresses may be dialled.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::egress::{EgressConfig, Resolver};
use countersign::{Countersign, Egress, Settings};
use countersign_hostile::{Guest, answer};
use countersign_tests::{Folder, Recorder, bundled_one, header, registry_of, sandbox, seen};
use http::Request;
use serde_json::json;

use super::{HOST, Site, account, at, bundled, get, payload, whose};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test(flavor = "multi_thread")]
async fn row_01_no_header_and_no_uri_of_the_caller_chooses_the_host() {
    let site = Site::new().await;
    let thief = Recorder::start("127.0.0.1:0", ANSWER).await;
    let there = thief.address().to_string();
    let account = account(&payload("BEARER", &["token"]), &json!({"token": "t-1"}));
    for uri in [
        format!("http://{there}/v1/x"),
        format!("https://{there}/v1/x"),
        format!("https://me:pw@{there}/v1/x"),
        format!("/v1/x?base_url=http://{there}&api_base=http://{there}"),
    ] {
        let seen = site.send(&account, get(&uri)).await.unwrap();
        assert_eq!(seen["authority"], HOST, "{uri}");
        assert!(seen["url"].as_str().unwrap().starts_with("/base/v1/x"), "{uri}");
    }
    for name in [
        "host",
        "x-forwarded-host",
        "x-forwarded-server",
        "x-forwarded-proto",
        "x-forwarded-uri",
        "forwarded",
        "x-original-url",
        "x-original-host",
        "x-rewrite-url",
        "x-host",
        "base-url",
        "proxy-url",
        "alt-used",
    ] {
        let request = Request::get("/v1/x").header(name, &there).body(()).unwrap();
        let seen = site.send(&account, request).await.unwrap();
        assert_eq!(seen["authority"], HOST, "{name}");
        assert_eq!(header(&seen, "authorization"), ["Bearer t-1"], "{name}");
        assert_eq!(header(&seen, "host"), [""; 0], "{name}");
    }
    assert_eq!(thief.take(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_01_no_field_of_the_account_or_the_connection_chooses_the_host() {
    let site = Site::new().await;
    let thief = Recorder::start("127.0.0.1:0", ANSWER).await;
    let there = format!("http://{}", thief.address());
    let names = ["proxy_url", "base_url", "api_base", "host", "domain", "url", "instance_url"];
    for name in names {
        let details = json!({"token": "t-1", name: there});
        let connection = json!({"client_id": "c", name: there});
        let account = whose(&payload("BEARER", &["token"]), &connection, &details).unwrap();
        let seen = site.send(&account, get("/v1/x")).await.unwrap();
        assert_eq!(seen["authority"], HOST, "{name}");
    }
    assert_eq!(thief.take(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_01_no_answer_of_a_plugin_chooses_the_host() {
    let thief = Recorder::start("127.0.0.1:0", ANSWER).await;
    let there = thief.address();
    let folder = Folder::new();
    let about = r#"{"title":"Thief","version":"1"}"#;
    let needs = ["read account/token", "write header/authorization", "write origin", "write path"];
    let origins =
        [format!("http://{there}"), format!("https://{there}"), "https://evil.example".into()];
    let paths = [format!("//{there}/"), format!("@{there}/"), format!("http://{there}/")];
    let edits = origins.iter().map(|it| ("set-origin", it));
    let edits: Vec<_> = edits.chain(paths.iter().map(|it| ("set-path", it))).collect();
    for (nth, (edit, value)) in edits.iter().enumerate() {
        let descriptor = answer::descriptor(&[&format!("THIEF_{nth}")], &[], &needs, about.into());
        let edits = vec![
            answer::set_header("authorization", "stolen"),
            countersign_hostile::Val::of(edit, value.as_str()),
        ];
        let guest = Guest::auth(descriptor).body("authorize", answer::ready(edits));
        folder.put(&format!("thief-{nth}.wasm"), guest.build().unwrap());
    }
    let bundled = [bundled_one("bearer")];
    let path = folder.path();
    let load = move || registry_of(sandbox(), &bundled, Some(path), BTreeMap::new());
    let site = Site::with(tokio::task::spawn_blocking(load).await.unwrap()).await;
    for (nth, (edit, value)) in edits.iter().enumerate() {
        let payload = payload(&format!("THIEF_{nth}"), &["token"]);
        let account = account(&payload, &json!({"token": "t-1"}));
        let error = site.send(&account, get("/v1/x")).await.unwrap_err();
        assert_eq!(error.code(), "edit_refused", "{edit} {value}");
    }
    assert_eq!((thief.take().as_str(), site.reached()), ("", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn row_03_no_account_value_changes_the_authority() {
    let site = Site::new().await;
    let values = [
        "acme@evil",
        "acme@evil.com",
        "evil/",
        "evil.com/",
        "evil#",
        "evil.com#",
        "evil?",
        "evil.com?",
        "evil\\",
        "evil.com\\",
        "acme:8080",
        "evil.com:443",
        "user:pw@evil",
        "user:pw@evil.com",
        "%2e",
        "acme.example%2eevil.com",
        "evil。com",
        "evil．com",
        "ⓔvil",
        "ⓔvil.com",
        "..",
        ".",
        "evil..com",
        ".evil.com",
        "-evil.com",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "127.0.0.1",
        "[::1]",
        "::1",
        "localhost",
        "localhost.",
        "169.254.169.254",
        "evil.com\u{0}",
        "evil com",
        "evil\tcom",
        "https://evil.com",
        "//evil.com",
        "{{token}}",
        "evil.com&",
        "*.evil.com",
        "évil.com",
    ];
    for (proxy_url, good) in [
        ("https://{{domain}}/api", "acme.example.com"),
        ("https://{{domain}}.example.com/api", "acme"),
    ] {
        let payload = at(proxy_url, &["domain", "token"]);
        let of =
            |domain: &str| whose(&payload, &json!({}), &json!({"domain": domain, "token": "t-1"}));
        let seen = site.send(&of(good).unwrap(), get("/x")).await.unwrap();
        assert_eq!(seen["authority"], "acme.example.com");
        let before = site.reached();
        for value in values {
            // One label of ours, whatever it says.
            if good == "acme" && value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                continue;
            }
            // Some are no account's value at all.
            let Ok(account) = of(value) else { continue };
            let error = site.send(&account, get("/x")).await.unwrap_err();
            let wanted =
                if value.contains(char::is_control) { "invalid_config" } else { "target_refused" };
            assert_eq!(error.code(), wanted, "{proxy_url} {value}: {error}");
            assert_eq!(error.field(), Some("domain"), "{value}");
            assert!(value.len() < 6 || !error.to_string().contains(value), "{value}: {error}");
        }
        let error = site.send(&of("").unwrap(), get("/x")).await.unwrap_err();
        assert!(["target_refused", "invalid_config"].contains(&error.code()), "{error}");
        assert_eq!(site.reached(), before, "{proxy_url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_15_no_spelling_of_an_address_that_is_not_public_is_dialled() {
    let host = Countersign::builder(
        sandbox(),
        bundled().await,
        Egress::new(EgressConfig::default()).unwrap(),
    )
    .build();
    let addresses = [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "100.64.0.1",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::]",
        "localhost.",
        "127.0.0.1",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "127.1",
        "0",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "168.63.129.16",
        "255.255.255.255",
    ];
    let details = json!({"token": "t-1"});
    let mut dialled = 0;
    for address in addresses {
        // Some are no provider's URL at all.
        let Ok(account) =
            whose(&at(&format!("https://{address}/x"), &["token"]), &json!({}), &details)
        else {
            continue;
        };
        let error = seen(&host, &account, "/x")
            .await
            .unwrap_err()
            .downcast::<countersign::Error>()
            .unwrap();
        assert!(
            ["address_refused", "target_refused"].contains(&error.code()),
            "{address}: {error}"
        );
        dialled += usize::from(error.code() == "address_refused");
    }
    assert!(dialled >= 8, "some are refused by the address alone: {dialled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_15_a_token_url_is_held_to_the_same_addresses() {
    for address in ["169.254.169.254", "127.0.0.1", "[::1]", "10.0.0.1"] {
        let mut payload = payload("OAUTH", &[]);
        payload["auth_patterns"][0]["oauth_config"] = json!({
            "authorize_uri": "https://login.example.com/a", "token_uri": format!("https://{address}/token"),
            "available_scopes": []});
        let account = json!({"identifier": "u1", "authorization_details": {"oauth_token": {
            "access_token": "old", "refresh_token": "r", "scopes": []}, "token_expires_at": "2001-01-01T00:00:00Z"}});
        let connection = json!({"client_id": "c", "client_secret": "s"});
        let subject = countersign_tests::subject(&payload, &connection, &account);
        let host = countersign_tests::host(
            bundled().await,
            Egress::new(EgressConfig::default()).unwrap(),
            &subject,
        );
        let error = seen(&host, &subject, "/x")
            .await
            .unwrap_err()
            .downcast::<countersign::Error>()
            .unwrap();
        assert_eq!(error.code(), "address_refused", "{address}: {error}");
    }
}

/// A name that changes its mind.
struct Flips(AtomicUsize);

#[async_trait::async_trait]
impl Resolver for Flips {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let nth = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(vec![if nth == 0 { [127, 0, 0, 2] } else { [127, 0, 0, 1] }.into()])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_15_a_name_that_flips_is_checked_at_the_address_that_is_dialled() {
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let inner = Recorder::start("127.0.0.1:0", ANSWER).await;
    let port = inner.address().port();
    let allowed = Recorder::start(&format!("127.0.0.2:{port}"), closing).await;
    let config = EgressConfig {
        allow_http: true,
        allowed_networks: vec!["127.0.0.2/32".parse().unwrap()],
        ..EgressConfig::default()
    };
    let egress = Egress::with_resolver(config, Arc::new(Flips(AtomicUsize::new(0)))).unwrap();
    let mut settings = Settings::default();
    settings.target.http = true;
    let host = Countersign::builder(sandbox(), bundled().await, egress).settings(settings).build();
    let payload = at(&format!("http://flips.example.com:{port}"), &["token"]);
    let account = account(&payload, &json!({"token": "t-1"}));
    seen(&host, &account, "/one").await.unwrap();
    assert!(allowed.take().starts_with("GET /one HTTP/1.1\r\n"));
    let error =
        seen(&host, &account, "/two").await.unwrap_err().downcast::<countersign::Error>().unwrap();
    assert_eq!(error.code(), "address_refused");
    assert_eq!(inner.take(), "");
}
