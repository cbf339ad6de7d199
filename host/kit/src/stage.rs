//! One case in the production host: the same sandbox, registry and checks as where requests are
//! served.
//!
//! What differs is what a test must decide: the clock stands still, but for waits, which move it;
//! random bytes come of the case's seed; and a script answers in place of the network. Each run has
//! a host, a subject and a store of its own, so that nothing of the last is left.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use countersign::clock::Clock;
use countersign::egress::EgressConfig;
use countersign::flow::{Callback, GrantRequest, Paused, Progress};
use countersign::random::SeededRandom;
use countersign::registry::GuestInfo;
use countersign::sandbox::Limits;
use countersign::store::MemoryStore;
use countersign::witness::{Call, Witness};
use countersign::{Countersign, Egress, Error, Registry, Sandbox, Subject};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value as Json, json};
use tokio::runtime::{Builder, Runtime};

use crate::case::{Act, After, FlowKind, Inputs, Pause, Request, header_value};
use crate::error::KitError;
use crate::run::{Delivered, End, Run};
use crate::script::{Message, Script};
use crate::subject;

/// A component, loaded, and a host around it that can be made anew for each run.
pub(crate) struct Stage {
    sandbox: Arc<Sandbox>,
    registry: Arc<Registry>,
    egress: Egress,
    seen: Arc<Seen>,
    runtime: Background,
    info: GuestInfo,
}

/// A runtime that may be dropped anywhere, in a test that is async too. `None` once it is dropped.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<Call>>);

impl Witness for Seen {
    fn called(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

/// Unix milliseconds; a wait moves it.
pub(crate) struct Hand(pub(crate) AtomicU64);

impl Hand {
    fn move_on(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn unix_millis(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.unix_millis())
    }

    fn wait(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.move_on(time);
        Box::pin(std::future::ready(()))
    }
}

impl Stage {
    /// Loads the component; not for an async thread, since it compiles.
    pub(crate) fn open(
        name: &str,
        component: &[u8],
        cache: Option<&Path>,
    ) -> Result<Self, KitError> {
        let seen = Arc::<Seen>::default();
        let mut limits = Limits::default();
        // A plugin that breaks is to be met by every check, and not suspended after the first few.
        limits.faults_to_suspend = usize::MAX;
        // A renewal in the background and the request beside it come in the same order each time.
        limits.concurrent_calls = 1;
        limits.concurrent_calls_per_plugin = 1;
        let sandbox = Sandbox::witnessed(limits, cache, Arc::clone(&seen) as _)?;
        let sandbox = Arc::new(sandbox);
        let registry = Registry::bundled(Arc::clone(&sandbox), &[(name, component)])?;
        let info = registry.listing().serving.pop();
        let info = info.ok_or(KitError::Host("the component does not serve"))?;
        let egress = Egress::new(EgressConfig::default())
            .map_err(|_| KitError::Host("the way out cannot be set up"))?;
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|_| KitError::Host("the runtime does not start"))?;
        let runtime = Background(Some(runtime));
        Ok(Self { sandbox, registry: Arc::new(registry), egress, seen, runtime, info })
    }

    pub(crate) fn info(&self) -> &GuestInfo {
        &self.info
    }

    /// Runs it as it is written.
    pub(crate) fn run(&self, inputs: &Inputs) -> Run {
        self.play(inputs, false)
    }

    /// The same where something was changed on purpose: answers that run out go on with the last.
    pub(crate) fn run_changed(&self, inputs: &Inputs) -> Run {
        self.play(inputs, true)
    }

    fn play(&self, inputs: &Inputs, goes_on: bool) -> Run {
        self.seen.take();
        let play = Play {
            stage: self,
            inputs,
            clock: Arc::new(Hand(AtomicU64::new(inputs.now))),
            fetches: Script::new(&inputs.fetches, goes_on),
            replies: Script::new(&inputs.replies, goes_on),
            sent: Vec::new(),
            prompts: Vec::new(),
            memo: None,
        };
        match &self.runtime.0 {
            Some(runtime) => runtime.block_on(play.run()),
            None => unreachable!("it is there until it is dropped"),
        }
    }
}

impl Seen {
    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One run under way.
struct Play<'a> {
    stage: &'a Stage,
    inputs: &'a Inputs,
    clock: Arc<Hand>,
    fetches: Arc<Script>,
    replies: Arc<Script>,
    /// A request that was made ready and not sent.
    sent: Vec<Message>,
    prompts: Vec<Json>,
    memo: Option<Vec<u8>>,
}

impl Play<'_> {
    async fn run(mut self) -> Run {
        let end = self.act().await.unwrap_or_else(End::Failed);
        self.sent.extend(self.replies.asked());
        Run {
            calls: self.stage.seen.take(),
            end,
            fetched: self.fetches.asked(),
            sent: self.sent,
            prompts: self.prompts,
            memo: self.memo,
        }
    }

    fn host(&self, store: MemoryStore) -> Countersign {
        let stage = self.stage;
        let (sandbox, registry) = (Arc::clone(&stage.sandbox), Arc::clone(&stage.registry));
        Countersign::builder(sandbox, registry, stage.egress.clone())
            .store(Arc::new(store))
            .clock(Arc::clone(&self.clock) as _)
            .random(Arc::new(SeededRandom::new(self.inputs.seed)))
            .fetcher(Arc::clone(&self.fetches) as _)
            .sender(Arc::clone(&self.replies) as _)
            .build()
    }

