//! Renewal by one request at a time: RFC 6749, section 6.

use std::collections::BTreeMap;

use countersign::Error;
use countersign::flow::{GrantRequest, Progress};
use countersign::target::TargetError;
use countersign_tests::token_server::{API, CLIENT_ID, CLIENT_SECRET, ClientAuth, LOGIN, Oddity};
use countersign_tests::world::status;
use serde_json::{Value as Json, json};

use crate::scene::{Scene, Script, provider};

#[tokio::test]
async fn a_valid_token_is_sent_without_asking_the_server() {
    let scene = Scene::new().await;
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.events(), ["api 200"]);
}

#[tokio::test]
async fn a_stale_token_is_renewed_and_stored_before_it_is_used() {
    let scene = Scene::new().await;
    scene.expire();
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.events(), ["token", "token answered", "save", "api 200"]);
    assert_ne!(scene.secret("access_token").await, Some(scene.tokens.access.clone()));
    // The new one lasts.
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.events(), ["api 200"]);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_used_the_next_time() {
    let scene = Scene::new().await;
    for _ in 0..3 {
        scene.expire();
        assert_eq!(scene.get().await.unwrap(), 200);
    }
    assert_eq!(scene.server.token_calls(), 3);
    assert!(!scene.server.saw_reuse());
}

#[tokio::test]
async fn the_old_refresh_token_stays_where_none_comes_back() {
    let scene = Scene::new().await;
    scene.server.turn(Oddity::With("refresh_token", Json::Null));
    scene.expire();
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.secret("refresh_token").await, Some(scene.tokens.refresh.clone()));
}

#[tokio::test]
async fn each_way_of_proving_who_the_client_is() {
    for (auth, method, secret) in [
        (ClientAuth::Basic, None, Some(CLIENT_SECRET)),
        (ClientAuth::Basic, Some("client_secret_basic"), Some(CLIENT_SECRET)),
        (ClientAuth::Post, Some("client_secret_post"), Some(CLIENT_SECRET)),
        (ClientAuth::None, Some("none"), Some(CLIENT_SECRET)),
        (ClientAuth::None, None, None),
    ] {
        let mut script = Script {
            auth,
            connection: json!({"client_id": CLIENT_ID, "client_secret": secret}),
            ..Script::default()
        };
        if let Some(method) = method {
            script = script.config("token_endpoint_auth_method", method);
        }
        let scene = script.begin().await;
        scene.expire();
        assert_eq!(scene.get().await.unwrap(), 200, "{auth:?} {method:?}");
    }
}

#[tokio::test]
async fn a_client_with_a_wrong_secret_is_the_configurations_fault() {
    let connection = json!({"client_id": CLIENT_ID, "client_secret": "wrong"});
    let scene = Script { connection, ..Script::default() }.begin().await;
    scene.expire();
    let error = scene.get().await.unwrap_err();
    assert_eq!((error.code(), error.field()), ("invalid_config", Some("connection/client_id")));
}

#[tokio::test]
async fn with_nothing_to_refresh_with_the_user_has_to_authorize() {
    for (with_tokens, with_refresh) in [(true, false), (false, false)] {
        let scene = Script { with_refresh, with_tokens, ..Script::default() }.begin().await;
        scene.expire();
        let error = scene.get().await.unwrap_err();
        assert_eq!((error.code(), error.field()), ("reauthorize", Some("state/refresh_token")));
        assert!(scene.events().is_empty(), "nothing was sent");
    }
}

#[tokio::test]
async fn client_credentials_need_no_user() {
    let script = Script { with_tokens: false, ..Script::default() };
    let scene = script.config("grant_type", "client_credentials").begin().await;
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.secret("refresh_token").await, None);
    scene.expire();
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.server.token_calls(), 2);
    // Consent is the client's own: there is nobody to send anywhere.
    let done = scene.host.begin_grant(&scene.subject, GrantRequest::default()).await.unwrap();
    assert!(matches!(done, Progress::Done(_)));
}

