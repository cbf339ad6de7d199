//! Connections.

use countersign_vault::Role;
use serde_json::{Value as Json, json};

use crate::scene::{PUBLIC_URL, Scene, desk, shop};

const NONE: Json = Json::Null;

#[tokio::test]
async fn a_connection_is_made_changed_and_removed_and_never_tells_its_secret() {
    let scene = Scene::new().await;
    let oauth = json!({"oauth_config": {"client_id": "c", "client_secret": "canary",
        "scopes": ["a", "b"], "extensions": {"extra_authorize_params": {"prompt": "consent"}},
        "redirect_uri": "https://ignored.example"}});
    let made = scene.connection(&shop(), "shop-1", oauth).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        made["oauth_config"],
        json!({"client_id": "c", "scopes": ["a", "b"],
        "extensions": {"extra_authorize_params": {"prompt": "consent"}},
        "redirect_uri": format!("{PUBLIC_URL}/sso/v1/oauth/{id}/callback")})
    );
    assert_eq!(made["secret_settings"], json!(["client_secret"]));
    for (key, value) in [
        ("provider_key", "shop"),
        ("key_id", "shop-1"),
        ("type", "OAUTH"),
        ("status", "COMPLETED"),
        ("auth_mode", "USER"),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    let path = format!("/connections/{}", made["id"].as_str().unwrap());
    assert_eq!(scene.get(&path).await.json["connection"], made);
    assert_eq!(scene.get("/connections").await.json["connections"][0], made);
    // What is read can be changed and sent back.
    let mut change = made.clone();
    change["oauth_config"]["client_id"] = "d".into();
    change["oauth_config"]["scopes"] = json!(null);
    let changed = scene.call("PATCH", &path, &json!({"connection": change})).await;
    assert_eq!(changed.status, 200, "{}", changed.json);
    let now = &changed.json["connection"];
    assert_eq!((&now["oauth_config"]["client_id"], &now["version"]), (&json!("d"), &json!(2)));
    assert_eq!(now["oauth_config"].get("scopes"), None);
    assert_eq!(now["secret_settings"], json!(["client_secret"]), "it stays");
    let off = scene.call("PATCH", &format!("{path}:disable"), &NONE).await;
    assert_eq!((off.status, &off.json["connection"]["enabled"]), (200, &json!(false)));
    let on = scene.call("PATCH", &format!("{path}:enable"), &json!({})).await;
    assert_eq!((on.status, &on.json["enabled"]), (200, &json!(true)));
    assert_eq!(scene.call("DELETE", &path, &NONE).await.json, json!({}));
    for method in ["GET", "DELETE"] {
        assert_eq!(scene.call(method, &path, &NONE).await.fault(), (404, "not_found"));
    }
    assert_eq!(scene.call("PATCH", &path, &json!({})).await.fault(), (404, "not_found"));
    let on = scene.call("PATCH", &format!("{path}:enable"), &NONE).await;
    assert_eq!(on.fault(), (404, "not_found"));
}

#[tokio::test]
async fn plain_settings_and_a_type_do_as_well() {
    let scene = Scene::new().await;
    scene.call("POST", "/custom-providers", &desk()).await;
    let plain = json!({"provider_key": "desk", "type": "BASIC", "region": "eu",
        "static_config": {"static_config": {"tier": 1.0}}});
    let made = scene.call("POST", "/connections", &plain).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let connection = &made.json["connection"];
    assert!(connection["key_id"].as_str().unwrap().starts_with("desk-"), "it gets a name");
    let statics = &connection["static_config"]["static_config"];
    assert_eq!(statics["region"], "eu");
    let taken = json!({"provider_key": "desk", "key_id": connection["key_id"]});
    let again = scene.call("POST", "/connections", &taken).await;
    assert_eq!(again.fault(), (409, "already_exists"));
    let nowhere = scene.call("POST", "/connections", &json!({"provider_key": "nope"})).await;
    assert_eq!(nowhere.fault(), (404, "not_found"));
}

#[tokio::test]
async fn every_problem_of_a_connection_is_told_under_the_name_that_was_written() {
    let scene = Scene::new().await;
    scene.call("POST", "/custom-providers", &shop()).await;
    let wrong = json!({"connection": {"provider_key": "shop", "key_id": "näme", "type": "BASIC",
        "enabled": false, "auth_mode": "ORG_WIDE", "oauth_config": {"client_id": "a\nb",
        "token_uri": "https://evil.example", "use_platform_creds": true}}, "beside": 1});
    let refused = scene.call("POST", "/connections?x=1", &wrong).await;
    let mut fields = refused.fields();
    fields.sort_unstable();
    let expected = [
        "beside",
        "connection.auth_mode",
        "connection.enabled",
        "connection.key_id",
        "connection.oauth_config.token_uri",
        "connection.oauth_config.use_platform_creds",
        "connection.type",
        "x",
    ];
    for field in expected {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
    let nested = json!({"provider_key": "shop", "oauth_config": {"client_secret": ["canary"]}});
    let refused = scene.call("POST", "/connections", &nested).await;
    assert_eq!(refused.fields(), ["oauth_config.client_secret"]);
    let none = scene.call("POST", "/connections", &json!({})).await;
    assert_eq!((none.fault(), none.fields()), ((400, "invalid_request"), vec!["provider_key"]));
    let made = scene.connection(&shop(), "shop-1", json!({"client_id": "c"})).await;
    let path = format!("/connections/{}", made["id"].as_str().unwrap());
    let change = json!({"key_id": "other", "provider_key": "desk", "oauth_config": 1});
    let refused = scene.call("PATCH", &path, &change).await;
    assert_eq!(refused.fields(), ["oauth_config", "provider_key", "key_id"]);
}

#[tokio::test]
async fn a_limited_caller_sees_its_own_connections_in_both_lists() {
    let scene = Scene::new().await;
    for name in ["desk-1", "desk-2", "desk-3"] {
        scene.connection(&desk(), name, json!({})).await;
    }
    let own = scene.caller("own", &[Role::Manage], Some(&["desk-1", "desk-3", "gone"]), None).await;
    for path in ["/connections", "/connections/app"] {
        let all = scene.get(path).await;
        assert_eq!(all.each("connections", "key_id"), ["desk-1", "desk-2", "desk-3"]);
        let listed = scene.call_as(&own, "GET", path, &NONE).await;
        assert_eq!(listed.each("connections", "key_id"), ["desk-1", "desk-3"]);
        assert_eq!(listed.json["total_size"], 2);
        let found = scene.call_as(&own, "GET", &format!("{path}?query=-3"), &NONE).await;
        assert_eq!(found.each("connections", "key_id"), ["desk-3"]);
        let none = scene.call_as(&own, "GET", &format!("{path}?provider=shop"), &NONE).await;
        assert_eq!(none.json["total_size"], 0);
    }
    let refused = scene.get("/connections/app?page_size=31").await;
    assert_eq!((refused.status, refused.fields()), (400, vec!["page_size"]));
    let made = scene.call_as(&own, "POST", "/connections", &json!({"provider_key": "desk"})).await;
    assert_eq!(made.fault(), (403, "forbidden"));
}
