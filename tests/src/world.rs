//! A host, a store that tells what it was asked, and a clock that is set by hand.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use countersign::account::State;
use countersign::clock::{Clock, SystemClock};
use countersign::egress::EgressConfig;
use countersign::store::{Claim, MemoryStore, StateKey, Store, StoreError};
use countersign::{Countersign, Egress, Error, Registry, Settings, Subject};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tempfile::TempDir;

use crate::token_server::Events;
use crate::{registry, sandbox};

/// A clock that starts at the system's time and moves when it is told to.
pub struct SetClock(AtomicU64);

impl Default for SetClock {
    fn default() -> Self {
        Self(AtomicU64::new(SystemClock.unix_millis()))
    }
}

impl SetClock {
    /// So many seconds go by.
    pub fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn unix_millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.unix_millis())
    }
}

/// A store in memory that notes each `save` where a server notes its calls.
#[derive(Default)]
pub struct NotingStore {
    inner: MemoryStore,
    events: Events,
    reads: AtomicUsize,
    trouble: Mutex<VecDeque<Trouble>>,
    overtaking: Mutex<Option<(StateKey, State)>>,
}

/// What goes wrong with one `save`, which in both cases answers that the store is out of reach.
#[derive(Clone, Copy)]
pub enum Trouble {
    /// Nothing was kept.
    NotKept,
    /// It was kept, and only the answer was lost.
    AnswerLost,
}

impl NotingStore {
    /// Notes there.
    pub fn new(events: &Events) -> Self {
        Self { events: Arc::clone(events), ..Self::default() }
    }

    /// Puts in place what the subject's account came with.
    pub fn seed(&self, subject: &Subject) {
        if let Some(state) = subject.account().state() {
            self.inner.seed(subject.state_key().clone(), state.clone());
        }
    }

    /// What goes wrong with the next saves, in this order.
    pub fn have_trouble(&self, trouble: &[Trouble]) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).extend(trouble);
    }

    /// Once that state has been read again, another node puts this one in its place.
    pub fn overtake(&self, key: &StateKey, state: State) {
        *self.overtaking.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((key.clone(), state));
    }

    /// How often state was asked for.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// What is kept for the account.
    pub async fn kept(&self, subject: &Subject) -> Option<Arc<State>> {
        self.inner.state(subject.state_key()).await.expect("memory")
    }
}

#[async_trait]
impl Store for NotingStore {
    async fn state(&self, key: &StateKey) -> Result<Option<Arc<State>>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let read = self.inner.state(key).await;
        let mut overtaking = self.overtaking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((key, state)) = overtaking.take_if(|(overtaken, _)| overtaken == key) {
            self.inner.seed(key, state);
        }
        read
    }

    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError> {
        self.inner.claim(key).await
    }

    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push("save".to_owned());
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let kept = match trouble {
            Some(Trouble::NotKept) => None,
            Some(Trouble::AnswerLost) | None => {
                Some(self.inner.save(key, claim, over, state).await?)
            }
        };
        kept.filter(|_| trouble.is_none())
            .ok_or_else(|| StoreError::Unavailable("out of reach".to_owned()))
    }
}

/// The bundled plugins, loaded once for a test binary.
pub fn bundled_registry() -> Arc<Registry> {
    static REGISTRY: OnceLock<Arc<Registry>> = OnceLock::new();
    Arc::clone(REGISTRY.get_or_init(|| registry(None)))
}

/// A registry of these components alone, from a folder that is theirs.
pub fn registry_of(components: &[(&str, Vec<u8>)]) -> (Arc<Registry>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in components {
        std::fs::write(folder.path().join(name).with_extension("wasm"), bytes).expect("a file");
    }
    let path: PathBuf = folder.path().to_owned();
    let registry = Registry::new(
        sandbox(),
        Arc::new(SystemClock),
        Arc::new(countersign::random::SystemRandom),
        &[],
        Some(path),
        std::collections::BTreeMap::new(),
    );
    (Arc::new(registry.expect("a registry")), folder)
}

/// An egress that reaches nothing: for requests that are prepared and not sent.
pub fn no_egress() -> Egress {
    Egress::new(EgressConfig::default()).expect("an egress")
}

/// An egress that reaches this machine unencrypted, and the settings that let a payload ask for
/// that.
pub fn unencrypted() -> (Egress, Settings) {
    let config = EgressConfig {
        allow_http: true,
        allowed_networks: vec!["127.0.0.1/32".parse().expect("a network")],
        ..EgressConfig::default()
    };
    let mut settings = Settings::default();
    settings.target.http = true;
    (Egress::new(config).expect("an egress"), settings)
}

/// A GET.
pub fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).expect("a request")
}

/// Sends a GET; the status and the body of the reply.
pub async fn status(
    host: &Countersign,
    subject: &Arc<Subject>,
    path: &str,
) -> Result<(u16, Bytes), Error> {
    whole(host.send(subject, get(path)).await?).await
}

/// The status and the whole body of a reply.
pub async fn whole(reply: Response<countersign::ReplyBody>) -> Result<(u16, Bytes), Error> {
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await?.to_bytes();
    Ok((status, body))
}