#[tokio::test]
async fn a_revoked_account_has_no_state_and_no_token_that_works() {
    let scene = Scene::new().await;
    let Progress::Done(state) = scene.host.revoke(&scene.subject).await.unwrap() else { panic!() };
    assert!(state.secrets.is_empty() && state.attributes.is_empty());
    assert_eq!(scene.events(), ["revoke", "save"]);
    assert_eq!(scene.get().await.unwrap_err().code(), "reauthorize");
    assert!(scene.events().is_empty());
}

#[tokio::test]
async fn it_can_be_renewed_ahead_of_time() {
    let scene = Scene::new().await;
    let state = scene.host.renew(&scene.subject).await.unwrap();
    assert_eq!(state.version, 1);
    let until = state.expires_at.unwrap() - state.renew_at.unwrap();
    assert!((1..3_600_000).contains(&until), "renewed before the end: {until} ms");
}

#[tokio::test]
async fn the_token_endpoint_may_be_the_accounts_own() {
    let mut script =
        Script { api_config: json!({"domain": "eu.acme.example"}), ..Script::default() }
            .config("token_uri", "https://{{domain}}/token");
    script.provider["auth_patterns"][0]["account_fields"] =
        json!([{"field_name": "domain", "pattern": "[a-z]+\\.acme\\.example"}]);
    script.hosts.push("eu.acme.example");
    let scene = script.begin().await;
    scene.expire();
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.events(), ["token", "token answered", "save", "api 200"]);
}

#[tokio::test]
async fn a_token_endpoint_outside_the_grammar_is_asked_nothing() {
    for domain in ["evil.example/x#", "user@evil.example", "127.0.0.1", "acme.example:8443"] {
        let mut script = Script { api_config: json!({"domain": domain}), ..Script::default() }
            .config("token_uri", "https://{{domain}}/token");
        // A pattern that lets everything through.
        script.provider["auth_patterns"][0]["account_fields"] =
            json!([{"field_name": "domain", "pattern": ".*"}]);
        let scene = script.begin().await;
        scene.expire();
        for error in
            [scene.get().await.unwrap_err(), scene.host.renew(&scene.subject).await.err().unwrap()]
        {
            let told = (error.code(), error.field());
            assert_eq!(told, ("target_refused", Some("domain")), "{domain}");
        }
        assert!(scene.events().is_empty());
    }
}

/// An instance host that only the token answer brings, as with Salesforce.
pub(crate) fn instance(listed: &[&str]) -> Script {
    let mut script = Script {
        hosts: vec![API, LOGIN, "na1.acme.example"],
        with_tokens: false,
        provider: provider(),
        ..Script::default()
    }
    .config("grant_type", "client_credentials")
    .config("attributes", json!(["instance"]));
    script.provider["proxy_url"] = "https://{{instance}}/base".into();
    script.provider["allowed_proxy_domains"] = listed.into();
    script
}

#[tokio::test]
async fn where_the_host_is_an_attribute_the_renewal_comes_first() {
    let scene = instance(&["na1.acme.example"]).begin().await;
    scene.server.turn(Oddity::With("instance", "na1.acme.example".into()));
    let (code, body) = status(&scene.host, &scene.subject, "/things").await.unwrap();
    assert_eq!(code, 200);
    let seen: BTreeMap<String, Json> = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen["url"], "/base/things");
    assert_eq!(scene.events(), ["token", "token answered", "save", "api 200"]);
}

#[tokio::test]
async fn an_attribute_that_never_comes_ends_after_one_renewal() {
    let scene = instance(&["na1.acme.example"]).begin().await;
    let error = scene.get().await.unwrap_err();
    assert_eq!((error.code(), error.field()), ("target_refused", Some("instance")));
    assert_eq!(scene.server.token_calls(), 1);
}

#[tokio::test]
async fn a_learnt_host_that_the_provider_does_not_list_gets_nothing() {
    let scene = instance(&[]).begin().await;
    scene.server.turn(Oddity::With("instance", "na1.acme.example".into()));
    let error = scene.get().await.unwrap_err();
    let learnt = TargetError::Learnt { field: "instance".to_owned() };
    assert!(matches!(error, Error::Target(cause) if cause == learnt));
    assert_eq!(scene.events(), ["token", "token answered", "save"]);
}
