//! Ways in which credential injectors have failed in public, tried on the joined library. Each test
//! is named after the row of docs/pitfalls.md that it is about; row 10 has a binary of its own
//! (`isolation.rs`).

#![expect(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod destination;
mod headers;
mod loss;
mod paths;
mod patience;
mod plugins;
mod redirects;
mod trailers;
mod websocket;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use countersign::account::Account;
use countersign::connection::Connection;
use countersign::provider::Provider;
use countersign::{Countersign, Error, Registry, Subject};
use countersign_cli::upstream::{Upstream, echo};
use countersign_tests::{egress, registry, sandbox};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use serde_json::{Value as Json, json};

/// The host of nearly every provider here.
const HOST: &str = "api.example.com";

/// The bundled plugins, loaded once.
async fn bundled() -> Arc<Registry> {
    static LOADED: OnceLock<Arc<Registry>> = OnceLock::new();
    let load = || Arc::clone(LOADED.get_or_init(|| registry(None)));
    tokio::task::spawn_blocking(load).await.unwrap()
}

/// A host around an echoing upstream that counts what reaches it.
struct Site {
    host: Countersign,
    reached: Arc<AtomicUsize>,
    _upstream: Upstream,
}

impl Site {
    async fn new() -> Self {
        Self::with(bundled().await).await
    }

    async fn with(registry: Arc<Registry>) -> Self {
        let reached = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reached);
        let hosts = [HOST, "acme.example.com", "login.example.com"];
        let upstream = Upstream::start(&hosts, move |request| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move { echo(&request) }
        });
        let upstream = upstream.await.unwrap();
        let host = Countersign::builder(sandbox(), registry, egress(&upstream, &hosts)).build();
        Self { host, reached, _upstream: upstream }
    }

    fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    /// What the upstream saw.
    async fn send(&self, account: &Arc<Subject>, request: Request<()>) -> Result<Json, Error> {
        let request = request.map(|()| Empty::<Bytes>::new());
        let reply = self.host.send(account, request).await?;
        let body = reply.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body).unwrap())
    }
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

/// A payload of one pattern, with these fields, below `https://api.example.com/base`.
fn payload(auth_type: &str, fields: &[&str]) -> Json {
    let fields: Vec<_> = fields
        .iter()
        .map(|name| json!({"field_name": name, "label": name, "input_type": "password"}))
        .collect();
    json!({
        "display_name": "A", "description": "B", "proxy_enabled": true,
        "proxy_url": format!("https://{HOST}/base"),
        "auth_patterns": [{"type": auth_type, "display_name": "C", "description": "D", "fields": fields}],
    })
}

/// A BEARER payload elsewhere.
fn at(proxy_url: &str, fields: &[&str]) -> Json {
    let mut payload = payload("BEARER", fields);
    payload["proxy_url"] = proxy_url.into();
    payload
}

/// An account with these details; what is wrong with the documents otherwise.
fn whose(payload: &Json, connection: &Json, details: &Json) -> Result<Arc<Subject>, String> {
    let account = json!({"identifier": "u1",
        "authorization_details": {"static_auth": {"details": details}}});
    let provider = Provider::parse(payload).map_err(|problems| problems.to_string())?;
    let connection = Connection::parse(connection).map_err(|problems| problems.to_string())?;
    let account = Account::parse(&account).map_err(|problems| problems.to_string())?;
    let subject = Subject::new("", provider.into(), connection.into(), account.into());
    subject.map(Arc::new).map_err(|error| error.to_string())
}

/// The same where nothing is wrong.
fn account(payload: &Json, details: &Json) -> Arc<Subject> {
    whose(payload, &json!({}), details).unwrap()
}
