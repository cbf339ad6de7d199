//! OAUTH_DEVICE against a real server, on a clock that moves where the grant waits: RFC 8628.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use countersign::account::State;
use countersign::clock::Clock;
use countersign::flow::{Callback, FlowError, GrantRequest, Progress, Prompt};
use countersign::{Countersign, Error, Subject};
use countersign_cli::upstream::{Upstream, echo};
use countersign_tests::token_server::{API, LOGIN};
use countersign_tests::world::{NotingStore, SetClock, bundled_registry, status};
use countersign_tests::{egress, sandbox, subject};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value as Json, json};

const CLIENT: &str = "client:device";

/// The time goes by where somebody waits, and nobody is kept waiting.
#[derive(Default)]
struct Hourglass(SetClock);

impl Clock for Hourglass {
    fn unix_millis(&self) -> u64 {
        self.0.unix_millis()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.0.pass(time.as_secs());
        Box::pin(std::future::ready(()))
    }
}

/// What the user does, and how the server takes it.
#[derive(Clone, Copy)]
struct User {
    /// Seconds until the user is done.
    done: u64,
    says_yes: bool,
    /// The server wants this question, from 1, and all after it to come later.
    slow_down: Option<usize>,
    /// Seconds that codes are good for: as the server tells, and in truth.
    lifetime: (u64, u64),
    page: &'static str,
}

const USER: User = User {
    done: 12,
    says_yes: true,
    slow_down: None,
    lifetime: (1800, 1800),
    page: "https://login.acme.example/device",
};

/// A server that holds each client to its interval.
struct Server {
    clock: Arc<Hourglass>,
    user: User,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    began: u64,
    asked: u64,
    interval: u64,
    /// The answers of the token endpoint, by their error or grant.
    said: Vec<String>,
    refresh: Option<String>,
    access: Option<String>,
    next: usize,
}

impl Server {
    fn answer(&self, request: &Request<Bytes>) -> Response<Full<Bytes>> {
        let form: Vec<(String, String)> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        let of = |name: &str| {
            form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
        };
        let mut books = self.books.lock().unwrap();
        let (code, json) = match request.uri().path() {
            "/device_authorization" => {
                assert_eq!((of("client_id"), of("scope")), (CLIENT, "read write"));
                books.began = self.clock.unix_millis();
                books.asked = books.began;
                books.interval = 5;
                let codes = json!({"device_code": "canary-device-code", "user_code": "WDJB-MJHT",
                    "verification_uri": self.user.page, "expires_in": self.user.lifetime.0});
                (200, codes)
            }
            "/token" => {
                assert_eq!(of("client_id"), CLIENT);
                let answer = match of("grant_type") {
                    "refresh_token" if Some(of("refresh_token")) == books.refresh.as_deref() => {
                        Ok("refreshed")
                    }
                    "urn:ietf:params:oauth:grant-type:device_code" => {
                        assert_eq!(of("device_code"), "canary-device-code");
                        self.poll(&mut books)
                    }
                    _ => Err("invalid_grant"),
                };
                books.said.push(answer.unwrap_or_else(|error| error).to_owned());
                match answer {
                    Ok(_) => (200, books.tokens()),
                    Err(error) => (400, json!({"error": error})),
                }
            }
            _ => {
                let sent = request.headers().get("authorization");
                let sent = sent.and_then(|it| it.to_str().ok()).unwrap_or_default();
                if books.access.as_ref().is_some_and(|it| sent == format!("Bearer {it}")) {
                    return echo(request);
                }
                (401, json!({}))
            }
        };
        let mut reply = Response::new(Full::new(Bytes::from(json.to_string())));
        *reply.status_mut() = code.try_into().unwrap();
        reply
    }

    /// Section 3.5.
    fn poll(&self, books: &mut Books) -> Result<&'static str, &'static str> {
        let now = self.clock.unix_millis();
        let since = now - std::mem::replace(&mut books.asked, now);
        let nth = 1 + books.said.len();
        if since < books.interval * 1000 {
            return Err("asked too soon");
        }
        if self.user.slow_down == Some(nth) {
            books.interval += 5;
            return Err("slow_down");
        }
        let seconds = (now - books.began) / 1000;
        match self.user {
            User { lifetime, .. } if seconds >= lifetime.1 => Err("expired_token"),
            User { done, .. } if seconds < done => Err("authorization_pending"),
            User { says_yes: false, .. } => Err("access_denied"),
            User { .. } => Ok("granted"),
        }
    }
}

impl Books {
    fn tokens(&mut self) -> Json {
        self.next += 1;
        let (access, refresh) = (format!("access-{}", self.next), format!("refresh-{}", self.next));
        (self.access, self.refresh) = (Some(access.clone()), Some(refresh.clone()));
        json!({"access_token": access, "refresh_token": refresh, "token_type": "Bearer",
            "expires_in": 3600})
    }
}

struct Scene {
    server: Arc<Server>,
    _upstream: Upstream,
    clock: Arc<Hourglass>,
    host: Countersign,
    subject: Arc<Subject>,
    store: Arc<NotingStore>,
}

/// Where a grant has come to.
struct Granted {
    prompts: Vec<Prompt>,
    waits: Vec<u64>,
    end: Result<Arc<State>, Error>,
}

