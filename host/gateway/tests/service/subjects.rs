//! Whom a request is for: from the vault's rows to the credential on it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::Bytes;
use countersign::account::Status;
use countersign_gateway::{AccountUpdate, ConnectionUpdate, Fault, Kind, Whose};
use countersign_vault::{Account, AccountChange, Accounts as _, By, NewOrigins, Role};
use http::Request;
use http_body_util::Empty;
use serde_json::{Map, Value as Json, json};

use crate::scene::{Scene, by_id, caller, desk, details, limited, shop};

/// A request for the account: where it would go, and its credential.
async fn prepared(scene: &Scene, connector: &str) -> Result<(String, String), Fault> {
    prepared_for(scene, &Whose::new(connector, "u1")).await
}

async fn prepared_for(scene: &Scene, whose: &Whose) -> Result<(String, String), Fault> {
    let subject = scene.service.subject(&caller(&[Role::Proxy]), whose).await?;
    let request = Request::get("/things").body(Empty::<Bytes>::new()).unwrap();
    let request = scene.host.prepare(&subject, request).await.unwrap();
    let credential = request.headers()["authorization"].to_str().unwrap().to_owned();
    Ok((request.uri().to_string(), credential))
}

async fn with_shop() -> (Scene, Account) {
    let scene = Scene::new().await;
    let provider = scene.provider(&shop()).await;
    scene.connection(&provider, "shop-1", json!({"client_id": "c", "client_secret": "s"})).await;
    let token = json!({"oauth_token": {"access_token": "t"}});
    let account = scene.account("shop-1", "u1", token, json!({"shop": "a"})).await.unwrap();
    (scene, account)
}

#[tokio::test]
async fn what_the_vault_keeps_becomes_the_credential_of_a_request() {
    let (scene, _) = with_shop().await;
    let provider = scene.provider(&desk()).await;
    scene.connection(&provider, "desk-1", json!({})).await;
    let values = json!({"domain": "a.example", "username": "key"});
    scene.account("desk-1", "u1", details(&values), json!(null)).await.unwrap();
    let (url, credential) = prepared(&scene, "desk-1").await.unwrap();
    assert_eq!(
        (url.as_str(), credential.as_str()),
        ("https://a.example/api/things", "Basic a2V5Og==")
    );
    let (url, credential) = prepared(&scene, "shop-1").await.unwrap();
    assert_eq!(url, "https://a.shops.example/api/things");
    assert_eq!(credential, "Bearer t");
}

/// What they share is what is the same for all.
#[tokio::test]
async fn accounts_of_one_connection_each_have_their_own_host_and_credential() {
    let scene = Scene::new().await;
    let provider = scene.provider(&desk()).await;
    scene.connection(&provider, "desk-1", json!({})).await;
    let hosts = [("u1", "a.example"), ("u2", "a.example"), ("u3", "b.example")];
    for (identifier, host) in hosts {
        let values = details(&json!({"domain": host, "username": identifier}));
        scene.account("desk-1", identifier, values, json!(null)).await.unwrap();
    }
    // The second time, each answer is one that is remembered.
    for (identifier, host) in hosts.into_iter().chain(hosts) {
        let whose = Whose::new("desk-1", identifier);
        let (url, credential) = prepared_for(&scene, &whose).await.unwrap();
        assert_eq!(url, format!("https://{host}/api/things"), "{identifier}");
        let written = BASE64.encode(format!("{identifier}:"));
        assert_eq!(credential, format!("Basic {written}"));
    }
}

/// What a plugin notes of an account (the count of a nonce) is one for all of its requests.
#[tokio::test]
async fn requests_of_an_account_that_come_at_once_go_on_with_one_subject() {
    // What was just written is told once more as the log of changes is read, and what was read before that
    // is not kept: on a busy machine that takes a while.
    for pause in [0, 100, 300, 1000, 3000] {
        let (scene, _) = with_shop().await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let (caller, whose) = (caller(&[Role::Proxy]), Whose::new("shop-1", "u1"));
        let reads = (0..8).map(|_| scene.service.subject(&caller, &whose));
        let subjects = futures_util::future::try_join_all(reads).await.unwrap();
        if subjects.iter().all(|other| Arc::ptr_eq(other, &subjects[0])) {
            return;
        }
    }
    panic!("each had one of its own");
}

#[tokio::test]
async fn a_change_takes_effect_on_the_next_request() {
    let (scene, account) = with_shop().await;
    let update = AccountUpdate {
        authorization_details: json!({"oauth_token": {"access_token": "u"}}),
        api_config: Json::Null,
    };
    scene.service.update_account(&scene.caller, &by_id(&account), update).await.unwrap();
    assert_eq!(prepared(&scene, "shop-1").await.unwrap().1, "Bearer u");
    let change = json!({"proxy_url": "https://{{shop}}.shops.example/v2"});
    let refuse = NewOrigins::Refuse;
    scene.service.update_provider(&scene.caller, "shop", &change, refuse).await.unwrap();
    let (url, _) = prepared(&scene, "shop-1").await.unwrap();
    assert_eq!(url, "https://a.shops.example/v2/things");
}

