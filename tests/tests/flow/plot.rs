//! One account of a plugin made to order, and token endpoints that answer from a script.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use countersign::egress::EgressError;
use countersign::flow::{Fetcher, FlowError};
use countersign::{Countersign, Egress, Error, Registry, Settings, Subject};
use countersign_hostile::answer::{descriptor, entry};
use countersign_hostile::{AUTHORIZE_URI, Guest, TOKEN_URI, Val};
use countersign_tests::world::{NotingStore, SetClock, get, no_egress, registry_of, unencrypted};
use countersign_tests::{Recorder, sandbox, subject};
use http::{HeaderMap, Request, Response};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

pub(crate) const TYPE: &str = "PLOT";

pub(crate) struct Plot {
    pub(crate) host: Countersign,
    pub(crate) subject: Arc<Subject>,
    pub(crate) store: Arc<NotingStore>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) fetched: Arc<Fetched>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) folder: TempDir,
}

/// Answers 200 to everything, with nothing until told otherwise, and keeps what it was asked.
#[derive(Default)]
pub(crate) struct Fetched {
    pub(crate) answer: Mutex<&'static str>,
    pub(crate) urls: Mutex<Vec<String>>,
    pub(crate) headers: Mutex<Vec<HeaderMap>>,
    pub(crate) takes: Mutex<Duration>,
    /// No answer comes back.
    pub(crate) closes: AtomicBool,
    count: AtomicUsize,
}

impl Fetched {
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Fetcher for Fetched {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        _: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.urls.lock().unwrap().push(request.uri().to_string());
        self.headers.lock().unwrap().push(request.headers().clone());
        let takes = *self.takes.lock().unwrap();
        assert!(takes <= deadline, "the host says how long it may take");
        tokio::time::sleep(takes).await;
        if self.closes.load(Ordering::SeqCst) {
            return Err(EgressError::Closed { host: "as.hostile.example".into() });
        }
        let answer = *self.answer.lock().unwrap();
        Ok(Response::new(Bytes::from_static(answer.as_bytes())))
    }
}

