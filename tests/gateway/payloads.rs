//! The four reference payloads as they stand, through the management API and then the proxy.

use countersign_cli::upstream::Upstream;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value as Json, json};

use crate::scene::{Gateway, named, payload, text, values};

/// A payload, and the account that the proxy sends for.
struct Case {
    payload: &'static str,
    identifier: &'static str,
    settings: Json,
    details: Json,
    host: &'static str,
    /// Where `/v1/things?limit=2` arrives, and with what.
    arrives_at: &'static str,
    authorization: &'static str,
}

fn cases() -> [Case; 4] {
    [
        Case {
            payload: "asana",
            identifier: "my-asana",
            settings: json!({"client_id": "c-1", "client_secret": "s-1"}),
            details: json!({"oauth_token": {"access_token": "at-1", "refresh_token": "rt-1",
                "scopes": ["profile"]}}),
            host: "app.asana.com",
            arrives_at: "/api/v1/things?limit=2",
            authorization: "Bearer at-1",
        },
        Case {
            payload: "bearer",
            identifier: "my-bearer-token-provider",
            settings: Json::Null,
            details: values(&json!({"token": "t-1"})),
            host: "api.example.com",
            arrives_at: "/v1/things?limit=2",
            authorization: "Bearer t-1",
        },
        Case {
            payload: "freshdesk",
            identifier: "my-freshdesk",
            settings: Json::Null,
            details: values(&json!({"domain": "yourcompany.freshdesk.com", "username": "k-1"})),
            host: "yourcompany.freshdesk.com",
            arrives_at: "/api/v1/things?limit=2",
            // `k-1:`
            authorization: "Basic ay0xOg==",
        },
        Case {
            payload: "attention",
            identifier: "my-attention",
            settings: Json::Null,
            details: values(&json!({"api_key": "k-2"})),
            host: "api.attention.tech",
            arrives_at: "/v1/things?limit=2",
            authorization: "k-2",
        },
    ]
}

/// The members of `part` that `whole` has otherwise, or not.
fn differing<'a>(part: &'a Json, whole: &Json) -> Vec<&'a str> {
    let members = part.as_object().unwrap().iter();
    members.filter(|(name, value)| whole[*name] != **value).map(|(name, _)| &**name).collect()
}

#[tokio::test]
async fn each_payload_is_created_listed_changed_and_removed_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (_process, gateway) = Gateway::start(folder.path(), &[]).await;
    let list = "/providers?filter.provider_type=CUSTOM&page_size=1000";
    for case in cases() {
        let sent = payload(case.payload);
        let (identifier, connection) = gateway.connect(&sent, case.payload, &case.settings).await;
        assert_eq!(identifier, case.identifier);
        let listed = gateway.get(list).await;
        let rows = listed["providers"].as_array().unwrap().iter();
        let found: Vec<_> = rows.filter(|row| row["identifier"] == identifier).collect();
        assert_eq!(found.len(), 1, "{listed}");
        assert!(differing(&sent, found[0]).is_empty(), "{:?}", differing(&sent, found[0]));

        let path = format!("/custom-providers/{identifier}");
        let change = json!({"description": "For the billing team"});
        let changed = gateway.call("PUT", &path, &change).await;
        assert_eq!(differing(&sent, &changed["provider"]), ["description"]);
        assert_eq!(changed["provider"]["description"], change["description"]);

        gateway.account(case.payload, "user-1", &case.details).await;
        let (status, fault) = gateway.ask("DELETE", &path, &Json::Null).await.unwrap();
        assert_eq!((status, text(&fault["error_code"])), (400, "in_use"));
        let account = json!({"connector": case.payload, "identifier": "user-1"});
        gateway.call("POST", "/connected_accounts:delete", &account).await;
        gateway.call("DELETE", &format!("/connections/{connection}"), &Json::Null).await;
        gateway.call("DELETE", &path, &Json::Null).await;
        let left = gateway.get(list).await;
        assert!(!left.to_string().contains(&identifier), "{left}");
    }
}

#[tokio::test]
async fn each_payload_carries_its_accounts_credential_through_the_proxy_over_tls() {
    let cases = cases();
    let hosts: Vec<&str> = cases.iter().map(|case| case.host).collect();
    let upstream = Upstream::echo(&hosts).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, upstream.authority()).unwrap();
    let mapped: Vec<String> =
        hosts.iter().map(|host| format!("{host}:443={}", upstream.address())).collect();
    let mut arguments = vec!["--upstream-ca", authority.to_str().unwrap()];
    arguments.extend(mapped.iter().flat_map(|mapping| ["--resolve", mapping]));
    let (_process, gateway) = Gateway::start(&folder.path().join("data"), &arguments).await;
    for case in &cases {
        gateway.connect(&payload(case.payload), case.payload, &case.settings).await;
        gateway.account(case.payload, "user-1", &case.details).await;
        // Of the same connection, with another credential: it must not be this one that is sent.
        let mut other = case.details.clone();
        for part in ["/oauth_token/access_token", "/static_auth/details/token"]
            .into_iter()
            .chain(["/static_auth/details/username", "/static_auth/details/api_key"])
        {
            if let Some(value) = other.pointer_mut(part) {
                *value = "another".into();
            }
        }
        gateway.account(case.payload, "user-2", &other).await;
        let details = format!("/connected_accounts/details?{}", named(case.payload, "user-1"));
        assert_eq!(gateway.get(&details).await["connected_account"]["status"], "ACTIVE");

        let request = gateway.proxied("POST", "/v1/things?limit=2", (case.payload, "user-1"));
        let request = request.header(CONTENT_TYPE, "application/json").body(r#"{"a": 1}"#);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let seen: Json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(seen["method"], "POST");
        assert_eq!(seen["url"], case.arrives_at);
        assert_eq!(seen["body"], r#"{"a": 1}"#);
        let headers = seen["headers"].as_array().unwrap();
        let values: Vec<_> =
            headers.iter().filter(|pair| pair[0] == "authorization").map(|pair| &pair[1]).collect();
        assert_eq!(values, [case.authorization], "{}", case.payload);
        let text = seen.to_string();
        for own in [&*gateway.token, "connection_name", "user-1", "another"] {
            assert!(!text.contains(own), "{} tells the upstream {own}", case.payload);
        }
    }
}