/// Its new token was given for its new host, and this request was on its way to the old one.
#[tokio::test]
async fn a_request_that_a_change_has_overtaken_is_not_sent() {
    let (scene, account) = with_shop().await;
    let subject =
        scene.service.subject(&caller(&[Role::Proxy]), &Whose::new("shop-1", "u1")).await.unwrap();
    let request = || Request::get("/things").body(Empty::<Bytes>::new()).unwrap();
    scene.host.prepare(&subject, request()).await.unwrap();
    let update = AccountUpdate {
        authorization_details: json!({"oauth_token": {"access_token": "canary"}}),
        api_config: json!({"shop": "b"}),
    };
    scene.service.update_account(&scene.caller, &by_id(&account), update).await.unwrap();
    let refused = scene.host.prepare(&subject, request()).await.err().unwrap();
    assert_eq!(refused.code(), "account_changed");
    let (url, credential) = prepared(&scene, "shop-1").await.unwrap();
    assert_eq!((&*url, &*credential), ("https://b.shops.example/api/things", "Bearer canary"));
}

#[tokio::test]
async fn an_account_that_waits_for_its_holder_says_how_to_go_on() {
    let scene = Scene::new().await;
    let provider = scene.provider(&shop()).await;
    scene.connection(&provider, "shop-1", json!({"client_id": "c"})).await;
    scene.account("shop-1", "u1", json!(null), json!({"shop": "a"})).await.unwrap();
    let fault = prepared(&scene, "shop-1").await.err().unwrap();
    assert_eq!((fault.kind, fault.code), (Kind::Precondition, "account_inactive"));
    assert!(fault.message.contains("authorization link"), "{fault}");
}

#[tokio::test]
async fn a_disabled_connection_sends_nothing() {
    let (scene, account) = with_shop().await;
    let off = ConnectionUpdate { enabled: Some(false), settings: Map::new() };
    scene.service.update_connection(&scene.caller, &account.connection, off).await.unwrap();
    let fault = prepared(&scene, "shop-1").await.err().unwrap();
    assert_eq!((fault.kind, fault.code), (Kind::Precondition, "connection_disabled"));
}

/// Not even where its status is put back by hand.
#[tokio::test]
async fn secrets_that_were_not_given_for_an_origin_are_not_sent() {
    let (scene, account) = with_shop().await;
    let mut moved = shop();
    moved["auth_patterns"][0]["oauth_config"]["token_uri"] = "https://evil.example/token".into();
    let disconnect = NewOrigins::Disconnect;
    scene.service.update_provider(&scene.caller, "shop", &moved, disconnect).await.unwrap();
    let fault = prepared(&scene, "shop-1").await.err().unwrap();
    assert_eq!(fault.code, "account_inactive");
    let by = By { client: "somebody".to_owned(), request: "r".to_owned() };
    let active =
        AccountChange { over: 2, status: Some(Status::Active), ..AccountChange::default() };
    scene.vault.update_account(&by, &account.id, &active).await.unwrap();
    let Json::Object(settings) = json!({"client_secret": "new"}) else { panic!() };
    let given = ConnectionUpdate { enabled: None, settings };
    scene.service.update_connection(&scene.caller, &account.connection, given).await.unwrap();
    let fault = prepared(&scene, "shop-1").await.err().unwrap();
    assert_eq!((fault.kind, fault.code), (Kind::Precondition, "not_given"));
    let update = AccountUpdate {
        authorization_details: json!({"oauth_token": {"access_token": "u"}}),
        api_config: json!({"shop": "a"}),
    };
    scene.service.update_account(&scene.caller, &by_id(&account), update).await.unwrap();
    assert_eq!(prepared(&scene, "shop-1").await.unwrap().1, "Bearer u");
}

#[tokio::test]
async fn a_connections_secret_that_was_not_given_for_an_origin_is_not_sent() {
    let (scene, account) = with_shop().await;
    let mut moved = shop();
    moved["auth_patterns"][0]["oauth_config"]["token_uri"] = "https://evil.example/token".into();
    let disconnect = NewOrigins::Disconnect;
    scene.service.update_provider(&scene.caller, "shop", &moved, disconnect).await.unwrap();
    // The account's holder has given anew; the connection's secret was not.
    let update = AccountUpdate {
        authorization_details: json!({"oauth_token": {"access_token": "u"}}),
        api_config: json!({"shop": "a"}),
    };
    scene.service.update_account(&scene.caller, &by_id(&account), update).await.unwrap();
    let fault = prepared(&scene, "shop-1").await.err().unwrap();
    assert_eq!((fault.kind, fault.code), (Kind::Precondition, "not_given"));
    let Json::Object(settings) = json!({"client_secret": "new"}) else { panic!() };
    let given = ConnectionUpdate { enabled: None, settings };
    scene.service.update_connection(&scene.caller, &account.connection, given).await.unwrap();
    assert_eq!(prepared(&scene, "shop-1").await.unwrap().1, "Bearer u");
}

#[tokio::test]
async fn a_caller_sends_for_the_accounts_that_it_may_touch() {
    let (scene, _) = with_shop().await;
    for (who, kind) in [
        (caller(&[Role::Manage, Role::Reveal]), Kind::Forbidden),
        (limited(&[Role::Proxy], Some(&["other"]), None), Kind::NotFound),
        (limited(&[Role::Proxy], None, Some(&["u2"])), Kind::NotFound),
    ] {
        let refused = scene.service.subject(&who, &Whose::new("shop-1", "u1")).await.err().unwrap();
        assert_eq!(refused.kind, kind);
    }
    let own = limited(&[Role::Proxy], Some(&["shop-1"]), Some(&["u1"]));
    assert!(scene.service.subject(&own, &Whose::new("shop-1", "u1")).await.is_ok());
    let none =
        scene.service.subject(&scene.caller, &Whose::new("shop-1", "u9")).await.err().unwrap();
    assert_eq!(none.kind, Kind::NotFound);
}
