//! Connections.

use countersign_gateway::{ConnectionUpdate, Kind, NewConnection};
use countersign_vault::{ConnectionFilter, NewOrigins, Role};
use serde_json::json;

use crate::scene::{Scene, desk, fields, limited, object, page, shop};

#[tokio::test]
async fn a_connection_gets_a_name_where_it_has_none() {
    let scene = Scene::new().await;
    let provider = scene.provider(&desk()).await;
    let new = NewConnection { provider: provider.identifier, ..NewConnection::default() };
    let made = scene.service.create_connection(&scene.caller, &new, &object(json!({}))).await;
    let made = made.unwrap();
    let end = made.name.strip_prefix("desk-").unwrap();
    assert!(end.len() == 8 && end.bytes().all(|it| it.is_ascii_alphanumeric()), "{}", made.name);
    assert!(made.enabled);
}

#[tokio::test]
async fn the_pattern_is_named_where_the_provider_has_several() {
    let scene = Scene::new().await;
    let mut payload = desk();
    let other = json!({"type": "BEARER", "fields": [
        {"field_name": "domain", "required": true}, {"field_name": "token"}]});
    payload["auth_patterns"].as_array_mut().unwrap().push(other);
    let provider = scene.provider(&payload).await;
    let new = |auth_pattern: Option<&str>| NewConnection {
        provider: provider.identifier.clone(),
        name: Some("desk 1:a_b".to_owned()),
        auth_pattern: auth_pattern.map(str::to_owned),
    };
    let settings = object(json!({}));
    for wrong in [None, Some("OAUTH")] {
        let made = scene.service.create_connection(&scene.caller, &new(wrong), &settings).await;
        assert_eq!(fields(&made.err().unwrap()), ["auth_pattern"], "{wrong:?}");
    }
    let bearer = new(Some("BEARER"));
    scene.service.create_connection(&scene.caller, &bearer, &settings).await.unwrap();
    let details = crate::scene::details(&json!({"domain": "a.example", "token": "t"}));
    let account = scene.account("desk 1:a_b", "u1", details, json!(null)).await.unwrap();
    assert_eq!(account.auth_type, "BEARER");
}

#[tokio::test]
async fn every_problem_of_a_connection_is_told_at_once() {
    let scene = Scene::new().await;
    let provider = scene.provider(&shop()).await;
    let new = NewConnection {
        provider: provider.identifier,
        name: Some("näme".to_owned()),
        auth_pattern: Some("BASIC".to_owned()),
    };
    let settings = object(json!({"client_id": "a\nb", "type": "NOPE"}));
    let fault = scene.service.create_connection(&scene.caller, &new, &settings).await;
    assert_eq!(fields(&fault.err().unwrap()), ["name", "type", "auth_pattern", "client_id"]);
}

#[tokio::test]
async fn settings_that_are_left_out_stay_and_null_takes_one_away() {
    let scene = Scene::new().await;
    let provider = scene.provider(&shop()).await;
    let settings = json!({"client_id": "c", "client_secret": "s", "private_key": "k",
        "scopes": ["a"]});
    let before = scene.connection(&provider, "shop-1", settings).await;
    let update = |enabled, settings| {
        let update = ConnectionUpdate { enabled, settings: object(settings) };
        scene.service.update_connection(&scene.caller, &before.id, update)
    };
    let changed = json!({"client_id": "d", "scopes": null});
    let after = update(Some(false), changed).await.unwrap();
    assert_eq!((after.version, after.enabled), (2, false));
    let fault = update(None, json!({"name": "other"})).await.err().unwrap();
    assert_eq!(fields(&fault), ["name"]);
    // A new origin of the provider's: the old secret does not go there, a new one does.
    let mut moved = shop();
    moved["auth_patterns"][0]["oauth_config"]["token_uri"] = "https://new.example/token".into();
    let disconnect = NewOrigins::Disconnect;
    scene.service.update_provider(&scene.caller, "shop", &moved, disconnect).await.unwrap();
    let fault = update(None, json!({"client_id": "e"})).await.err().unwrap();
    assert_eq!(fields(&fault), ["client_secret", "private_key"]);
    let given = json!({"client_secret": "t", "private_key": null});
    let after = update(None, given).await.unwrap();
    assert!(after.origins.contains(&"https://new.example".to_owned()));
}

#[tokio::test]
async fn a_caller_sees_the_connections_that_it_may_touch() {
    let scene = Scene::new().await;
    let provider = scene.provider(&desk()).await;
    let first = scene.connection(&provider, "desk-1", json!({})).await;
    let second = scene.connection(&provider, "desk-2", json!({})).await;
    let caller = limited(&[Role::Manage], Some(&["desk-1"]), None);
    assert!(scene.service.connection(&caller, &first.id).await.is_ok());
    // All accounts of a connection are touched by what changes it.
    let caller_of_one = limited(&[Role::Manage], Some(&["desk-1"]), Some(&["u1"]));
    let off = ConnectionUpdate { enabled: Some(false), settings: object(json!({})) };
    let fault = scene.service.update_connection(&caller_of_one, &first.id, off).await;
    assert_eq!(fault.err().unwrap().kind, Kind::Forbidden);
    let fault = scene.service.delete_connection(&caller_of_one, &first.id).await;
    assert_eq!(fault.err().unwrap().kind, Kind::Forbidden);
    let hidden = scene.service.connection(&caller, &second.id).await.err().unwrap();
    assert_eq!(hidden.kind, Kind::NotFound);
    let gone = scene.service.delete_connection(&caller, &second.id).await.err().unwrap();
    assert_eq!(gone.kind, Kind::NotFound);
    let all = ConnectionFilter::default();
    let listed = scene.service.connections(&caller, &all, &page()).await.unwrap();
    assert_eq!((listed.total, &listed.rows[0].id), (1, &first.id));
    let listed = scene.service.connections(&scene.caller, &all, &page()).await.unwrap();
    assert_eq!(listed.total, 2);
}
