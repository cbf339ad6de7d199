//! An authorization server and an API that takes its tokens, on loopback over TLS.
//!
//! It keeps to what it checks: a client proves itself in the one way that it was registered for
//! (RFC 6749, section 2.3.1), a code is good once and for its verifier alone (RFC 7636, S256), a
//! refresh token is good once. A refresh token that comes a second time was stolen, or used by two
//! at once: its whole family is revoked, as RFC 9700, section 4.14.2 has it. What real servers do
//! beside that is an [`Oddity`].

mod grants;
mod oddity;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use countersign_cli::upstream::{Upstream, echo};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;

use grants::Grants;
pub use grants::{CLIENT_ID, CLIENT_SECRET, ClientAuth, Tokens};
pub use oddity::Oddity;

/// Where the API is.
pub const API: &str = "api.acme.example";
/// Where tokens are given.
pub const LOGIN: &str = "login.acme.example";

/// What happened, in the order in which it did.
pub type Events = Arc<Mutex<Vec<String>>>;

/// A running server. Ends when dropped.
pub struct TokenServer {
    upstream: Upstream,
    shared: Arc<Shared>,
}

struct Shared {
    grants: Mutex<Grants>,
    oddity: Mutex<Option<Oddity>>,
    forms: Mutex<Vec<Vec<(String, String)>>>,
    events: Events,
    /// Answers of the token endpoint that may leave.
    gate: Semaphore,
}

type Reply = Response<Full<Bytes>>;

impl TokenServer {
    /// Starts a server for clients that prove themselves this way.
    pub async fn start(auth: ClientAuth) -> Self {
        Self::serving(auth, &[API, LOGIN]).await
    }

    /// The same, under these names as well: whatever else a test calls the API.
    pub async fn serving(auth: ClientAuth, hosts: &[&str]) -> Self {
        let shared = Arc::new(Shared {
            grants: Mutex::new(Grants::new(auth)),
            oddity: Mutex::default(),
            forms: Mutex::default(),
            events: Events::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let answering = Arc::clone(&shared);
        let upstream = Upstream::start(hosts, move |request| {
            let shared = Arc::clone(&answering);
            async move { shared.answer(request).await }
        });
        Self { upstream: upstream.await.expect("a server on loopback"), shared }
    }

    /// The server itself, for an egress to be made with.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// What happened so far: `token`, `token answered`, `revoke`, `me`, `api STATUS`, and whatever
    /// others note.
    pub fn events(&self) -> &Events {
        &self.shared.events
    }

    /// A user who consented some time ago.
    pub fn issue(&self) -> Tokens {
        self.grants().issue(None)
    }

    /// The user is sent to this page, consents, and comes back with these parameters.
    ///
    /// # Panics
    ///
    /// Where the page asks for something that this server would not show a user.
    pub fn consent(&self, page: &url::Url) -> Vec<(String, String)> {
        self.grants().consent(page)
    }

    /// From now on the API does not know this access token.
    pub fn reject(&self, access: &str) {
        self.grants().reject(access);
    }

    /// Whether a refresh token was used twice.
    pub fn saw_reuse(&self) -> bool {
        self.grants().reused
    }

    /// Answers of the token endpoint are odd from now on.
    pub fn turn(&self, oddity: impl Into<Option<Oddity>>) {
        *lock(&self.shared.oddity) = oddity.into();
    }

    /// The token endpoint does its work from now on, but the answers wait for [`Self::release`].
    pub fn hold(&self) {
        let permits = self.shared.gate.available_permits();
        self.shared.gate.forget_permits(permits);
    }

    /// Lets the answers go.
    pub fn release(&self) {
        self.shared.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// The forms that the token endpoint was sent.
    pub fn forms(&self) -> Vec<Vec<(String, String)>> {
        lock(&self.shared.forms).clone()
    }

    /// How often the token endpoint was asked.
    pub fn token_calls(&self) -> usize {
        lock(&self.shared.forms).len()
    }

    /// Waits until the token endpoint was asked this often.
    pub async fn asked(&self, times: usize) {
        while self.token_calls() < times {
            tokio::task::yield_now().await;
        }
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        lock(&self.shared.grants)
    }
}

impl Shared {
    async fn answer(&self, request: Request<Bytes>) -> Reply {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/token") => self.token(&request).await,
            (&Method::POST, "/revoke") => {
                self.note("revoke");
                let form = form(request.body());
                let known = lock(&self.grants).revoke(&request, &form);
                reply(if known { StatusCode::OK } else { StatusCode::UNAUTHORIZED }, &json!({}))
            }
            (&Method::GET, "/me") => {
                self.note("me");
                let known = self.knows(&request);
                let user = json!({"sub": "user-7"});
                reply(if known { StatusCode::OK } else { StatusCode::UNAUTHORIZED }, &user)
            }
            _ => {
                let known = self.knows(&request);
                self.note(if known { "api 200" } else { "api 401" });
                if known {
                    return echo(&request);
                }
                reply(StatusCode::UNAUTHORIZED, &json!({"rejected": true}))
            }
        }
    }

    async fn token(&self, request: &Request<Bytes>) -> Reply {
        let form = form(request.body());
        lock(&self.forms).push(form.clone());
        self.note("token");
        let odd = lock(&self.oddity).clone();
        let answer = match &odd {
            // Such a server has not done anything.
            Some(oddity) if !oddity.gives_tokens() => Ok(json!({})),
            _ => lock(&self.grants).token(request, &form),
        };
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        self.note("token answered");
        let (status, body) = match answer {
            Ok(tokens) => (StatusCode::OK, tokens),
            Err(error) => (StatusCode::BAD_REQUEST, json!({"error": error})),
        };
        match odd {
            Some(oddity) => oddity.reply(body),
            None => reply(status, &body),
        }
    }

    fn knows(&self, request: &Request<Bytes>) -> bool {
        let header = request.headers().get("authorization").and_then(|it| it.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer "));
        token.is_some_and(|token| lock(&self.grants).knows(token))
    }

    fn note(&self, what: &str) {
        lock(&self.events).push(what.to_owned());
    }
}

/// The pairs of a form (RFC 6749, appendix B).
fn form(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

fn reply(status: StatusCode, body: &Json) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    let kind = http::HeaderValue::from_static("application/json");
    reply.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    reply
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
