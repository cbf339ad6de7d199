//! What is noted of a request: in the audit and in the metrics.

use countersign_tests::traces;
use countersign_vault::{Accounts as _, Role};
use serde_json::Value as Json;

use crate::scene::{SECRET, Scene, fault, with_account};
use crate::upstream::{Upstream, whole};

async fn metrics(scene: &Scene) -> String {
    let answer = scene.http.get(scene.url("/metrics")).bearer_auth(&scene.token).send().await;
    let answer = answer.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().contains("openmetrics"));
    answer.text().await.unwrap()
}

#[tokio::test]
async fn each_use_of_a_credential_is_noted_and_nothing_else() {
    let upstream = Upstream::noting(|_| whole(201, "canary-of-a-reply")).await;
    let mut scene = with_account(&upstream).await;
    for identifier in ["u1", "nobody"] {
        let request = scene.proxied_for("GET", "/path-of-a-request?q=canary", "api", identifier);
        request.header("x-request-id", "r-7").body("canary").send().await.unwrap();
    }
    let account = scene.vault.account_named("api", "u1").await.unwrap().unwrap();
    scene.stop().await;
    let text = std::fs::read_to_string(scene.folder.path().join("injections.jsonl")).unwrap();
    let lines: Vec<Json> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let expected =
        [serde_json::json!({"at": lines[0]["at"], "request": "r-7", "client": "skc_all",
            "connection": "api", "identifier": "u1", "account": account.id, "provider": "api",
            "outcome": "sent", "status": 201})];
    assert_eq!(lines, expected);
    for secret in ["canary", SECRET, "path-of-a-request", &scene.token] {
        assert_eq!(traces(&text, secret), Vec::<String>::new());
    }
}

#[tokio::test]
async fn metrics_count_and_name_nobody() {
    let upstream = Upstream::noting(|_| whole(429, "")).await;
    let scene = with_account(&upstream).await;
    for identifier in ["u1", "u1", "nobody"] {
        scene.proxied_for("GET", "/x", "api", identifier).send().await.unwrap();
    }
    let text = metrics(&scene).await;
    for line in [
        r#"countersign_requests_total{door="proxy",status="4xx",code=""} 2"#,
        r#"countersign_requests_total{door="proxy",status="4xx",code="not_found"} 1"#,
        r#"countersign_requests_total{door="token",status="2xx",code=""} 1"#,
        r#"countersign_proxied_requests_total{auth_type="BEARER",outcome="4xx"} 2"#,
        r#"countersign_proxied_seconds_count{auth_type="BEARER"} 2"#,
        "countersign_proxied_under_way 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    for name in ["u1", "nobody", "api", "skc_all", "canary", &scene.token] {
        assert!(!text.contains(name), "{name}\n{text}");
    }
}

/// Nothing is read and no plugin asked for an account that was used before.
#[tokio::test]
async fn an_answer_that_may_be_used_again_is() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let scene = with_account(&upstream).await;
    // What was just written is read once more.
    for _ in 0..1000 {
        scene.proxied("GET", "/x").send().await.unwrap();
        let text = metrics(&scene).await;
        if !text.contains("countersign_answers_remembered_total 0\n") {
            return;
        }
    }
    panic!("each request asked a plugin");
}

#[tokio::test]
async fn an_upstream_makes_no_labels() {
    let upstream = Upstream::noting(|seen| {
        whole(seen.uri.path().rsplit('/').next().unwrap().parse().unwrap(), "")
    })
    .await;
    let scene = with_account(&upstream).await;
    for status in [200, 600, 601, 999] {
        let answer = scene.proxied("GET", &format!("/{status}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    let text = metrics(&scene).await;
    let line = r#"countersign_requests_total{door="proxy",status="other",code=""} 3"#;
    assert!(text.lines().any(|it| it == line), "{text}");
}

#[tokio::test]
async fn metrics_are_for_those_who_manage_everything() {
    let scene = Scene::new().await;
    for token in [
        scene.client("skc_proxy", &[Role::Proxy, Role::Reveal]).await,
        scene.limited("skc_limited", &[Role::Manage], &["user-1"]).await,
    ] {
        let answer = scene.http.get(scene.url("/metrics")).bearer_auth(token).send().await.unwrap();
        assert_eq!(fault(answer).await, (403, "forbidden".to_owned()));
    }
}

#[tokio::test]
async fn an_account_knows_when_it_was_last_used() {
    let upstream = Upstream::noting(|_| whole(500, "")).await;
    let mut scene = with_account(&upstream).await;
    scene.account("api", "unused", "t").await;
    scene.proxied("GET", "/x").send().await.unwrap();
    let stopped = scene.vault.clone();
    scene.stop().await;
    let used = stopped.account_named("api", "u1").await.unwrap().unwrap();
    let at = used.last_used_at.unwrap();
    assert!(at % 60_000 == 0 && at + 60_000 > used.created_at, "{used:?}");
    assert_eq!(used.version, 1, "no change of the account");
    let unused = stopped.account_named("api", "unused").await.unwrap().unwrap();
    assert_eq!(unused.last_used_at, None);
}