impl Scene {
    async fn new(user: User) -> Self {
        let clock = Arc::new(Hourglass::default());
        let books = Mutex::default();
        let server = Arc::new(Server { clock: Arc::clone(&clock), user, books });
        let answering = Arc::clone(&server);
        let upstream = Upstream::start(&[API, LOGIN], move |request| {
            let server = Arc::clone(&answering);
            async move { server.answer(&request) }
        });
        let upstream = upstream.await.unwrap();
        let provider = json!({
            "display_name": "Acme", "proxy_url": format!("https://{API}"), "proxy_enabled": true,
            "auth_patterns": [{"type": "OAUTH_DEVICE", "oauth_config": {
                "device_authorization_uri": format!("https://{LOGIN}/device_authorization"),
                "token_uri": format!("https://{LOGIN}/token"),
            }}],
        });
        let connection = json!({"client_id": CLIENT, "scopes": ["read", "write"]});
        let account = json!({"identifier": "u", "authorization_details": {"oauth_token": {}}});
        let subject = subject(&provider, &connection, &account);
        let store = Arc::new(NotingStore::default());
        let egress = egress(&upstream, &[API, LOGIN]);
        let host = Countersign::builder(sandbox(), bundled_registry(), egress)
            .store(Arc::clone(&store) as _)
            .clock(Arc::clone(&clock) as _)
            .build();
        Self { server, _upstream: upstream, clock, host, subject, store }
    }

    async fn grant(&self) -> Granted {
        let (mut prompts, mut waits) = (Vec::new(), Vec::new());
        let mut progress = self.host.begin_grant(&self.subject, GrantRequest::default()).await;
        let end = loop {
            match progress {
                Ok(Progress::Done(state)) => break Ok(state),
                Err(error) => break Err(error),
                Ok(Progress::Paused(mut paused)) => {
                    prompts.extend(paused.prompt.take());
                    let time = paused.after.unwrap();
                    waits.push(time.as_secs());
                    self.clock.wait(time).await;
                    progress = self.host.resume(&self.subject, *paused, Callback::Elapsed).await;
                }
            }
        };
        Granted { prompts, waits, end }
    }

    fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.server.books.lock().unwrap().said)
    }

    async fn get(&self) -> Result<u16, Error> {
        status(&self.host, &self.subject, "/things").await.map(|(status, _)| status)
    }
}

#[tokio::test]
async fn a_user_who_takes_a_moment_is_waited_for_and_the_token_works_and_is_renewed() {
    let scene = Scene::new(User { slow_down: Some(3), ..USER }).await;
    assert_eq!(scene.get().await.unwrap_err().code(), "reauthorize");
    let granted = scene.grant().await;
    granted.end.unwrap();
    assert_eq!(granted.prompts.len(), 1);
    assert_eq!(granted.prompts[0].url.as_str(), "https://login.acme.example/device");
    assert_eq!(granted.prompts[0].code.as_deref(), Some("WDJB-MJHT"));
    let pending = "authorization_pending";
    assert_eq!(scene.said(), [pending, pending, "slow_down", "granted"]);
    assert_eq!(granted.waits, [5, 5, 5, 10]);
    assert_eq!(scene.get().await.unwrap(), 200);
    assert!(scene.said().is_empty());
    scene.clock.wait(Duration::from_secs(3601)).await;
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.said(), ["refreshed"]);
    // Rejected before its end.
    scene.server.books.lock().unwrap().access = None;
    assert_eq!(scene.get().await.unwrap(), 200);
    assert_eq!(scene.said(), ["refreshed"]);
}

#[tokio::test]
async fn a_user_may_take_as_long_as_the_codes_are_good() {
    let scene = Scene::new(User { done: 1795, ..USER }).await;
    let granted = scene.grant().await;
    let state = granted.end.unwrap();
    assert_eq!(granted.waits, [5; 359]);
    let hour = scene.clock.unix_millis() + 3_600_000;
    assert_eq!(state.expires_at, Some(hour), "the token is as old as the last question");
    assert_eq!(scene.said().len(), 359);
}

#[tokio::test]
async fn a_user_who_says_no_is_heard() {
    let scene = Scene::new(User { says_yes: false, ..USER }).await;
    assert_eq!(scene.grant().await.end.err().unwrap().code(), "denied");
    let pending = "authorization_pending";
    assert_eq!(scene.said(), [pending, pending, "access_denied"]);
    assert!(scene.store.kept(&scene.subject).await.is_none());
}

#[tokio::test]
async fn codes_that_have_ended_are_not_asked_for_any_more() {
    let never = User { done: u64::MAX, ..USER };
    for (lifetime, last, questions) in
        [((30, 3600), "authorization_pending", 5), ((3600, 30), "expired_token", 6)]
    {
        let scene = Scene::new(User { lifetime, ..never }).await;
        assert_eq!(scene.grant().await.end.err().unwrap().code(), "reauthorize");
        let said = scene.said();
        assert_eq!((said.len(), said.last().unwrap().as_str()), (questions, last));
        assert!(scene.store.kept(&scene.subject).await.is_none());
    }
}

/// A server's answer may be another one's: where a user is sent, the payload says.
#[tokio::test]
async fn a_page_elsewhere_is_shown_to_nobody() {
    let scene = Scene::new(User { page: "https://evil.example/device", ..USER }).await;
    let granted = scene.grant().await;
    assert!(granted.prompts.is_empty());
    assert!(matches!(granted.end, Err(Error::Flow(FlowError::PromptUrl))));
    assert!(scene.said().is_empty());
}
