//! What nobody may read: passwords, sessions, tokens against forgery.

use countersign_tests::world::bundled_registry;
use countersign_tests::{Said, traces};

use crate::scene::{Scene, ann, right};
use crate::server::{CSRF, PASSWORD, SESSION, Says};

#[tokio::test]
async fn no_secret_of_a_login_is_in_any_log_or_error() {
    // Loaded before anybody listens: the compiler writes gigabytes.
    bundled_registry();
    let said = Said::default();
    let writer = said.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let mut errors = Vec::new();
    for says in [Says::Status401, Says::Page] {
        let scene = Scene::new(says).await;
        let error = scene.get(&ann("canary-wrong-password")).await.unwrap_err();
        errors.push(format!("{error} {error:?}"));
        scene.clock.pass(3600);
        let subject = right();
        let (_, body) = scene.get(&subject).await.unwrap();
        assert!(body.contains(SESSION), "it was really sent: {body}");
        scene.server.end_sessions();
        assert_eq!(scene.get(&subject).await.unwrap().0, 200);
    }
    let text = [said.text(), errors.join("\n")].join("\n");
    // It listened: to us, to the HTTP client beneath, to TLS.
    for part in ["countersign::", "hyper_util::", "rustls::"] {
        assert!(text.contains(part), "nothing was heard of {part}");
    }
    for canary in [PASSWORD, "canary-wrong-password", SESSION, CSRF] {
        let found = traces(&text, canary);
        assert!(found.is_empty(), "{canary} in {} lines, first:\n{}", found.len(), found[0]);
    }
}
