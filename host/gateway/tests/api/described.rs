//! The description, as it is served.

use serde_json::Value as Json;

use crate::scene::Scene;

#[tokio::test]
async fn anybody_may_read_the_description() {
    let scene = Scene::new().await;
    let answer = reqwest::get(format!("{}/openapi.json", scene.url)).await.unwrap();
    let json: Json = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(json["openapi"], "3.1.0");
}
