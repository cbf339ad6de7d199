//! Clients, and who changed what.

use countersign_vault::Role;
use serde_json::{Value as Json, json};

use crate::scene::Scene;

const NONE: Json = Json::Null;

#[tokio::test]
async fn a_client_is_made_used_rotated_and_revoked() {
    let scene = Scene::new().await;
    let new = json!({"name": "Mobile", "roles": ["proxy", "manage"], "connections": ["desk-1"]});
    let made = scene.call("POST", "/clients", &new).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let client = &made.json["client"];
    assert_eq!(client["roles"], json!(["proxy", "manage"]));
    assert_eq!((&client["connections"], client.get("identifiers")), (&json!(["desk-1"]), None));
    let id = client["id"].as_str().unwrap();
    let path = format!("/clients/{id}");
    assert_eq!(scene.get(&path).await.json["client"], *client);
    assert_eq!(scene.get("/clients").await.each("clients", "id"), ["root", id]);
    let secret = made.json["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("sks_") && secret.len() == "sks_".len() + 43, "32 bytes");
    let token = scene.token_of(id, secret).await.unwrap();
    assert_eq!(scene.call_as(&token, "GET", "/connections", &NONE).await.status, 200);
    let rotated = scene.call("POST", &format!("{path}:rotate"), &NONE).await;
    assert_eq!(rotated.status, 200);
    // The old secret and the old token end at once.
    assert_eq!(scene.call_as(&token, "GET", "/connections", &NONE).await.status, 401);
    assert_eq!(scene.token_of(id, secret).await, None);
    let secret = rotated.json["client_secret"].as_str().unwrap();
    let token = scene.token_of(id, secret).await.unwrap();
    assert_eq!(scene.call("DELETE", &path, &NONE).await.json, json!({}));
    assert_eq!(scene.call_as(&token, "GET", "/connections", &NONE).await.status, 401);
    assert_eq!(scene.token_of(id, secret).await, None);
    for (method, path) in [("GET", &path), ("DELETE", &path), ("POST", &format!("{path}:rotate"))] {
        assert_eq!(scene.call(method, path, &NONE).await.fault(), (404, "not_found"));
    }
    assert_eq!(scene.get("/clients").await.each("clients", "id"), ["root"]);
}

#[tokio::test]
async fn nobody_gains_a_role_by_a_client() {
    let scene = Scene::new().await;
    let manager = scene.caller("manager", &[Role::Manage], None, None).await;
    let make = async |roles: Json| {
        let new = json!({"name": "x", "roles": roles});
        scene.call_as(&manager, "POST", "/clients", &new).await.status
    };
    assert_eq!(make(json!(["manage"])).await, 201);
    assert_eq!(make(json!(["reveal"])).await, 403);
    assert_eq!(make(json!(["manage", "proxy"])).await, 403);
    let rotate = scene.call_as(&manager, "POST", "/clients/root:rotate", &NONE).await;
    assert_eq!(rotate.fault(), (403, "forbidden"));
    let own = scene.call_as(&manager, "POST", "/clients/manager:rotate", &NONE).await;
    assert_eq!(own.status, 200);
    let limited = scene.caller("limited", &Role::ALL, None, Some(&["u1"])).await;
    let proxy = scene.caller("proxy", &[Role::Proxy, Role::Reveal], None, None).await;
    let new = json!({"name": "x", "roles": ["proxy"]});
    for token in [&limited, &proxy] {
        for (method, path, body) in [
            ("POST", "/clients", &new),
            ("GET", "/clients", &NONE),
            ("GET", "/clients/root", &NONE),
            ("DELETE", "/clients/manager", &NONE),
            ("POST", "/clients/manager:rotate", &NONE),
            ("GET", "/audit", &NONE),
        ] {
            let refused = scene.call_as(token, method, path, body).await;
            assert_eq!(refused.fault(), (403, "forbidden"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_last_client_that_may_do_everything_stays() {
    let scene = Scene::new().await;
    scene.caller("limited", &Role::ALL, Some(&["desk-1"]), None).await;
    let refused = scene.call("DELETE", "/clients/root", &NONE).await;
    assert_eq!(refused.fault(), (400, "in_use"));
    let other = scene.caller("other", &Role::ALL, None, None).await;
    assert_eq!(scene.call("DELETE", "/clients/root", &NONE).await.status, 200);
    let refused = scene.call_as(&other, "DELETE", "/clients/other", &NONE).await;
    assert_eq!(refused.fault(), (400, "in_use"));
}

#[tokio::test]
async fn every_problem_of_a_client_is_told_at_once() {
    let scene = Scene::new().await;
    let wrong = json!({"name": "a\nb", "roles": ["proxy", "root"], "connections": ["näme"],
        "identifiers": [], "role": "proxy"});
    let refused = scene.call("POST", "/clients", &wrong).await;
    let expected = ["roles[1]", "role", "name", "connections[0]", "identifiers"];
    assert_eq!((refused.status, refused.fields()), (400, expected.to_vec()));
    let none = scene.call("POST", "/clients", &json!({"roles": "proxy"})).await;
    assert_eq!(none.fields(), ["roles", "name"]);
}

#[tokio::test]
async fn the_audit_says_who_changed_what() {
    let scene = Scene::new().await;
    let made = scene.call("POST", "/clients", &json!({"name": "x", "roles": ["proxy"]})).await;
    let id = made.json["client"]["id"].as_str().unwrap();
    scene.call("DELETE", &format!("/clients/{id}"), &NONE).await;
    let audit = scene.get(&format!("/audit?subject={id}")).await;
    assert_eq!(audit.each("audit", "action"), ["client.create", "client.revoke"]);
    assert_eq!(audit.each("audit", "client"), ["root", "root"]);
    let request = made.headers["countersign-request-id"].to_str().unwrap();
    assert_eq!(audit.each("audit", "request_id")[0], request);
    let refused = scene.get("/audit?page_size=101&page_token=cn123456789012345678").await;
    assert_eq!(refused.fields(), ["page_size", "page_token"]);
}
