//! Lists, page by page.

use countersign_vault::Role;
use serde_json::json;

use crate::scene::{Scene, desk};

/// Walks a list forth and then back; the names on each page.
async fn walk(scene: &Scene, token: &str, path: &str, list: &str, name: &str) -> [Vec<String>; 2] {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut walked = [Vec::new(), Vec::new()];
    let mut page = String::new();
    for (way, pages) in ["next_page_token", "prev_page_token"].into_iter().zip(&mut walked) {
        loop {
            let path = format!("{path}{joint}page_size=2&page_token={page}");
            let listed = scene.call_as(token, "GET", &path, &json!(null)).await;
            assert_eq!(listed.status, 200, "{}", listed.json);
            assert_eq!(listed.json["total_size"], 5, "{path}");
            pages.push(listed.each(list, name).join(" "));
            let next = listed.json[way].as_str().unwrap();
            assert!(next.len() <= 32);
            if next.is_empty() {
                break;
            }
            page = next.to_owned();
        }
    }
    walked
}

#[tokio::test]
async fn pages_lead_forth_and_back() {
    let scene = Scene::new().await;
    for nth in 1..=5 {
        let name = format!("d{nth}");
        let mut provider = desk();
        provider["display_name"] = name.as_str().into();
        scene.connection(&provider, &name, json!({})).await;
        scene.account("d1", &format!("user-{name}"), json!({})).await;
    }
    let limited = scene.caller("limited", &[Role::Manage], Some(&["d1"]), None).await;
    let people = ["user-d1", "user-d2", "user-d3", "user-d4", "user-d5"];
    let some = scene.caller("some", &[Role::Manage], None, Some(&people)).await;
    let own = ["d1", "d2", "d3", "d4", "d5"];
    let connections = scene.caller("connections", &[Role::Manage], Some(&own), None).await;
    let root = &scene.token;
    for (token, path, list, name, prefix) in [
        (root, "/providers", "providers", "identifier", ""),
        (root, "/connections", "connections", "key_id", ""),
        (root, "/connections/app", "connections", "key_id", ""),
        (&connections, "/connections", "connections", "key_id", ""),
        (root, "/connected_accounts", "connected_accounts", "identifier", "user-"),
        (&limited, "/connected_accounts", "connected_accounts", "identifier", "user-"),
        (&some, "/connected_accounts", "connected_accounts", "identifier", "user-"),
        (
            root,
            "/connected_accounts:search?query=user",
            "connected_accounts",
            "identifier",
            "user-",
        ),
    ] {
        let [forth, back] = walk(&scene, token, path, list, name).await;
        let page = |names: &[&str]| {
            names.iter().map(|it| format!("{prefix}{it}")).collect::<Vec<_>>().join(" ")
        };
        let pages = [page(&["d1", "d2"]), page(&["d3", "d4"]), page(&["d5"])];
        assert_eq!(forth, pages, "{path}");
        assert_eq!(back, [&pages[2], &pages[1], &pages[0]].map(String::clone), "{path}");
    }
    let audit = scene.get("/audit?page_size=3").await;
    let next = audit.json["next_page_token"].as_str().unwrap();
    let rest = scene.get(&format!("/audit?page_size=100&page_token={next}")).await;
    let total = audit.json["total_size"].as_u64().unwrap();
    assert_eq!(rest.json["audit"].as_array().unwrap().len() as u64, total - 3);
}
