//! Tokens: who gets one, and how it ends.

use countersign::clock::{Clock as _, SystemClock};
use countersign_gateway::Settings;
use countersign_vault::{By, Clients as _, Hash, Role};
use serde_json::json;

use crate::scene::{SECRET, Scene, fault, json_of};

fn by() -> By {
    By { client: "test".to_owned(), request: "r-0".to_owned() }
}

#[tokio::test]
async fn a_client_gets_a_token_for_a_day() {
    let scene = Scene::new().await;
    let form = format!("grant_type=client_credentials&client_id=skc_all&client_secret={SECRET}");
    let answer = scene.ask_token(&form).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let json = json_of(answer).await;
    let token = json["access_token"].as_str().unwrap();
    assert_eq!(json, json!({"access_token": token, "token_type": "Bearer", "expires_in": 86400}));
    assert!(token.len() >= 43, "32 bytes");
    let (_, ends) = scene.vault.token(&Hash::of(token)).await.unwrap().unwrap();
    let day = std::time::Duration::from_hours(24).as_millis();
    let now = u128::from(SystemClock.unix_millis());
    assert!((now + day).abs_diff(ends.into()) < 60_000);
    // In the other way that RFC 6749 has.
    let request = scene.http.post(scene.url("/oauth/token"));
    let request = request.basic_auth("skc_all", Some(SECRET));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body("grant_type=client_credentials").send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn whoever_is_refused_learns_no_more_than_that() {
    let scene = Scene::new().await;
    scene
        .vault
        .revoke_client(&by(), &{
            scene.client("skc_gone", &[Role::Proxy]).await;
            "skc_gone".to_owned()
        })
        .await
        .unwrap();
    let ask = |id: &str, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let scene = &scene;
        async move { scene.ask_token(&form).await }
    };
    let mut answers = Vec::new();
    for (id, secret) in
        [("skc_all", "wrong"), ("skc_none", SECRET), ("skc_gone", SECRET), ("skc_all", "")]
    {
        let answer = ask(id, secret).await;
        assert_eq!(answer.status(), 401);
        let mut json = json_of(answer).await;
        json["details"][0]["request_info"].take();
        answers.push(json);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0]["error"], "invalid_client");
}

#[tokio::test]
async fn a_form_that_is_wrong_says_how() {
    let scene = Scene::new().await;
    let client = format!("client_id=skc_all&client_secret={SECRET}");
    for (form, error) in [
        (String::new(), "invalid_request"),
        ("{\"grant_type\":\"client_credentials\"}".to_owned(), "invalid_request"),
        (client.clone(), "invalid_request"),
        (format!("grant_type=password&{client}"), "unsupported_grant_type"),
        ("grant_type=client_credentials&client_id=skc_all".to_owned(), "invalid_request"),
        (format!("grant_type=client_credentials&{client}&client_id=x"), "invalid_request"),
        (
            format!("grant_type=client_credentials&{client}&x={}", "y".repeat(20_000)),
            "invalid_request",
        ),
    ] {
        let answer = scene.ask_token(&form).await;
        assert_eq!(answer.status(), 400, "{form}");
        assert_eq!(json_of(answer).await["error"], error, "{form}");
    }
}

#[tokio::test]
async fn a_revocation_ends_live_tokens_at_once() {
    let scene = Scene::new().await;
    for (id, what) in [("skc_a", "revoked"), ("skc_b", "rotated")] {
        let token = scene.client(id, &[Role::Manage]).await;
        let metrics = || scene.http.get(scene.url("/metrics")).bearer_auth(&token).send();
        assert_eq!(metrics().await.unwrap().status(), 200);
        if what == "revoked" {
            scene.vault.revoke_client(&by(), id).await.unwrap();
        } else {
            scene.vault.rotate_client(&by(), id, &Hash::of("another")).await.unwrap();
        }
        assert_eq!(fault(metrics().await.unwrap()).await.0, 401, "{what}");
    }
}

#[tokio::test]
async fn attempts_are_bounded_by_address_and_tokens_by_client() {
    let mut settings = Settings::default();
    settings.tokens_per_minute = 3;
    let scene = Scene::with(settings).await;
    scene.client("skc_other", &[Role::Proxy]).await;
    let form = format!("grant_type=client_credentials&client_id=skc_all&client_secret={SECRET}");
    // The scene has used one itself.
    for _ in 0..2 {
        assert_eq!(scene.ask_token(&form).await.status(), 200);
    }
    let answer = scene.ask_token(&form).await;
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    assert_eq!(fault(answer).await, (429, "too_many_requests".to_owned()));
    scene.token_of("skc_other").await;

    let mut settings = Settings::default();
    settings.token_attempts_per_minute = 3;
    let scene = Scene::with(settings).await;
    for _ in 0..2 {
        assert_eq!(scene.ask_token(&form.replace(SECRET, "guess")).await.status(), 401);
    }
    // Also where the guess is right.
    assert_eq!(scene.ask_token(&form).await.status(), 429);
}
