//! What holds of every call.

use countersign_gateway::Settings;
use serde_json::Value as Json;

use crate::scene::{Scene, desk};

const NONE: Json = Json::Null;

#[tokio::test]
async fn a_call_without_a_token_learns_nothing() {
    let scene = Scene::new().await;
    for token in ["", "nobodys"] {
        for path in ["/providers", "/nowhere", "/connected_accounts/auth?id=ca_1"] {
            let refused = scene.call_as(token, "GET", path, &NONE).await;
            assert_eq!(refused.fault(), (401, "unauthenticated"));
            assert_eq!(refused.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_that_way_is_said_in_one_shape() {
    let scene = Scene::new().await;
    for path in ["/nowhere", "/providers/", "/connections/conn_1/!enable", "/clients/x/rotate"] {
        let refused = scene.get(path).await;
        assert_eq!(refused.fault(), (404, "not_found"), "{path}");
        assert_eq!(refused.json["code"], 5, "{path}");
        let info = &refused.json["details"][0];
        assert_eq!(info["error_code"], "not_found");
        assert_eq!(
            info["request_info"]["request_id"].as_str().unwrap(),
            refused.headers["countersign-request-id"].to_str().unwrap()
        );
    }
    for (method, path, allow) in [
        ("DELETE", "/providers", "GET,HEAD"),
        ("PATCH", "/custom-providers/x", "PUT,DELETE"),
        ("GET", "/connections/x:enable", "PATCH"),
        ("PUT", "/clients/x:rotate", "POST"),
        ("GET", "/connected_accounts:delete", "POST"),
    ] {
        let refused = scene.call(method, path, &NONE).await;
        assert_eq!(refused.fault(), (405, "method_not_allowed"), "{method} {path}");
        assert_eq!(refused.headers["allow"], allow, "{method} {path}");
    }
    assert_eq!(scene.call("HEAD", "/providers", &NONE).await.status, 200);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_said_so() {
    let mut settings = Settings::default();
    settings.longest_document = 2000;
    let scene = Scene::with(settings).await;
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let twice = desk().to_string().replacen('{', "{\"proxy_enabled\": 3, ", 1);
    for (kind, body, status, code) in [
        ("application/json", "{\"a\": ".to_owned(), 400, "invalid_request"),
        ("application/json", "[]".to_owned(), 400, "invalid_request"),
        ("application/json", deep, 400, "invalid_request"),
        ("application/json", String::new(), 400, "invalid_request"),
        ("application/json", format!("\"{}\"", "x".repeat(2000)), 413, "body_too_large"),
        ("text/plain", "{}".to_owned(), 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "{}".to_owned(), 415, "unsupported_media_type"),
        ("application/json; charset=utf-8", twice, 201, ""),
    ] {
        for path in ["/custom-providers", "/clients", "/connections", "/connected_accounts"] {
            if status == 201 && path != "/custom-providers" {
                continue;
            }
            let answer = scene.send(&scene.token, "POST", path, Some((kind, body.clone()))).await;
            assert_eq!(answer.fault(), (status, code), "{path} {kind} {body}");
        }
    }
    let bare = scene.send(&scene.token, "POST", "/clients", None).await;
    assert_eq!(bare.fault(), (415, "unsupported_media_type"));
    let broken = scene
        .send(
            &scene.token,
            "POST",
            "/clients",
            Some(("application/json", "{\n  \"a\" 1}".to_owned())),
        )
        .await;
    let said = &broken.json["details"][0]["validation_error_info"]["field_violations"][0];
    assert!(said["description"].as_str().unwrap().contains("line 2, column 7"), "{said}");
    for path in ["/custom-providers/%FF", "/connections/%00", "/connections/a%2Fb"] {
        let refused = scene.call("DELETE", path, &NONE).await;
        assert!([400, 404].contains(&refused.status), "{path} {}", refused.json);
    }
}
