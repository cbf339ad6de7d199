//! How a session begins.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::scene::{Scene, ann, right};
use crate::server::Says;

#[tokio::test]
async fn a_wrong_password_is_refused_and_nothing_is_sent_and_the_right_one_logs_in() {
    let scene = Scene::new(Says::Status401).await;
    let error = scene.get(&ann("canary-wrong")).await.unwrap_err();
    assert_eq!(error.code(), "reauthorize");
    assert_eq!(scene.server.events(), ["start", "login 401"]);
    let subject = right();
    assert!(scene.store.kept(&subject).await.is_none());
    // The same account, with another password, after the rest that a failure brings.
    scene.clock.pass(3600);
    assert_eq!(scene.get(&subject).await.unwrap().0, 200);
    assert_eq!(scene.server.events(), ["start", "login 200", "save", "api"]);
    assert_eq!(scene.get(&subject).await.unwrap().0, 200);
    assert_eq!(scene.server.events(), ["api"], "a session is used again");
    let state = scene.store.kept(&subject).await.unwrap();
    let secrets: Vec<_> = state.secrets.keys().collect();
    assert_eq!(secrets, ["session"], "what only the login needed is forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_at_once_make_one_login() {
    let scene = Arc::new(Scene::new(Says::Status401).await);
    let subject = right();
    for end in [Scene::forget, Scene::expire, Scene::end] {
        scene.server.events();
        end(&scene);
        let mut requests = JoinSet::new();
        for _ in 0..20 {
            let (scene, subject) = (Arc::clone(&scene), Arc::clone(&subject));
            requests.spawn(async move { scene.get(&subject).await.unwrap().0 });
        }
        assert_eq!(requests.join_all().await, [200; 20]);
        let events = scene.server.events();
        let count = |what: &str| events.iter().filter(|it| *it == what).count();
        assert_eq!((count("start"), count("login 200"), count("save")), (1, 1, 1), "{events:?}");
        assert_eq!(count("api"), 20, "{events:?}");
    }
}

impl Scene {
    /// There is none yet.
    fn forget(&self) {
        assert!(self.server.events().is_empty());
    }

    fn expire(&self) {
        self.clock.pass(crate::server::LIFETIME + 1);
    }

    /// Past the rest between two renewals that replies ask for.
    fn end(&self) {
        self.server.end_sessions();
    }
}
