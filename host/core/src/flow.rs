//! What takes time: set-up, grant, renewal, revocation.
//!
//! A flow is a conversation with the plugin in steps: it asks for a *fetch*, which the host checks
//! and sends; for a *pause*, which is handed to the caller of the library; or it is *done*, and the
//! state that it leaves is checked and stored before anyone uses it. The host runs one flow per
//! account at a time, under the store's claim, on a task of its own: a caller who goes away does
//! not end it, so a rotated token is not lost between the provider's answer and the store.
//!
//! Bounds: eight steps, one deadline for all fetches, 256 KiB for each answer. A grant that asks again
//! and again whether the user is done (RFC 8628) gets for each wait what asking once takes, for an hour in
//! all. On `Err` the state is what it was.

mod error;
mod fetch;
mod grant;
mod kept;
mod learnt;
mod pace;
mod renewal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::account::State;
use crate::client::Inner;
use crate::contract::flow::{Event, Pause as RawPause, Purpose as RawPurpose, Step};
use crate::error::Error;
use crate::facts::Facts;
use crate::sandbox::{Digest, Flow, Heard, Intent, Plugin};
use crate::store::{Claim, StateKey, StoreError};
use crate::subject::Subject;

pub use error::FlowError;
pub use fetch::Fetcher;
pub use grant::{Callback, GrantRequest, Paused, Progress, Prompt};
pub(crate) use pace::{FailedRenewals, Gaps};
pub(crate) use renewal::Renewals;

/// Steps of one flow (the contract's own number); those before a pause count.
const MOST_STEPS: u32 = 8;

/// What a grant gets back once a time is over that it waited for: the steps to ask, and to wait again.
const STEPS_TO_ASK: u32 = 2;

/// All such waits of one grant together. Codes that a user types elsewhere are good for some minutes.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Tries to keep a state, beside the last; together some six seconds, as long as a database takes to
/// fail over to its neighbour.
const MOST_SAVES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// What a flow is for.
pub(crate) enum Purpose {
    Setup,
    Grant { redirect_uri: String, state_token: String },
    Renew(Zeroizing<Vec<u8>>),
    Revoke,
}

impl Purpose {
    fn flow(&self) -> Flow {
        match self {
            Self::Setup => Flow::Setup,
            Self::Grant { .. } => Flow::Grant,
            Self::Renew(_) => Flow::Renew,
            Self::Revoke => Flow::Revoke,
        }
    }

    fn raw(&self) -> RawPurpose {
        match self {
            Self::Setup => RawPurpose::Setup,
            Self::Grant { redirect_uri, state_token } => {
                RawPurpose::Grant(crate::contract::flow::Grant {
                    redirect_uri: redirect_uri.clone(),
                    state_token: state_token.clone(),
                })
            }
            Self::Renew(hint) => RawPurpose::Renew(hint.to_vec()),
            Self::Revoke => RawPurpose::Revoke,
        }
    }
}

/// What a flow must remember while it waits: nothing of it may be shown.
#[derive(Clone)]
pub(crate) struct Waiting {
    /// Whose flow it is.
    pub(crate) key: StateKey,
    pub(crate) flow: Flow,
    pub(crate) digest: Digest,
    pub(crate) cursor: Zeroizing<Vec<u8>>,
    pub(crate) state_token: Option<String>,
    pub(crate) wishes: BTreeMap<String, String>,
    steps_left: u32,
    time_left: Duration,
    waited: Duration,
    sent_at: Option<u64>,
}

/// Where a flow has come to.
pub(crate) enum Stage {
    Paused(Box<RawPause>, Box<Waiting>),
    Done(Arc<State>),
}

/// One flow under way.
struct Run<'a> {
    inner: &'a Inner,
    subject: &'a Subject,
    facts: Facts,
    flow: Flow,
    state_token: Option<String>,
    wishes: BTreeMap<String, String>,
    deadline: Instant,
    steps_left: u32,
    /// For times to be over.
    waited: Duration,
    /// Unix milliseconds at which the first fetch was sent: expiry counts from there, since a token
    /// may be followed by a question about its user, and too early is the safe side.
    sent_at: Option<u64>,
}

impl Inner {
    /// Runs a flow from its beginning. The claim is the caller's, so that it can look at the state
    /// under it first.
    pub(crate) async fn begin(
        &self,
        subject: &Subject,
        plugin: Arc<Plugin>,
        purpose: &Purpose,
        wishes: BTreeMap<String, String>,
        claim: &Claim,
    ) -> Result<Stage, Error> {
        let flow = purpose.flow();
        if !plugin.flows.contains(&flow) {
            return Err(FlowError::Missing { plugin: plugin.guest.name.clone(), flow }.into());
        }
        let facts = self.facts_for(subject, &plugin, flow, &wishes).await?;
        let first = self
            .sandbox
            .begin(
                &facts.plugin,
                facts.shown(&[]),
                Intent::new(purpose.raw()),
                self.moment(),
                &facts.masker,
            )
            .await?
            .map_err(|raw| facts.refused(raw))?;
        let state_token = match purpose {
            Purpose::Grant { state_token, .. } => Some(state_token.clone()),
            _ => None,
        };
        let run = self.run(subject, facts, flow, state_token, wishes, MOST_STEPS);
        run.drive(first, claim).await
    }

