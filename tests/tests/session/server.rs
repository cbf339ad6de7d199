//! A site with a login of two requests, and an API behind it, on loopback over TLS.
//!
//! It keeps to what it checks: the token against forgery is good once, and must come as cookie and header
//! alike; a session is good until its time is over, or the site ends it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use countersign::clock::Clock as _;
use countersign_cli::upstream::{Upstream, echo};
use countersign_tests::token_server::Events;
use countersign_tests::world::SetClock;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use serde_json::{Value as Json, json};

/// Where the API is.
pub(crate) const API: &str = "api.acme.example";
/// Where users log in.
pub(crate) const LOGIN: &str = "login.acme.example";

pub(crate) const USER: &str = "ann";
/// With characters that mean something in JSON, forms and templates.
pub(crate) const PASSWORD: &str = "canary-\"pass\\word\"&=%7B{{username}}+é";
/// How every session begins that it gives.
pub(crate) const SESSION: &str = "canary-session-";
/// The same of tokens against forgery.
pub(crate) const CSRF: &str = "canary-csrf-";

/// Seconds of a session.
pub(crate) const LIFETIME: u64 = 600;

/// What the API says without a session, or with one that is over.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Says {
    Status401,
    /// A page to log in with, and 200.
    Page,
}

/// A running server. Ends when dropped.
pub(crate) struct SessionServer {
    upstream: Upstream,
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<SetClock>,
    says: Says,
    events: Events,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    /// Counted up, so that no two tokens are equal.
    next: usize,
    csrf: HashSet<String>,
    /// Each with its end, in Unix milliseconds.
    sessions: HashMap<String, u64>,
}

type Reply = Response<Full<Bytes>>;

impl SessionServer {
    pub(crate) async fn start(clock: &Arc<SetClock>, says: Says) -> Self {
        let shared = Arc::new(Shared {
            clock: Arc::clone(clock),
            says,
            events: Events::default(),
            books: Mutex::default(),
        });
        let answering = Arc::clone(&shared);
        let upstream = Upstream::start(&[API, LOGIN], move |request| {
            let shared = Arc::clone(&answering);
            async move { shared.answer(&request) }
        });
        Self { upstream: upstream.await.unwrap(), shared }
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// What happened since the last time this was asked: `start`, `login STATUS`, `api`, `api over`.
    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.shared.events))
    }

    pub(crate) fn noted(&self) -> &Events {
        &self.shared.events
    }

    /// The site knows no session any more.
    pub(crate) fn end_sessions(&self) {
        lock(&self.shared.books).sessions.clear();
    }
}

impl Shared {
    fn answer(&self, request: &Request<Bytes>) -> Reply {
        let host = request.uri().host().map(str::to_owned);
        let host = host.or_else(|| Some(text(request.headers(), "host")?.to_owned()));
        if host.unwrap_or_default().starts_with(API) {
            return self.api(request);
        }
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/start") => {
                let mut books = lock(&self.books);
                books.next += 1;
                let csrf = format!("{CSRF}{}", books.next);
                books.csrf.insert(csrf.clone());
                self.note("start");
                let mut reply = reply(200, &json!({}));
                let cookie = format!("XSRF={csrf}; Path=/; Secure");
                reply.headers_mut().append("set-cookie", cookie.parse().unwrap());
                reply
            }
            (&Method::POST, "/in") => {
                let answer = self.login(request);
                self.note(&format!("login {}", answer.0));
                reply(answer.0, &answer.1)
            }
            _ => reply(404, &json!({})),
        }
    }

    fn login(&self, request: &Request<Bytes>) -> (u16, Json) {
        let mut books = lock(&self.books);
        let headers = request.headers();
        let cookie = text(headers, "cookie").and_then(|it| it.strip_prefix("XSRF="));
        let csrf = text(headers, "x-xsrf-token").filter(|it| Some(*it) == cookie);
        if !csrf.is_some_and(|csrf| books.csrf.remove(csrf)) {
            return (403, json!({"error": "forged"}));
        }
        let Ok(asked) = serde_json::from_slice::<Json>(request.body()) else {
            return (400, json!({}));
        };
        if asked != json!({"user": USER, "password": PASSWORD, "remember": true}) {
            return (401, json!({"error": "wrong", "said": asked}));
        }
        books.next += 1;
        let session = format!("{SESSION}{}", books.next);
        let until = self.clock.unix_millis() + LIFETIME * 1000;
        books.sessions.insert(session.clone(), until);
        (200, json!({"session": {"token": session, "expires_in": LIFETIME}}))
    }

    fn api(&self, request: &Request<Bytes>) -> Reply {
        let session = text(request.headers(), "authorization");
        let session = session.and_then(|it| it.strip_prefix("Session ")).unwrap_or_default();
        let until = lock(&self.books).sessions.get(session).copied();
        if until.is_some_and(|until| self.clock.unix_millis() < until) {
            self.note("api");
            return echo(request);
        }
        self.note("api over");
        match self.says {
            Says::Status401 => reply(401, &json!({"error": "over"})),
            Says::Page => {
                let page = "<html><title>Log in to Acme</title></html>";
                let mut reply = Response::new(Full::new(Bytes::from(page)));
                reply.headers_mut().insert("content-type", "text/html".parse().unwrap());
                reply
            }
        }
    }

    fn note(&self, what: &str) {
        lock(&self.events).push(what.to_owned());
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok();
    first.filter(|_| values.next().is_none())
}

fn reply(status: u16, body: &Json) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status.try_into().unwrap();
    reply.headers_mut().insert("content-type", "application/json".parse().unwrap());
    reply
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
