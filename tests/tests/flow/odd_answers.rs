//! Row 13 of the known pitfalls: token endpoints that answer in odd ways.

use std::time::Duration;

use countersign::Settings;
use countersign_tests::token_server::Oddity::{Huge, Page, Says, SlowDown, With};
use countersign_tests::world::status;
use serde_json::{Value as Json, json};

use crate::scene::{Scene, Script, connected_anew};

#[tokio::test]
async fn pitfall_13_an_odd_answer_is_a_typed_refusal_and_changes_nothing() {
    for (oddity, code) in [
        (Says(200, r#"{"error":"invalid_grant"}"#), "reauthorize"),
        (Says(200, r#"{"error":"access_denied","access_token":"x"}"#), "denied"),
        (Says(200, "{}"), "unavailable"),
        (Says(200, r#"{"access_token":""}"#), "unavailable"),
        (Says(200, r#"{"access_token":7}"#), "unavailable"),
        (Says(200, r#"{"access_token":"a\r\nX: y"}"#), "unavailable"),
        (Says(200, "[]"), "unavailable"),
        (Says(200, ""), "unavailable"),
        (Page, "unavailable"),
        (Says(400, r#"{"error":"invalid_grant"}"#), "reauthorize"),
        (Says(401, r#"{"error":"invalid_client"}"#), "invalid_config"),
        (Says(302, ""), "invalid_config"),
        (Says(500, "oh"), "unavailable"),
        (Says(503, "<html>"), "unavailable"),
        (SlowDown(17), "unavailable"),
        (Huge, "unavailable"),
        (With("expires_in", (-5).into()), "unavailable"),
        (With("expires_in", "soon".into()), "unavailable"),
        (With("expires_in", json!([3600])), "unavailable"),
        (With("token_type", "mac".into()), "invalid_config"),
    ] {
        let scene = Scene::new().await;
        scene.expire();
        scene.server.turn(oddity.clone());
        let error = scene.get().await.unwrap_err();
        assert_eq!(error.code(), code, "{oddity:?}");
        if let SlowDown(seconds) = oddity {
            assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds.into())));
        }
        assert_eq!(scene.version().await, 0, "{oddity:?}");
        assert_eq!(scene.secret("refresh_token").await, Some(scene.tokens.refresh.clone()));
        assert_eq!(scene.secret("access_token").await, Some(scene.tokens.access.clone()));
        assert_eq!(scene.events(), ["token", "token answered"], "{oddity:?}");
        let text = format!("{error} {error:?}");
        for secret in [&scene.tokens.refresh, &scene.tokens.access] {
            assert!(!text.contains(secret.as_str()), "{oddity:?}: {text}");
        }
        // A server that did nothing with the refresh token still takes it.
        if !matches!(oddity, With(..)) {
            scene.server.turn(None);
            scene.clock.pass(30);
            assert_eq!(scene.get().await.unwrap(), 200, "{oddity:?}");
        }
    }
}

/// A token server in trouble is not asked anew with each request.
#[tokio::test]
async fn pitfall_13_after_a_failure_the_server_has_a_rest() {
    let scene = Scene::new().await;
    scene.expire();
    scene.server.turn(Says(500, "oh"));
    for rest in [1, 2, 4] {
        assert_eq!(scene.get().await.unwrap_err().code(), "unavailable");
        assert_eq!(scene.events(), ["token", "token answered"]);
        for _ in 0..3 {
            assert_eq!(scene.get().await.unwrap_err().code(), "unavailable");
        }
        assert!(scene.events().is_empty(), "not asked within {rest} s");
        scene.clock.pass(rest);
    }
    scene.server.turn(SlowDown(17));
    assert_eq!(scene.get().await.unwrap_err().code(), "unavailable");
    scene.events();
    scene.clock.pass(16);
    assert!(scene.get().await.is_err() && scene.events().is_empty(), "as long as it asked for");
    // Whoever connects the account anew is served at once.
    scene.server.turn(None);
    let mended = connected_anew();
    assert_eq!(status(&scene.host, &mended, "/things").await.unwrap().0, 200);
}

#[tokio::test]
async fn pitfall_13_a_lifetime_in_odd_clothes_is_understood() {
    for (value, lifetime) in [
        (json!("3600"), Some(3600)),
        (json!(3600.9), Some(3600)),
        (Json::Null, None),
        (json!(0), None),
    ] {
        let scene = Scene::new().await;
        scene.expire();
        scene.server.turn(With("expires_in", value.clone()));
        assert_eq!(scene.get().await.unwrap(), 200, "{value}");
        let state = scene.store.kept(&scene.subject).await.unwrap();
        let now = countersign::clock::Clock::unix_millis(&*scene.clock);
        let left = state.expires_at.map(|until| until.div_ceil(1000) - now.div_ceil(1000));
        assert_eq!(left, lifetime, "{value}");
    }
}

#[tokio::test]
async fn pitfall_13_a_server_that_never_answers_ends_at_the_deadline() {
    let mut settings = Settings::default();
    settings.flow_deadline = Duration::from_millis(200);
    let scene = Script { settings, ..Script::default() }.begin().await;
    scene.expire();
    scene.server.hold();
    assert_eq!(scene.get().await.unwrap_err().code(), "unavailable");
    assert_eq!(scene.version().await, 0);
}

#[tokio::test]
async fn pitfall_13_no_server_at_all_is_unavailable() {
    let scene =
        Script::default().config("token_uri", "https://nowhere.invalid/token").begin().await;
    scene.expire();
    assert_eq!(scene.get().await.unwrap_err().code(), "unavailable");
    assert_eq!(scene.version().await, 0);
}

#[tokio::test]
async fn pitfall_15_a_token_endpoint_at_a_private_address_is_not_asked() {
    for host in ["127.0.0.1", "[::1]", "169.254.169.254", "[fd00:ec2::254]"] {
        let script = Script::default().config("token_uri", format!("https://{host}/token"));
        let scene = script.begin().await;
        scene.expire();
        assert_eq!(scene.get().await.unwrap_err().code(), "address_refused", "{host}");
    }
}
