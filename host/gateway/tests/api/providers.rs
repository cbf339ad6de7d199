//! Custom providers.

use countersign_vault::Role;
use serde_json::{Value as Json, json};

use crate::scene::{Scene, desk, shop};

fn payloads() -> Vec<Json> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/payloads");
    ["asana", "attention", "bearer", "freshdesk"]
        .map(|name| std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap())
        .map(|text| serde_json::from_str(&text).unwrap())
        .to_vec()
}

#[tokio::test]
async fn the_management_flow_takes_the_payloads_as_they_stand() {
    let [dev, production] = [Scene::new().await, Scene::new().await];
    for payload in payloads() {
        let made = dev.call("POST", "/custom-providers", &payload).await;
        assert_eq!(made.status, 201, "{}", made.json);
        let provider = &made.json["provider"];
        for (key, value) in payload.as_object().unwrap() {
            assert_eq!(provider[key], *value, "{key}");
        }
        assert_eq!((&provider["is_custom"], &provider["version"]), (&json!(true), &json!(1)));
    }
    let path = "/providers?filter.provider_type=CUSTOM&page_size=1000&page_token=&identifier=";
    let listed = dev.get(path).await;
    assert_eq!(
        (&listed.json["total_size"], &listed.json["next_page_token"]),
        (&json!(4), &json!(""))
    );
    let names = listed.each("providers", "identifier");
    assert_eq!(names, ["my-asana", "my-attention", "my-bearer-token-provider", "my-freshdesk"]);
    // What was read in one environment is what the other is made of, bookkeeping and all.
    for provider in listed.json["providers"].as_array().unwrap() {
        let made = production.call("POST", "/custom-providers", provider).await;
        assert_eq!(made.status, 201, "{}", made.json);
        assert_eq!(made.json["provider"]["auth_patterns"], provider["auth_patterns"]);
        let path = format!("/custom-providers/{}", provider["identifier"].as_str().unwrap());
        let updated = production.call("PUT", &path, provider).await;
        assert_eq!((updated.status, &updated.json["provider"]["version"]), (200, &json!(2)));
        assert_eq!(production.call("DELETE", &path, &json!(null)).await.json, json!({}));
        let gone = production.call("DELETE", &path, &json!(null)).await;
        assert_eq!(gone.fault(), (404, "not_found"));
    }
    let one = dev.get("/providers?identifier=my-asana").await;
    assert_eq!(one.each("providers", "identifier"), ["my-asana"]);
}

#[tokio::test]
async fn all_providers_are_custom_ones() {
    let scene = Scene::new().await;
    scene.call("POST", "/custom-providers", &desk()).await;
    for (filter, count) in [("", 1), ("CUSTOM", 1), ("ALL", 1), ("DEFAULT", 0)] {
        let listed = scene.get(&format!("/providers?filter.provider_type={filter}")).await;
        assert_eq!(listed.json["total_size"], count, "{filter}");
        assert_eq!(listed.json["providers"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test]
async fn an_update_changes_what_is_sent_and_nothing_else() {
    let scene = Scene::new().await;
    let mut payload = desk();
    payload["metadata"] = json!({"team": "a", "tier": "b"});
    payload["description"] = "first".into();
    scene.call("POST", "/custom-providers", &payload).await;
    let change = json!({"metadata": {"team": "c"}, "icon_src": "https://x.example/i.png"});
    let updated = scene.call("PUT", "/custom-providers/desk", &change).await;
    let provider = &updated.json["provider"];
    assert_eq!(provider["metadata"], json!({"team": "c"}), "replaced whole");
    assert_eq!(provider["description"], "first");
    assert_eq!(provider["proxy_enabled"], true, "the SDK for Python never sends it");
    assert_eq!(provider["icon_src"], "https://x.example/i.png");
}

#[tokio::test]
async fn what_cannot_be_is_told_field_by_field() {
    let scene = Scene::new().await;
    let payload = json!({"display_name": "a-b", "icon_src": "x", "categories": "x",
        "display_priority": 1.5, "coming_soon": 1, "proxy_url": "https://a.example",
        "proxy_enabled": true, "auth_patterns": [{"type": "NOPE"}]});
    let refused = scene.call("POST", "/custom-providers?dry=1", &payload).await;
    assert_eq!(refused.fields(), ["dry"]);
    let refused = scene.call("POST", "/custom-providers", &payload).await;
    let mut fields = refused.fields();
    fields.sort_unstable();
    let expected = [
        "auth_patterns[0].type",
        "categories",
        "coming_soon",
        "display_name",
        "display_priority",
        "icon_src",
    ];
    assert_eq!(fields, expected);
    scene.call("POST", "/custom-providers", &desk()).await;
    let again = scene.call("POST", "/custom-providers", &desk()).await;
    assert_eq!(again.fault(), (409, "already_exists"));
    let wrong = scene.call("PUT", "/custom-providers/desk?new_origins=maybe", &json!({})).await;
    assert_eq!((wrong.status, wrong.fields()), (400, vec!["new_origins"]));
    let none = scene.call("PUT", "/custom-providers/none", &json!({})).await;
    assert_eq!(none.fault(), (404, "not_found"));
}

#[tokio::test]
async fn a_provider_that_a_connection_uses_stays() {
    let scene = Scene::new().await;
    scene.connection(&desk(), "desk-1", json!({})).await;
    let refused = scene.call("DELETE", "/custom-providers/desk", &json!(null)).await;
    assert_eq!(refused.fault(), (400, "in_use"));
    let known = "cannot delete custom provider with existing connections";
    assert!(refused.json["message"].as_str().unwrap().starts_with(known));
}

#[tokio::test]
async fn secrets_go_to_a_new_origin_once_somebody_who_may_see_them_confirms_it() {
    let scene = Scene::new().await;
    let secret = json!({"client_id": "c", "client_secret": "canary"});
    scene.connection(&shop(), "shop-1", secret).await;
    let token = json!({"oauth_token": {"access_token": "canary"}});
    scene.account("shop-1", "u1", token).await;
    let mut change = shop();
    change["proxy_url"] = "https://api.other.example".into();
    let refused = scene.call("PUT", "/custom-providers/shop", &change).await;
    assert_eq!(refused.fault(), (409, "new_origins"));
    let affected = json!({"connections": ["shop-1"],
        "accounts": [{"connector": "shop-1", "identifier": "u1"}]});
    assert_eq!(refused.json["affected"], affected);
    let manager = scene.caller("manager", &[Role::Manage], None, None).await;
    let confirm = "/custom-providers/shop?new_origins=confirm";
    let refused = scene.call_as(&manager, "PUT", confirm, &change).await;
    assert_eq!(refused.fault(), (403, "forbidden"));
    assert_eq!(scene.call("PUT", confirm, &change).await.status, 200);
    let account = "/connected_accounts/details?connector=shop-1&identifier=u1";
    assert_eq!(scene.get(account).await.json["connected_account"]["status"], "ACTIVE");
    change["proxy_url"] = "https://api.third.example".into();
    let disconnect = "/custom-providers/shop?new_origins=disconnect";
    assert_eq!(scene.call_as(&manager, "PUT", disconnect, &change).await.status, 200);
    assert_eq!(scene.get(account).await.json["connected_account"]["status"], "PENDING_AUTH");
}
