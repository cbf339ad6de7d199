//! What the tests that cross crates share: a whole host around a real upstream on loopback.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "only tests come here, and to panic is to fail the test"
)]

mod canary;
mod folder;
mod others;
mod provoke;
mod recorder;
mod said;
pub mod token_server;
pub mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use bytes::Bytes;
use countersign::account::Account;
use countersign::clock::SystemClock;
use countersign::connection::Connection;
use countersign::egress::EgressConfig;
use countersign::provider::Provider;
use countersign::random::SystemRandom;
use countersign::sandbox::{Digest, Limits};
use countersign::store::MemoryStore;
use countersign::{Countersign, Egress, Registry, Sandbox, Subject};
use countersign_cli::upstream::Upstream;
use http_body_util::BodyExt as _;
use serde_json::Value as Json;

pub use canary::traces;
pub use folder::Folder;
pub use others::{BEARER_HOST, Others, bearer, serve_one};
pub use provoke::{HOSTILE_HOSTS, provoke, victim};
pub use recorder::Recorder;
pub use said::Said;

/// One sandbox for a test binary: its engine reserves address space.
pub fn sandbox() -> Arc<Sandbox> {
    static SANDBOX: OnceLock<Arc<Sandbox>> = OnceLock::new();
    let start = || Arc::new(Sandbox::new(Limits::default(), None).expect("the engine starts"));
    Arc::clone(SANDBOX.get_or_init(start))
}

/// The bundled components and mutations.
pub fn bundled() -> Vec<(&'static str, &'static [u8])> {
    let components = countersign_bundle::components().iter();
    components.chain(countersign_bundle::mutations()).map(|it| (it.name, it.bytes)).collect()
}

/// A registry of the bundled components and a folder.
pub fn registry(folder: Option<PathBuf>) -> Arc<Registry> {
    registry_of(sandbox(), &bundled(), folder, BTreeMap::new())
}

/// A registry of these components and a folder, where an operator has settled some types.
pub fn registry_of(
    sandbox: Arc<Sandbox>,
    bundled: &[(&str, &[u8])],
    folder: Option<PathBuf>,
    pins: BTreeMap<String, Digest>,
) -> Arc<Registry> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let registry = Registry::new(sandbox, clock, random, bundled, folder, pins);
    Arc::new(registry.expect("the bundled components load"))
}

/// One of the bundled components, for tests that need no other.
pub fn bundled_one(name: &str) -> (&'static str, &'static [u8]) {
    bundled().into_iter().find(|one| one.0 == name).expect("a bundled component")
}

/// An egress that sends `hosts` to the upstream, and trusts it.
pub fn egress(upstream: &Upstream, hosts: &[&str]) -> Egress {
    let resolve = hosts
        .iter()
        .map(|host| format!("{host}:443={}", upstream.address()).parse().expect("a mapping"));
    let config = EgressConfig {
        resolve: resolve.collect(),
        upstream_ca: vec![upstream.authority().as_bytes().to_vec()],
        ..EgressConfig::default()
    };
    Egress::new(config).expect("an egress")
}

/// A host whose store holds what the subject's account came with.
pub fn host(registry: Arc<Registry>, egress: Egress, subject: &Subject) -> Countersign {
    let store = MemoryStore::default();
    if let Some(state) = subject.account().state() {
        store.seed(subject.state_key().clone(), state.clone());
    }
    Countersign::builder(sandbox(), registry, egress).store(Arc::new(store)).build()
}

/// A subject out of three documents.
pub fn subject(provider: &Json, connection: &Json, account: &Json) -> Arc<Subject> {
    let provider = Provider::parse(provider).expect("a good payload");
    let connection = Connection::parse(connection).expect("a good connection");
    let account = Account::parse(account).expect("a good account");
    let subject = Subject::new("", provider.into(), connection.into(), account.into());
    Arc::new(subject.expect("a pattern"))
}

/// A JSON file below the repository's root.
pub fn json(path: &str) -> Json {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| path.display().to_string()).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// Sends a GET, and gives what an echoing upstream saw.
pub async fn seen(host: &Countersign, subject: &Arc<Subject>, path: &str) -> anyhow::Result<Json> {
    let request = http::Request::get(path).body(http_body_util::Empty::<Bytes>::new())?;
    let reply = host.send(subject, request).await?;
    let body = reply.into_body().collect().await?.to_bytes();
    Ok(serde_json::from_slice(&body)?)
}

/// The values of a header that an echoing upstream saw.
pub fn header(seen: &Json, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().into_iter().flatten();
    headers
        .filter(|pair| pair[0] == name)
        .filter_map(|pair| pair[1].as_str().map(ToOwned::to_owned))
        .collect()
}
