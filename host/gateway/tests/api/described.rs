//! The description, as it is served.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::scene::Scene;

#[tokio::test]
async fn anybody_may_read_the_description_and_it_names_the_methods_that_there_are() {
    let scene = Scene::new().await;
    let answer = reqwest::get(format!("{}/openapi.json", scene.url)).await.unwrap();
    let json: Json = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(json["openapi"], "3.1.0");
    let mut seen = 0;
    for (path, methods) in json["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/v1") else { continue };
        let path = path.replace("{id}", "x").replace("{identifier}", "x");
        let methods = methods.as_object().unwrap().keys().map(|it| it.to_uppercase());
        let mut methods: BTreeSet<String> = methods.collect();
        for method in &methods {
            let refused = scene.call_as("", method, &path, &json!(null)).await;
            assert_eq!(refused.fault(), (401, "unauthenticated"), "{method} {path}");
        }
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        let refused = scene.call("OPTIONS", &path, &json!(null)).await;
        assert_eq!(refused.fault(), (405, "method_not_allowed"), "{path}");
        let allow = refused.headers["allow"].to_str().unwrap();
        assert_eq!(allow.split(',').map(str::to_owned).collect::<BTreeSet<_>>(), methods, "{path}");
        seen += 1;
    }
    assert_eq!(seen, 17);
}