    async fn act(&mut self) -> Result<End, Error> {
        let inputs = self.inputs;
        let store = MemoryStore::default();
        if let Act::Mutate { target, options } = &inputs.act {
            let values = subject::values(&inputs.values);
            let name = match &self.stage.info.kind {
                countersign::registry::GuestKind::Mutation { mutation } => mutation,
                countersign::registry::GuestKind::Plugin { .. } => target,
            };
            let value = self.host(store).mutate(name, target, options.clone(), &values).await?;
            return Ok(End::Value(value.expose().to_owned()));
        }
        let subject = subject::subject(inputs).ok_or(Error::Host("a case has no documents"))??;
        let subject = Arc::new(subject);
        for (kept, key) in
            [(&inputs.state, subject.state_key()), (&inputs.shared, subject.shared_key())]
        {
            if let Some(kept) = kept {
                store.seed(key.clone(), subject::state(kept));
            }
        }
        let host = self.host(store);
        if let Some(memo) = &inputs.memo {
            host.put_memo(&subject, memo).await?;
        }
        let end = self.on(&host, &subject).await;
        // Renewals ahead of expiry, and flows whose caller is gone, are calls of this run too.
        host.drain().await;
        self.memo = host.memo(&subject).await.ok();
        end
    }

    async fn on(&mut self, host: &Countersign, subject: &Arc<Subject>) -> Result<End, Error> {
        match &self.inputs.act {
            Act::Request { request, sent: false } => {
                let ready = host.prepare(subject, http_request(request)).await?;
                let (parts, body) = ready.into_parts();
                let body = body.collect().await.map_err(|_| Error::Body)?.to_bytes();
                self.sent.push(Message::of(&http::Request::from_parts(parts, ()), &body));
                Ok(End::Ready)
            }
            Act::Request { request, sent: true } => {
                let reply = host.send(subject, http_request(request)).await?;
                let (parts, body) = reply.into_parts();
                let body = body.collect().await?.to_bytes().to_vec();
                let latin1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
                let headers = parts.headers.iter();
                let headers =
                    headers.map(|(name, value)| (name.to_string(), latin1(value.as_bytes())));
                let (status, headers) = (parts.status.as_u16(), headers.collect());
                Ok(End::Replied(Delivered { status, headers, body }))
            }
            Act::Flow(FlowKind::Setup) => {
                self.drive(host, subject, host.set_up(subject).await?, &[]).await
            }
            Act::Flow(FlowKind::Renew) => host.renew(subject).await.map(|_| End::Done),
            Act::Flow(FlowKind::Revoke) => {
                let begun = host.revoke(subject).await?;
                self.drive(host, subject, begun, &[]).await
            }
            Act::Flow(FlowKind::Grant { redirect_uri, pauses }) => {
                let wishes = subject::wishes(&self.inputs.values);
                let request = GrantRequest { redirect_uri: redirect_uri.clone(), wishes };
                let begun = host.begin_grant(subject, request).await?;
                self.drive(host, subject, begun, pauses).await
            }
            Act::Validate => host.validate(subject).await.map(|_| End::Judged),
            Act::Mutate { .. } => Err(Error::Host("a mutation has no subject")),
        }
    }

    /// From pause to pause, for as long as the case says what ends them.
    async fn drive(
        &mut self,
        host: &Countersign,
        subject: &Arc<Subject>,
        mut progress: Progress,
        pauses: &[Pause],
    ) -> Result<End, Error> {
        let mut pauses = pauses.iter();
        loop {
            let paused = match progress {
                Progress::Done(_) => return Ok(End::Done),
                Progress::Paused(paused) => paused,
            };
            self.prompts.push(shown(&paused));
            let Some(pause) = pauses.next() else { return Ok(End::Paused) };
            let callback = match &pause.after {
                After::Elapsed => {
                    self.clock.move_on(paused.after.unwrap_or_default());
                    Callback::Elapsed
                }
                After::Callback(parameters) => {
                    Callback::Parameters(found_again(&paused, parameters))
                }
            };
            progress = host.resume(subject, *paused, callback).await?;
        }
    }
}

/// The parameters of a callback, with the one that finds the flow again.
fn found_again(paused: &Paused, parameters: &[(String, String)]) -> Vec<(String, String)> {
    let mut parameters = parameters.to_vec();
    if let Some((name, token)) = &paused.callback
        && parameters.iter().all(|(given, _)| given != name)
    {
        parameters.push((name.clone(), token.expose().to_owned()));
    }
    parameters
}

/// What the user is shown. The state token is the host's own choice, and stands as `{state-token}`.
fn shown(paused: &Paused) -> Json {
    let mut shown = json!({});
    if let Some(prompt) = &paused.prompt {
        let url = prompt.url.as_str();
        shown["url"] = match &paused.callback {
            Some((_, token)) if !token.is_empty() => url.replace(token.expose(), "{state-token}"),
            _ => url.to_owned(),
        }
        .into();
        if let Some(code) = &prompt.code {
            shown["code"] = code.as_str().into();
        }
    }
    if let Some(after) = paused.after {
        shown["seconds"] = after.as_secs().into();
    }
    shown
}

pub(crate) fn http_request(request: &Request) -> http::Request<Full<Bytes>> {
    let mut made = http::Request::new(Full::new(Bytes::from(request.body.clone())));
    *made.method_mut() = request.method.clone();
    // Found good when the case was read, as the headers were.
    *made.uri_mut() = request.path.parse().unwrap_or_default();
    for (name, value) in &request.headers {
        if let (Ok(name), Some(value)) = (http::HeaderName::try_from(name), header_value(value)) {
            made.headers_mut().append(name, value);
        }
    }
    made
}
