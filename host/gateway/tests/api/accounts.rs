//! Connected accounts.

use countersign_vault::Role;
use serde_json::{Value as Json, json};

use crate::scene::{Scene, desk, details, shop};

const NONE: Json = Json::Null;

async fn with_desk() -> Scene {
    let scene = Scene::new().await;
    scene.connection(&desk(), "desk-1", json!({})).await;
    scene
}

fn key(value: &str) -> Json {
    details(&json!({"domain": "a.example", "username": value}))
}

#[tokio::test]
async fn an_account_is_made_read_changed_and_removed() {
    let scene = with_desk().await;
    let made = scene.account("desk-1", "u1", key("canary")).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let account = &made.json["connected_account"];
    for (name, value) in [
        ("identifier", "u1"),
        ("connector", "desk-1"),
        ("provider", "desk"),
        ("status", "ACTIVE"),
        ("authorization_type", "BASIC"),
    ] {
        assert_eq!(account[name], value, "{name}");
    }
    assert!(account.get("authorization_details").is_none() && account.get("api_config").is_none());
    assert_eq!(scene.account("desk-1", "u1", key("x")).await.fault(), (409, "already_exists"));
    let id = account["id"].as_str().unwrap();
    let by_name = "connector=desk-1&identifier=u1";
    for name in [by_name, &format!("id={id}"), &format!("id={id}&{by_name}")] {
        let read = scene.get(&format!("/connected_accounts/details?{name}")).await;
        assert_eq!(read.json["connected_account"], *account, "{name}");
    }
    // Said twice over, both mean the same.
    let other = scene.get(&format!("/connected_accounts/details?id={id}&identifier=u2")).await;
    assert_eq!(other.fault(), (404, "not_found"));
    let shown = scene.get(&format!("/connected_accounts/auth?{by_name}")).await;
    assert_eq!(shown.json["connected_account"]["authorization_details"], key("canary"));
    assert_eq!(shown.json["connected_account"]["api_config"], json!({}));
    let change = json!({"id": id, "connected_account": {"authorization_details": key("canary2")}});
    let changed = scene.call("PUT", "/connected_accounts", &change).await;
    assert_eq!((changed.status, &changed.json["connected_account"]["version"]), (200, &json!(2)));
    let shown = scene.get(&format!("/connected_accounts/auth?{by_name}")).await;
    assert_eq!(shown.json["connected_account"]["authorization_details"], key("canary2"));
    let name = json!({"connector": "desk-1", "identifier": "u1"});
    assert_eq!(scene.call("POST", "/connected_accounts:delete", &name).await.json, json!({}));
    let gone = scene.call("POST", "/connected_accounts:delete", &name).await;
    assert_eq!(gone.fault(), (404, "not_found"));
    for path in ["details", "auth"] {
        let gone = scene.get(&format!("/connected_accounts/{path}?{by_name}")).await;
        assert_eq!(gone.fault(), (404, "not_found"));
    }
    let gone = scene.call("PUT", "/connected_accounts", &change).await;
    assert_eq!(gone.fault(), (404, "not_found"));
}

#[tokio::test]
async fn credentials_are_for_the_role_reveal() {
    let scene = with_desk().await;
    scene.account("desk-1", "u1", key("canary")).await;
    let name = "connector=desk-1&identifier=u1";
    for (role, details, auth) in
        [(Role::Manage, 200, 403), (Role::Reveal, 403, 200), (Role::Proxy, 403, 403)]
    {
        let token = scene.caller(role.as_str(), &[role], None, None).await;
        for (path, status) in [("details", details), ("auth", auth)] {
            let path = format!("/connected_accounts/{path}?{name}");
            let answer = scene.call_as(&token, "GET", &path, &NONE).await;
            assert_eq!(answer.status, status, "{role:?} {path}");
        }
    }
}