    /// Goes on with a flow that was paused.
    pub(crate) async fn resume(
        &self,
        subject: &Subject,
        waiting: Box<Waiting>,
        event: Event,
        claim: &Claim,
    ) -> Result<Stage, Error> {
        let plugin = self.registry.plugin(subject.pattern().auth_type())?;
        if plugin.guest.digest != waiting.digest {
            return Err(FlowError::PluginChanged.into());
        }
        if !waiting.key.has_the_holder_of(&waiting.flow.key(subject)) {
            return Err(FlowError::Callback.into());
        }
        let Waiting { flow, cursor, state_token, wishes, steps_left, time_left, .. } = *waiting;
        let facts = self.facts_for(subject, &plugin, flow, &wishes).await?;
        let mut run = self.run(subject, facts, flow, state_token, wishes, steps_left);
        run.waited = waiting.waited;
        // What a grant brings it is given after its last wait, which may have been a long one.
        run.sent_at = waiting.sent_at.filter(|_| flow != Flow::Grant);
        if flow == Flow::Grant && matches!(event, Event::Elapsed) {
            run.steps_left = MOST_STEPS.min(steps_left + STEPS_TO_ASK);
        } else {
            run.deadline = Instant::now() + time_left;
        }
        let step = run.resume(event, cursor).await?;
        run.drive(step, claim).await
    }

    async fn facts_for(
        &self,
        subject: &Subject,
        plugin: &Arc<Plugin>,
        flow: Flow,
        wishes: &BTreeMap<String, String>,
    ) -> Result<Facts, Error> {
        match flow {
            Flow::Setup => self.shared_facts(subject, plugin).await,
            Flow::Grant | Flow::Renew | Flow::Revoke => {
                self.flow_facts(subject, plugin, wishes).await
            }
        }
    }

    fn run<'a>(
        &'a self,
        subject: &'a Subject,
        facts: Facts,
        flow: Flow,
        state_token: Option<String>,
        wishes: BTreeMap<String, String>,
        steps_left: u32,
    ) -> Run<'a> {
        let deadline = Instant::now() + self.settings.load().flow_deadline;
        Run {
            inner: self,
            subject,
            facts,
            flow,
            state_token,
            wishes,
            deadline,
            steps_left,
            waited: Duration::ZERO,
            sent_at: None,
        }
    }
}

impl Flow {
    /// Where the state that this flow leaves is kept.
    pub(crate) fn key(self, subject: &Subject) -> StateKey {
        match self {
            Self::Setup => subject.shared_key().clone(),
            Self::Grant | Self::Renew | Self::Revoke => subject.state_key().clone(),
        }
    }
}

impl Run<'_> {
    async fn drive(mut self, mut step: Step, claim: &Claim) -> Result<Stage, Error> {
        loop {
            self.steps_left = self.steps_left.checked_sub(1).ok_or(FlowError::TooManySteps)?;
            match step {
                Step::Done(state) => {
                    let state = kept::check(state, &self)?;
                    return Ok(Stage::Done(self.keep(claim, state).await?));
                }
                Step::Pause(mut pause) => {
                    grant::check_pause(&pause, &self)?;
                    self.waited += Duration::from_secs(pause.seconds.unwrap_or(0).into());
                    if self.waited > LONGEST_WAIT {
                        return Err(FlowError::TimedOut.into());
                    }
                    let waiting = Waiting {
                        key: self.key(),
                        flow: self.flow,
                        digest: self.facts.plugin.guest.digest,
                        cursor: Zeroizing::new(std::mem::take(&mut pause.cursor)),
                        state_token: self.state_token.clone(),
                        wishes: self.wishes.clone(),
                        steps_left: self.steps_left,
                        time_left: self.time_left(),
                        waited: self.waited,
                        sent_at: self.sent_at,
                    };
                    return Ok(Stage::Paused(Box::new(pause), Box::new(waiting)));
                }
                Step::Fetch(mut fetch) => {
                    let cursor = Zeroizing::new(std::mem::take(&mut fetch.cursor));
                    let request = fetch::check(fetch, &self)?;
                    self.sent_at.get_or_insert_with(|| self.inner.clock.unix_millis());
                    let event = fetch::send(&self, request).await?;
                    step = self.resume(event, cursor).await?;
                }
            }
        }
    }

    /// Stores the state. It may be the only copy of a rotated token, so a store that is out of
    /// reach is asked again for some seconds before that is given up.
    async fn keep(&self, claim: &Claim, state: State) -> Result<Arc<State>, Error> {
        let (store, key, over) = (&self.inner.store, self.key(), self.facts.state_version());
        let mut wait = FIRST_WAIT;
        for _ in 0..MOST_SAVES {
            match store.save(&key, claim, over, state.clone()).await {
                Err(StoreError::Unavailable(cause)) => {
                    tracing::warn!(cause, "a new state could not be kept; trying again");
                }
                // An earlier try may have come through though it did not say so.
                Err(StoreError::Overtaken) if wait > FIRST_WAIT => {
                    let kept = store.state(&key).await?;
                    let ours = kept.filter(|kept| kept.holds_the_same(&state));
                    return ours.ok_or(Error::Store(StoreError::Overtaken));
                }
                ended => return Ok(ended?),
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Ok(store.save(&key, claim, over, state).await?)
    }

    async fn resume(&mut self, event: Event, cursor: Zeroizing<Vec<u8>>) -> Result<Step, Error> {
        learnt::learn(&mut self.facts.masker, &event);
        let Self { inner, facts, .. } = self;
        inner
            .sandbox
            .resume(
                &facts.plugin,
                facts.shown(&[]),
                Heard::new(event),
                cursor,
                inner.moment(),
                &facts.masker,
            )
            .await?
            .map_err(|raw| facts.refused(raw))
    }

    fn key(&self) -> StateKey {
        self.flow.key(self.subject)
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
