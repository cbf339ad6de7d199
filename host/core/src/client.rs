//! The whole path of a request, as one value.
//!
//! [`Countersign::prepare`] gives the edited request and never sends; [`Countersign::send`] does
//! both, and brings the reply. Both take requests relative to the provider's `proxy_url`: of the
//! URI only path and query are looked at, so no caller can choose where a credential goes. On
//! `Err` nothing was sent, unless the error says that the upstream broke off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio_util::task::TaskTracker;

use crate::authorize::{Again, Outgoing};
use crate::body::{BodyError, RequestBody};
use crate::clock::{Clock, SystemClock};
use crate::egress::{Egress, EgressError, Route};
use crate::error::Error;
use crate::flow::{Fetcher, Gaps, Renewals};
use crate::memo::Memos;
use crate::needs::Needs;
use crate::random::{Random, SystemRandom};
use crate::refusal::Refusal;
use crate::registry::Registry;
use crate::reply::{ReplyBody, Sender};
use crate::sandbox::{Moment, Sandbox};
use crate::store::{MemoryStore, Store};
use crate::subject::Subject;
use crate::tally::{Counts, Tally};
use crate::target::TargetRules;

/// What the operator decides about requests and flows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// What URLs may be beyond the strict grammar.
    pub target: TargetRules,
    /// What the operator lets the plugin of an auth type have of its needs, in the same words; all
    /// of them where nothing is said. Never more than it asks for.
    pub policy: BTreeMap<String, Needs>,
    /// Bytes of a body that are kept for a plugin that must see it. What most APIs accept at
    /// most, and what one guest's memory holds three times over.
    pub spool_bytes: usize,
    /// Bytes of a body of known length that are kept so that the request can be sent again after
    /// a renewal; larger ones stream, and are sent once.
    pub resend_bytes: u64,
    /// How long all the fetches of one flow may take together.
    pub flow_deadline: Duration,
    /// How long the body of a watched reply is waited for before it is delivered as it comes,
    /// unseen by the plugin: a stream that neither its kind nor its length betrays must not be
    /// held for ever. The short answer of an upstream that has sent its head takes milliseconds.
    pub longest_hold: Duration,
    /// The least time between two renewals of one account that a reply forced, and between two
    /// that were begun ahead of expiry.
    pub forced_renewal_gap: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            target: TargetRules::default(),
            policy: BTreeMap::new(),
            spool_bytes: 1 << 20,
            resend_bytes: 64 << 10,
            flow_deadline: Duration::from_secs(30),
            longest_hold: Duration::from_secs(2),
            forced_renewal_gap: Duration::from_secs(30),
        }
    }
}

/// Puts credentials on requests. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Countersign {
    pub(crate) inner: Arc<Inner>,
}

/// Counted up with each host of this process, and with each policy of one.
static HOSTS: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Inner {
    /// See [`Inner::id`].
    id: AtomicU64,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) egress: Egress,
    /// In place of the egress.
    pub(crate) sender: Option<Arc<dyn Sender>>,
    pub(crate) fetcher: Arc<dyn Fetcher>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) renewals: Renewals,
    /// Renewals that a reply forced.
    pub(crate) forced: Gaps,
    /// Renewals ahead of expiry.
    pub(crate) ahead: Gaps,
    /// Connections that could not be set up again.
    pub(crate) failed_set_ups: Gaps,
    /// Flows, which outlive the callers who began them.
    pub(crate) tasks: TaskTracker,
    pub(crate) counts: Counts,
    pub(crate) memos: Memos,
}

/// Joins the parts; see [`Countersign::builder`].
pub struct Builder {
    sandbox: Arc<Sandbox>,
    registry: Arc<Registry>,
    egress: Egress,
    sender: Option<Arc<dyn Sender>>,
    fetcher: Arc<dyn Fetcher>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Settings,
}

impl Builder {
    /// Keeps state there; in memory where nothing is said.
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        Self { store, ..self }
    }

    /// Sends requests there; through the egress where nothing is said.
    pub fn sender(self, sender: Arc<dyn Sender>) -> Self {
        Self { sender: Some(sender), ..self }
    }

    /// Sends the requests of flows there; through the egress where nothing is said.
    pub fn fetcher(self, fetcher: Arc<dyn Fetcher>) -> Self {
        Self { fetcher, ..self }
    }

    /// Asks that for the time; the system's where nothing is said.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Takes random bytes from there; the system's where nothing is said.
    pub fn random(self, random: Arc<dyn Random>) -> Self {
        Self { random, ..self }
    }

    /// Keeps to these.
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The finished value.
    pub fn build(self) -> Countersign {
        let Self { sandbox, registry, egress, sender, fetcher, store, clock, random, settings } =
            self;
        let gap = settings.forced_renewal_gap;
        let inner = Inner {
            id: AtomicU64::new(next_id()),
            sandbox,
            registry,
            store,
            egress,
            sender,
            fetcher,
            clock,
            random,
            settings: ArcSwap::from_pointee(settings),
            renewals: Renewals::default(),
            forced: Gaps::new(gap),
            ahead: Gaps::new(gap),
            failed_set_ups: Gaps::new(gap),
            tasks: TaskTracker::new(),
            counts: Counts::default(),
            memos: Memos::default(),
        };
        Countersign { inner: Arc::new(inner) }
    }
}