#[tokio::test]
async fn an_account_without_credentials_waits_however_an_sdk_says_so() {
    let scene = Scene::new().await;
    scene.connection(&shop(), "shop-1", json!({"client_id": "c"})).await;
    for (nth, account) in
        [json!({}), json!({"authorization_details": {"oauth_token": {}}})].into_iter().enumerate()
    {
        let body = json!({"connector": " shop-1 ", "organization_id": "org", "user_id": nth.to_string(),
            "connected_account": account});
        let made = scene.call("POST", "/connected_accounts", &body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        let account = &made.json["connected_account"];
        assert_eq!(account["status"], "PENDING_AUTH");
        assert_eq!(account["identifier"], format!("org/{nth}"));
    }
    let body = json!({"connector": "shop-1", "organization_id": "org",
        "connected_account": {"authorization_details": {"oauth_token": {"access_token": "canary"},
        "token_expires_at": "2100-01-01T00:00:00Z"}, "api_config": {"tenant": 7.0}}});
    let made = scene.call("POST", "/connected_accounts", &body).await;
    let account = &made.json["connected_account"];
    assert_eq!(account["token_expires_at"], "2100-01-01T00:00:00Z");
    assert_eq!((&account["identifier"], &account["status"]), (&json!("org"), &json!("ACTIVE")));
    let shown = scene.get("/connected_accounts/auth?connector=shop-1&organization_id=org").await;
    assert_eq!(shown.json["connected_account"]["api_config"].to_string(), "{\"tenant\":7}");
    assert_eq!(
        shown.json["connected_account"]["authorization_details"]["oauth_token"]["access_token"],
        "canary"
    );
}

#[tokio::test]
async fn every_problem_of_an_account_is_told_where_it_was_written() {
    let scene = with_desk().await;
    let body = json!({"connector": "desk-1", "identifier": "u1", "organisation": "x",
        "connected_account": {"authorization_details": {"static_auth": {"details":
            {"domain": "a.example", "username": "a:b"}}}, "scopes": []}});
    let refused = scene.call("POST", "/connected_accounts", &body).await;
    let place = "connected_account.authorization_details.static_auth.details.username";
    assert_eq!(refused.fields(), ["organisation", "connected_account.scopes", place]);
    let both = json!({"connector": "desk-1", "identifier": "u1", "connected_account":
        {"authorization_details": {"trusted_idp": {}}, "api_config": 1}});
    let refused = scene.call("POST", "/connected_accounts", &both).await;
    let expected = ["connected_account.api_config", "connected_account.authorization_details"];
    assert_eq!(refused.fields(), expected);
    let none = scene.call("POST", "/connected_accounts", &json!({"user_id": "u"})).await;
    assert_eq!(none.fields(), ["user_id", "connected_account"]);
    let none = scene.call("POST", "/connected_accounts", &json!({})).await;
    assert_eq!(none.fields(), ["connector", "identifier", "connected_account"]);
    let long = "x".repeat(201);
    let path = format!("/connected_accounts/auth?identifier={long}&connector=%C3%BC");
    assert_eq!(scene.get(&path).await.fields(), ["identifier", "connector"]);
    let nowhere = scene.account("desk-9", "u1", json!({})).await;
    assert_eq!(nowhere.fault(), (404, "not_found"));
}

#[tokio::test]
async fn accounts_are_listed_and_searched_by_what_is_asked_for() {
    let scene = with_desk().await;
    scene.connection(&shop(), "shop-1", json!({"client_id": "c"})).await;
    for (connector, identifier) in [("desk-1", "anna"), ("desk-1", "bert"), ("shop-1", "anna")] {
        assert_eq!(scene.account(connector, identifier, json!({})).await.status, 201);
    }
    let connection = scene.get("/connections?query=desk").await;
    let connection = connection.json["connections"][0]["id"].as_str().unwrap().to_owned();
    for (query, count) in [
        ("", 3),
        ("?connector=desk-1", 2),
        ("?connection_names=desk-1", 2),
        ("?connection_names=desk-1,shop-1", 3),
        ("?connection_names=desk-1&connection_names=shop-1", 3),
        ("?identifier=anna", 2),
        ("?organization_id=anna", 2),
        ("?provider=shop", 1),
        ("?query=NN", 2),
        ("?is_org_wide_credential=true", 0),
        ("?is_org_wide_credential=false", 3),
        (":search?query=ann", 2),
        (&format!(":search?query=ann&connection_id={connection}"), 1),
    ] {
        let listed = scene.get(&format!("/connected_accounts{query}")).await;
        assert_eq!(listed.json["total_size"], count, "{query}: {}", listed.json);
        assert_eq!(listed.json["connected_accounts"].as_array().unwrap().len(), count, "{query}");
    }
    let many = "a,".repeat(21);
    for (query, fields) in [
        ("?page_size=100&page_token=x", vec!["page_size", "page_token"]),
        ("?page_size=-1", vec!["page_size"]),
        ("?connector=desk-1&connection_names=shop-1", vec!["connection_names"]),
        (&format!("?connection_names={many}"), vec!["connection_names"]),
        ("?is_org_wide_credential=1&conector=x", vec!["is_org_wide_credential", "conector"]),
        ("?identifier=a&identifier=b", vec!["identifier"]),
        (":search?query=an&page_size=31", vec!["query", "page_size"]),
        (":search", vec!["query"]),
    ] {
        let refused = scene.get(&format!("/connected_accounts{query}")).await;
        assert_eq!((refused.status, refused.fields()), (400, fields), "{query}");
    }
    let nowhere = scene.get("/connected_accounts:search?query=ann&connection_id=conn_1").await;
    assert_eq!(nowhere.fault(), (404, "not_found"));
}

#[tokio::test]
async fn a_limited_callers_lists_hold_its_own_accounts_and_no_others() {
    let scene = with_desk().await;
    scene.connection(&desk(), "desk-2", json!({})).await;
    for connector in ["desk-1", "desk-2"] {
        for identifier in ["anna", "bert", "cora"] {
            scene.account(connector, identifier, key("canary")).await;
        }
    }
    let people: &[&str] = &["anna", "cora"];
    let first: &[&str] = &["desk-1"];
    let cases = [
        ("a", Some(first), None, "", 3),
        ("b", Some(first), Some(people), "", 2),
        ("c", None, Some(people), "", 4),
        ("d", None, Some(people), "?connector=desk-2", 2),
        ("e", None, Some(people), "?identifier=bert", 0),
        ("f", Some(first), None, "?connector=desk-2", 0),
        ("g", Some(first), None, "?connection_names=desk-1,desk-2", 3),
        ("h", Some(first), Some(people), ":search?query=ann", 1),
        ("i", Some(&[] as &[&str]), None, "", 0),
        ("j", None, Some(&[] as &[&str]), "", 0),
    ];
    for (id, connections, identifiers, query, count) in cases {
        let token = scene.caller(id, &[Role::Manage], connections, identifiers).await;
        let path = format!("/connected_accounts{query}");
        let listed = scene.call_as(&token, "GET", &path, &NONE).await;
        assert_eq!(listed.json["total_size"], count, "{id} {}", listed.json);
        for row in listed.json["connected_accounts"].as_array().unwrap() {
            let own = |limit: Option<&[&str]>, member: &str| {
                limit.is_none_or(|it| it.contains(&row[member].as_str().unwrap()))
            };
            assert!(own(connections, "connector") && own(identifiers, "identifier"), "{id} {row}");
        }
    }
}

#[tokio::test]
async fn a_call_with_a_member_too_many_does_nothing_at_all() {
    let scene = with_desk().await;
    let connection = scene.get("/connections").await.json["connections"][0].clone();
    let mut body = json!({"connector": "desk-1", "identifier": "u1", "extra": 1,
        "connected_account": {"authorization_details": key("canary")}});
    assert_eq!(scene.call("POST", "/connected_accounts", &body).await.fields(), ["extra"]);
    assert_eq!(scene.get("/connected_accounts").await.json["total_size"], 0);
    scene.account("desk-1", "u1", key("canary")).await;
    assert_eq!(scene.call("PUT", "/connected_accounts", &body).await.fields(), ["extra"]);
    body["connected_account"] = json!({});
    assert_eq!(scene.call("PUT", "/connected_accounts", &body).await.fields(), ["extra"]);
    let account = &scene.get("/connected_accounts").await.json["connected_accounts"][0];
    assert_eq!(account["version"], 1);
    let path = format!("/connections/{}", connection["id"].as_str().unwrap());
    for change in [json!({"enabled": false}), json!({"enabled": false, "region": "eu"})] {
        let body = json!({"connection": change, "extra": 1});
        assert_eq!(scene.call("PATCH", &path, &body).await.fields(), ["extra"]);
    }
    assert_eq!(scene.get(&path).await.json["connection"], connection);
    let body = json!({"connection": {"provider_key": "desk"}, "extra": 1});
    assert_eq!(scene.call("POST", "/connections", &body).await.fields(), ["extra"]);
    assert_eq!(scene.get("/connections").await.json["total_size"], 1);
    let body = json!({"name": "x", "roles": ["proxy"], "extra": 1});
    assert_eq!(scene.call("POST", "/clients", &body).await.fields(), ["extra"]);
    assert_eq!(scene.get("/clients").await.json["total_size"], 1);
}