/// A plugin that asks leave for these, besides its token, its header and its two URLs.
pub(crate) fn guest(needs: &[&str]) -> Guest {
    let usual = [
        "read account/token",
        "write header/authorization",
        "write state/access_token",
        "fetch pattern/oauth_config/token_uri",
        "visit pattern/oauth_config/authorize_uri",
    ];
    let all = [&usual[..], needs].concat();
    let flows = ["setup", "grant", "renew", "revoke"];
    Guest::flow(descriptor(&[TYPE], &flows, &all, r#"{"title":"Plot","version":"1"}"#.into()))
}

pub(crate) fn provider() -> Json {
    json!({
        "display_name": "Plot", "proxy_url": "https://api.hostile.example/base",
        "proxy_enabled": true,
        "auth_patterns": [{
            "type": TYPE,
            "fields": [{"field_name": "token", "label": "Token", "input_type": "password"}],
            "oauth_config": {"authorize_uri": AUTHORIZE_URI, "token_uri": TOKEN_URI},
        }],
    })
}

impl Plot {
    pub(crate) fn of(guest: &Guest) -> Self {
        Self::with(guest, &provider(), Settings::default())
    }

    pub(crate) fn with(guest: &Guest, provider: &Json, settings: Settings) -> Self {
        Self::through(no_egress(), guest, provider, settings)
    }

    /// Sends what it authorizes to `upstream`, unencrypted.
    pub(crate) fn sending(upstream: &Recorder, guest: &Guest, settings: Settings) -> Self {
        Self::sending_to(upstream.address(), guest, settings)
    }

    pub(crate) fn sending_to(upstream: SocketAddr, guest: &Guest, mut settings: Settings) -> Self {
        let (egress, unencrypted) = unencrypted();
        settings.target = unencrypted.target;
        let mut provider = provider();
        provider["proxy_url"] = format!("http://{upstream}/base").into();
        Self::through(egress, guest, &provider, settings)
    }

    fn through(egress: Egress, guest: &Guest, provider: &Json, settings: Settings) -> Self {
        let (registry, folder) = registry_of(&[("plot", guest.build().unwrap())]);
        let refused = registry.listing().refused;
        assert!(refused.is_empty(), "{refused:?}");
        let subject = subject(provider, &json!({"client_id": "c"}), &account());
        let store = Arc::new(NotingStore::default());
        let clock = Arc::new(SetClock::default());
        let fetched = Arc::new(Fetched::default());
        let host = Countersign::builder(sandbox(), Arc::clone(&registry), egress)
            .store(Arc::clone(&store) as _)
            .clock(Arc::clone(&clock) as _)
            .fetcher(Arc::clone(&fetched) as _)
            .settings(settings)
            .build();
        Self { host, subject, store, clock, fetched, registry, folder }
    }

    /// The account's state, as if a grant had ended in this access token.
    pub(crate) fn seed(&self, token: &str, expires_at: &str) {
        let token = json!({"identifier": "u", "authorization_details": {
            "oauth_token": {"access_token": token}, "token_expires_at": expires_at}});
        self.store.seed(&subject(&provider(), &json!({"client_id": "c"}), &token));
    }

    /// The credential on a request that is prepared.
    pub(crate) async fn prepared(&self) -> Result<String, Error> {
        let request = self.host.prepare(&self.subject, get("/things")).await?;
        Ok(request.headers()["authorization"].to_str().unwrap().to_owned())
    }

    /// What ends a renewal.
    pub(crate) async fn renewal_error(&self) -> Arc<Error> {
        let error = self.host.renew(&self.subject).await.err().expect("it is refused");
        match error {
            Error::Renewal(cause) => cause,
            other => panic!("{other}"),
        }
    }

    pub(crate) async fn flow_error(&self) -> FlowError {
        match &*self.renewal_error().await {
            Error::Flow(cause) => cause.clone(),
            other => panic!("{other}"),
        }
    }
}

pub(crate) fn account() -> Json {
    json!({"identifier": "u", "authorization_details": {
        "static_auth": {"details": {"token": "canary-of-the-account"}}}})
}

/// `ok(step.fetch)` with a body and a cursor.
pub(crate) fn fetch(url: impl Into<Val>, body: impl Into<Val>, cursor: impl Into<Val>) -> Val {
    let request = Val::Record(vec![
        ("method", "POST".into()),
        ("url", url.into()),
        ("headers", Val::List(Vec::new())),
        ("body", body.into()),
    ]);
    let fetch = Val::Record(vec![
        ("request", request),
        ("client-certificate", Val::none()),
        ("cursor", cursor.into()),
    ]);
    Val::ok(Val::of("fetch", fetch))
}

/// `ok(step.done)` with one secret that lasts so many seconds.
pub(crate) fn done(secret: impl Into<Val>, lasts: u64) -> Val {
    Val::ok(Val::of(
        "done",
        Val::Record(vec![
            ("secrets", Val::List(vec![entry("access_token", secret)])),
            ("attributes", Val::List(Vec::new())),
            ("renew-after", Val::none()),
            ("expires-after", Val::some(lasts)),
        ]),
    ))
}

/// `ok(outcome.ready)` with one header, and what else a plugin may say.
pub(crate) struct Ready {
    pub(crate) edit: Val,
    pub(crate) remember: u64,
    pub(crate) memo: Val,
    pub(crate) cursor: Val,
}

impl Ready {
    pub(crate) fn lasting(edit: Val) -> Self {
        Self { edit, remember: 60, memo: Val::none(), cursor: "".into() }
    }

    pub(crate) fn answer(self) -> Val {
        let Self { edit, remember, memo, cursor } = self;
        Val::ok(Val::of(
            "ready",
            Val::Record(vec![
                ("edits", Val::List(vec![edit])),
                ("remember", Val::Num(remember)),
                ("watches", Val::List(Vec::new())),
                ("memo", memo),
                ("cursor", cursor),
            ]),
        ))
    }
}
