//! Custom providers.

use countersign_gateway::Kind;
use countersign_vault::{NewOrigins, Role};
use serde_json::{Value as Json, json};

use crate::scene::{Scene, caller, desk, fields, limited, page, shop};

#[tokio::test]
async fn the_untouched_payloads_are_taken_and_listed() {
    let scene = Scene::new().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/payloads");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let payload: Json = serde_json::from_str(&text).unwrap();
        let kept = scene.provider(&payload).await;
        assert_eq!(serde_json::from_str::<Json>(&kept.payload).unwrap(), payload);
        count += 1;
    }
    let listed = scene.service.providers(&scene.caller, None, &page()).await.unwrap();
    assert_eq!((listed.total, count), (4, 4));
}

#[tokio::test]
async fn every_problem_of_a_payload_is_told_at_once() {
    let scene = Scene::new().await;
    let payload = json!({
        "display_name": "Näme", "proxy_url": "ftp://x", "icon_src": "http://x",
        "metadata": {"k": "v"}, "auth_patterns": [{"type": "BASIC"}],
    });
    let fault = scene.service.create_provider(&scene.caller, &payload).await.err().unwrap();
    assert_eq!(fault.kind, Kind::Invalid);
    let mut found = fields(&fault);
    found.sort_unstable();
    let wanted = ["display_name", "icon_src", "metadata", "proxy_enabled", "proxy_url"];
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_type_that_no_plugin_answers_to_is_refused_with_those_that_there_are() {
    let scene = Scene::new().await;
    let mut payload = desk();
    payload["auth_patterns"][0]["type"] = "KERBEROS".into();
    let fault = scene.service.create_provider(&scene.caller, &payload).await.err().unwrap();
    assert_eq!(fields(&fault), ["auth_patterns[0].type"]);
    assert!(fault.to_string().contains("API_KEY, AWS_SIGV4, BASIC, BEARER, DIGEST, "), "{fault}");
}

#[tokio::test]
async fn an_update_loses_nothing_that_it_does_not_name() {
    let scene = Scene::new().await;
    let mut payload = desk();
    payload["description"] = "first".into();
    payload["x-unknown"] = json!({"kept": true});
    let before = scene.provider(&payload).await;
    scene.connection(&before, "desk-1", json!({})).await;
    let change = json!({"display_name": "Other Name", "proxy_url": "https://{{domain}}/v2"});
    let after = scene.service.update_provider(
        &scene.caller,
        &before.identifier,
        &change,
        NewOrigins::Refuse,
    );
    let after = after.await.unwrap();
    assert_eq!((after.identifier.as_str(), after.version), ("desk", 2), "its name for calls stays");
    payload["display_name"] = "Other Name".into();
    payload["proxy_url"] = "https://{{domain}}/v2".into();
    assert_eq!(serde_json::from_str::<Json>(&after.payload).unwrap(), payload);
}

#[tokio::test]
async fn a_pattern_keeps_its_type() {
    let scene = Scene::new().await;
    scene.provider(&desk()).await;
    let change = json!({"auth_patterns": [{"type": "BEARER", "fields": [
        {"field_name": "domain", "required": true}, {"field_name": "token"}]}]});
    let fault = scene.service.update_provider(&scene.caller, "desk", &change, NewOrigins::Confirm);
    assert_eq!(fields(&fault.await.err().unwrap()), ["auth_patterns[0].type"]);
}

/// Though no pattern changes its place.
#[tokio::test]
async fn a_connection_keeps_the_type_that_its_accounts_were_made_for() {
    let scene = Scene::new().await;
    let mut payload = desk();
    payload["auth_patterns"][0]["name"] = "x".into();
    let provider = scene.provider(&payload).await;
    scene.connection(&provider, "desk-1", json!({})).await;
    let mut change = payload.clone();
    let other = json!({"type": "API_KEY", "is_default": true, "fields": [
        {"field_name": "domain", "required": true}, {"field_name": "api_key"}]});
    change["auth_patterns"].as_array_mut().unwrap().push(other);
    let fault = scene.service.update_provider(&scene.caller, "desk", &change, NewOrigins::Confirm);
    assert_eq!(fields(&fault.await.err().unwrap()), ["auth_patterns"]);
}

#[tokio::test]
async fn a_change_that_takes_secrets_elsewhere_is_confirmed_by_one_who_may_see_them() {
    let scene = Scene::new().await;
    let provider = scene.provider(&shop()).await;
    scene.connection(&provider, "shop-1", json!({"client_id": "c", "client_secret": "s"})).await;
    let token = json!({"oauth_token": {"access_token": "t"}});
    let account = scene.account("shop-1", "u1", token, json!({"shop": "a"})).await.unwrap();
    let mut change = shop();
    change["auth_patterns"][0]["oauth_config"]["token_uri"] = "https://evil.example/token".into();
    let update =
        async |caller, how| scene.service.update_provider(caller, "shop", &change, how).await;
    let fault = update(&scene.caller, NewOrigins::Refuse).await.err().unwrap();
    assert_eq!((fault.kind, fault.code), (Kind::Overtaken, "new_origins"));
    let affected = fault.affected.unwrap();
    assert_eq!(affected.accounts, [("shop-1".to_owned(), "u1".to_owned())]);
    let manager = caller(&[Role::Manage]);
    let fault = update(&manager, NewOrigins::Confirm).await.err().unwrap();
    assert_eq!(fault.kind, Kind::Forbidden);
    update(&scene.caller, NewOrigins::Confirm).await.unwrap();
    let (shown, _) = scene
        .revealed(
            &scene.service.account(&scene.caller, &crate::scene::by_id(&account)).await.unwrap(),
        )
        .await;
    assert_eq!(shown["oauth_token"]["access_token"], "t");
}

#[tokio::test]
async fn a_provider_in_use_is_not_deleted() {
    let scene = Scene::new().await;
    let provider = scene.provider(&desk()).await;
    let connection = scene.connection(&provider, "desk-1", json!({})).await;
    let fault = scene.service.delete_provider(&scene.caller, "desk").await.err().unwrap();
    assert_eq!((fault.kind, fault.code), (Kind::Precondition, "in_use"));
    scene.service.delete_connection(&scene.caller, &connection.id).await.unwrap();
    scene.service.delete_provider(&scene.caller, "desk").await.unwrap();
    let fault = scene.service.delete_provider(&scene.caller, "desk").await.err().unwrap();
    assert_eq!(fault.kind, Kind::NotFound);
}

#[tokio::test]
async fn a_caller_does_what_its_roles_and_limits_allow() {
    let scene = Scene::new().await;
    for caller in [
        caller(&[Role::Proxy]),
        caller(&[Role::Reveal]),
        limited(&Role::ALL, Some(&["desk-1"]), None),
        limited(&Role::ALL, None, Some(&["u1"])),
    ] {
        let made = scene.service.create_provider(&caller, &desk()).await;
        assert_eq!(made.err().unwrap().kind, Kind::Forbidden);
        let changed =
            scene.service.update_provider(&caller, "desk", &desk(), NewOrigins::Refuse).await;
        assert_eq!(changed.err().unwrap().kind, Kind::Forbidden);
        let deleted = scene.service.delete_provider(&caller, "desk").await;
        assert_eq!(deleted.err().unwrap().kind, Kind::Forbidden);
    }
}