impl Countersign {
    /// Begins with the three parts that have no default.
    pub fn builder(sandbox: Arc<Sandbox>, registry: Arc<Registry>, egress: Egress) -> Builder {
        Builder {
            sandbox,
            registry,
            fetcher: Arc::new(egress.clone()),
            egress,
            sender: None,
            store: Arc::new(MemoryStore::default()),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            settings: Settings::default(),
        }
    }

    /// The request as it would be sent. Its URI is absolute; renewals that it needs are done.
    ///
    /// Among its extensions is a [`Masker`](crate::secret::Masker) that knows the secrets it was
    /// made with, mutated ones too, for whoever shows it.
    ///
    /// A plugin that watches for the reply (a challenge, a nonce) is not told of one: whoever
    /// sends the request alone goes without. Where it asks something of the connection itself, the
    /// request alone is not enough, and the error says so ([`EgressError::Unsupported`]).
    pub async fn prepare<B>(
        &self,
        subject: &Arc<Subject>,
        request: Request<B>,
    ) -> Result<Request<RequestBody>, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (request, route) = self.prepare_by(subject, request).await?;
        match route.unusual() {
            None => Ok(request),
            Some(edit) => Err(EgressError::Unsupported { edit }.into()),
        }
    }

    /// The same, and the route that it has to be sent by: whoever sends it by another sends it without
    /// its credential. [`Egress::send_by`] takes both.
    pub async fn prepare_by<B>(
        &self,
        subject: &Arc<Subject>,
        request: Request<B>,
    ) -> Result<(Request<RequestBody>, Route), Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let mut outgoing = Outgoing::new(request);
        let answer = self.inner.authorize(subject, &mut outgoing, &Again::default()).await?;
        let route = answer.route(&mut None);
        let mut request = answer.apply(outgoing)?.into_request()?;
        request.extensions_mut().insert(answer.masker.clone());
        Ok((request, route))
    }

    /// Authorizes the request, sends it, and brings the reply, which streams.
    ///
    /// A request that is marked as a [`WebSocket`](crate::egress::WebSocket) is sent once, whatever
    /// the plugin makes of the reply; one with status 101 holds a [`Tunnel`](crate::egress::Tunnel).
    pub fn send<B>(
        &self,
        subject: &Arc<Subject>,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<ReplyBody>, Error>> + Send
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        // On the heap, as whatever waits while it has it keeps room for it twice.
        self.inner.exchange(subject, Box::new(Outgoing::new(request)))
    }

    /// What the plugin finds wrong with the values that are there, before they are saved. Missing
    /// ones are an error already, and so are those that make no URL to send requests to.
    pub async fn validate(&self, subject: &Subject) -> Result<Vec<Refusal>, Error> {
        let inner = &self.inner;
        let plugin = inner.registry.plugin(subject.pattern().auth_type())?;
        let generation = inner.registry.generation();
        let facts = inner.request_facts(subject, &plugin, generation).await?;
        // Where requests go, as far as somebody has typed it: an attribute may yet come.
        if let Err(cause) = inner.base(subject, &facts.values) {
            let attributes = subject.pattern().attributes();
            let may_come = |name| attributes.iter().any(|attribute| attribute == name);
            if !cause.field().is_some_and(may_come) {
                return Err(cause.into());
            }
        }
        let moment = inner.moment();
        let found =
            inner.sandbox.validate(&facts.plugin, facts.shown(&[]), moment, &facts.masker).await?;
        let found = found.into_iter().map(|raw| Refusal::from_guest(raw, &facts.masker));
        Ok(found.chain(facts.unpresentable()).collect())
    }

    /// Waits until the flows that are under way have ended, and what they learnt is stored: those
    /// of callers who went away, and renewals in the background. For an orderly end: a process
    /// that stops without it may lose a token that a server has just rotated. Flows that others
    /// begin meanwhile are waited for as well.
    pub async fn drain(&self) {
        let tasks = &self.inner.tasks;
        // Which lets the waiting end, and new ones begin all the same.
        tasks.close();
        tasks.wait().await;
    }

    /// What it has done so far.
    pub fn tally(&self) -> Tally {
        self.inner.counts.tally(self.inner.sandbox.counts())
    }

    /// Keeps to these from now on: whatever begins once this has returned does. What is under way
    /// ends under what it began with.
    ///
    /// Where the policy or the target rules are others, nothing is used again that was remembered
    /// under the former: answers, what plugins noted for themselves, rests after a failure.
    pub fn set_settings(&self, settings: Settings) {
        let inner = &self.inner;
        for gaps in [&inner.forced, &inner.ahead, &inner.failed_set_ups] {
            gaps.set(settings.forced_renewal_gap);
        }
        let (target, policy) = (settings.target, settings.policy.clone());
        let before = inner.settings.swap(Arc::new(settings));
        if before.target != target || before.policy != policy {
            // After the swap: what is made of the new settings may carry the old id at worst.
            inner.id.store(next_id(), Ordering::Release);
        }
    }

    /// The plugins it uses.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }
}

fn next_id() -> u64 {
    HOSTS.fetch_add(1, Ordering::Relaxed)
}

impl Inner {
    /// No other host of this process has it, nor has this one under another policy. Read it before
    /// the settings.
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Acquire)
    }

    pub(crate) fn rules(&self) -> TargetRules {
        self.settings.load().target
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.clock.unix_millis(), random: Arc::clone(&self.random) }
    }
}
