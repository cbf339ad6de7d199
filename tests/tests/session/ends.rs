//! How a session ends, and what comes after.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::scene::{Scene, right};
use crate::server::{LIFETIME, Says};

#[tokio::test]
async fn a_session_past_its_end_is_not_sent() {
    let scene = Scene::new(Says::Status401).await;
    let subject = right();
    scene.get(&subject).await.unwrap();
    scene.server.events();
    scene.clock.pass(LIFETIME + 1);
    assert_eq!(scene.get(&subject).await.unwrap().0, 200);
    assert_eq!(scene.server.events(), ["start", "login 200", "save", "api"]);
}

#[tokio::test]
async fn a_session_near_its_end_is_renewed_while_it_is_used() {
    let scene = Scene::new(Says::Status401).await;
    let subject = right();
    scene.get(&subject).await.unwrap();
    scene.server.events();
    scene.clock.pass(LIFETIME - 5);
    assert_eq!(scene.get(&subject).await.unwrap().0, 200);
    scene.host.drain().await;
    let mut events = scene.server.events();
    events.sort();
    assert_eq!(events, ["api", "login 200", "save", "start"]);
}

#[tokio::test]
async fn a_session_that_the_site_ends_is_begun_anew_and_the_request_sent_again() {
    for says in [Says::Status401, Says::Page] {
        let scene = Scene::new(says).await;
        let subject = right();
        scene.get(&subject).await.unwrap();
        scene.server.events();
        scene.server.end_sessions();
        let (status, body) = scene.get(&subject).await.unwrap();
        assert_eq!(status, 200);
        assert!(body.contains("/things"), "what the API says, and no page: {body}");
        assert_eq!(scene.server.events(), ["api over", "start", "login 200", "save", "api"]);
    }
}

/// It may have done something before the page came.
#[tokio::test]
async fn a_post_that_is_answered_with_a_page_is_not_sent_again() {
    let scene = Scene::new(Says::Page).await;
    let subject = right();
    scene.get(&subject).await.unwrap();
    scene.server.events();
    scene.server.end_sessions();
    let post = || Request::post("/things").body(Full::new(Bytes::from("{}"))).unwrap();
    let (_, body) = scene.send(&subject, post()).await.unwrap();
    assert!(body.contains("<title>Log in"), "{body}");
    assert_eq!(scene.server.events(), ["api over", "start", "login 200", "save"]);
    // The next one has the new session.
    let (_, body) = scene.send(&subject, post()).await.unwrap();
    assert!(body.contains("/things"), "{body}");
    assert_eq!(scene.server.events(), ["api"]);
}
