//! What one caller can take from the others.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_gateway::Settings;
use futures_util::stream;
use tokio::sync::{Semaphore, mpsc};

use crate::scene::{Scene, fault, json_of};
use crate::upstream::{Upstream, whole};

/// One that tells of each request, and answers it once it is let go.
async fn held(gate: &Arc<Semaphore>) -> (Upstream, Arrivals) {
    let (told, arrivals) = mpsc::unbounded_channel();
    let gate = Arc::clone(gate);
    let upstream = Upstream::start(move |_| {
        let (gate, told) = (Arc::clone(&gate), told.clone());
        Box::pin(async move {
            told.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            whole(200, "late")
        })
    })
    .await;
    (upstream, arrivals)
}

type Arrivals = mpsc::UnboundedReceiver<()>;

/// Waits until so many are under way.
async fn under_way(scene: &Scene, wanted: usize) {
    let text = format!("countersign_proxied_under_way {wanted}\n");
    loop {
        let metrics = scene.http.get(scene.url("/metrics")).bearer_auth(&scene.token);
        if metrics.send().await.unwrap().text().await.unwrap().contains(&text) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn more_than_an_account_may_have_under_way_is_told_to_come_later() {
    let gate = Arc::new(Semaphore::new(0));
    let (upstream, mut arrivals) = held(&gate).await;
    let mut settings = Settings::default();
    (settings.most_in_flight_per_account, settings.most_in_flight) = (2, 3);
    let scene = Scene::with(settings).await;
    scene.connect("api", &upstream).await;
    for identifier in ["u1", "u2", "u3"] {
        scene.account("api", identifier, "t").await;
    }
    let send = |identifier: &str| {
        let request = scene.proxied_for("GET", "/x", "api", identifier);
        tokio::spawn(async move { request.send().await.unwrap() })
    };
    let first = [send("u1"), send("u1")];
    for _ in 0..2 {
        arrivals.recv().await.unwrap();
    }
    let answer = send("u1").await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(fault(answer).await, (429, "too_many_requests".to_owned()));
    let third = send("u2");
    arrivals.recv().await.unwrap();
    let answer = send("u3").await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(fault(answer).await, (503, "overloaded".to_owned()));
    gate.add_permits(3);
    for request in first.into_iter().chain([third]) {
        assert_eq!(request.await.unwrap().text().await.unwrap(), "late");
    }
    under_way(&scene, 0).await;
    gate.add_permits(1);
    assert_eq!(send("u1").await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_not_waited_for_for_ever() {
    let gate = Arc::new(Semaphore::new(0));
    let (upstream, _arrivals) = held(&gate).await;
    let mut settings = Settings::default();
    settings.deadline = Duration::from_millis(50);
    let scene = Scene::with(settings).await;
    scene.connect("api", &upstream).await;
    scene.account("api", "u1", "t").await;
    let answer = scene.proxied("POST", "/x").send().await.unwrap();
    assert_eq!(fault(answer).await, (504, "upstream_timeout".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_sent_whole() {
    let upstream = Upstream::noting(|_| whole(200, "")).await;
    let mut settings = Settings::default();
    settings.longest_body = 1000;
    let scene = Scene::with(settings).await;
    scene.connect("api", &upstream).await;
    scene.account("api", "u1", "t").await;
    let answer = scene.proxied("POST", "/x").body(vec![0; 1001]).send().await.unwrap();
    assert_eq!(fault(answer).await, (413, "body_too_large".to_owned()));
    // One that does not say how long it is.
    let pieces = stream::iter((0..11).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![0; 100]))));
    let request = scene.proxied("POST", "/x").body(reqwest::Body::wrap_stream(pieces));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let code = json_of(answer).await["error_code"].clone();
    assert!(["body_unreadable", "invalid_request"].contains(&code.as_str().unwrap()), "{code}");
    assert!(upstream.take().is_empty());
    let answer = scene.proxied("POST", "/x").body(vec![0; 1000]).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(upstream.one().body.len(), 1000);
}

#[tokio::test]
async fn what_is_under_way_is_finished_before_the_server_stops() {
    let gate = Arc::new(Semaphore::new(0));
    let (upstream, mut arrivals) = held(&gate).await;
    let mut scene = Scene::new().await;
    scene.connect("api", &upstream).await;
    scene.account("api", "u1", "t").await;
    let request = scene.proxied("GET", "/x");
    let request = tokio::spawn(async move { request.send().await.unwrap() });
    arrivals.recv().await.unwrap();
    let ready = scene.http.get(scene.url("/readyz"));
    let stopping = scene.stop();
    let answered = async {
        // Whether it is refused or told that this one is about to stop: nothing new comes in.
        let _ = ready.send().await;
        gate.add_permits(1);
        request.await.unwrap().text().await.unwrap()
    };
    let (body, ()) = tokio::join!(answered, stopping);
    assert_eq!(body, "late");
    assert!(scene.http.get(scene.url("/healthz")).send().await.is_err());
}
