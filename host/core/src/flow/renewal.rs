//! New state for an account or a connection: once, however many requests wait for it.
//!
//! Requests of this process that want the same renewal share one flow and its result; other
//! processes wait for the store's claim, and find the state renewed when they have it. The flow
//! runs on a task of its own, so that a leader who is cancelled loses nothing. One that failed is
//! not tried again with the next request, but after a rest.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tracing::Instrument as _;
use zeroize::Zeroizing;

use super::pace::Attempt;
use super::{FlowError, Purpose, Stage};
use crate::account::State;
use crate::client::Inner;
use crate::contract::flow::Event;
use crate::error::Error;
use crate::facts::version;
use crate::sandbox::{Digest, Flow};
use crate::step;
use crate::store::StateKey;
use crate::subject::Subject;

/// What a renewal came to.
#[derive(Clone)]
pub(crate) struct Renewed {
    pub(crate) state: Arc<State>,
    /// Whether a flow was run for it; otherwise somebody else had made the state meanwhile, it may
    /// be for another hint.
    pub(crate) ran: bool,
}

type Outcome = Result<Renewed, Arc<Error>>;

type Renewal = Shared<BoxFuture<'static, Outcome>>;

/// The renewals under way in this process. Who has seen another version joins none of them: it may
/// be the one that he found wanting which they are waiting for.
#[derive(Default)]
pub(crate) struct Renewals(Mutex<HashMap<Key, Renewal>>);

type Key = (StateKey, Attempt);

impl Renewals {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Renewal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a renewal when dropped.
struct Over<'a> {
    renewals: &'a Renewals,
    key: Key,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.renewals.lock().remove(&self.key);
    }
}

impl Inner {
    /// Renews the state, or waits for whoever is doing so, or says again why it lately failed.
    /// `seen` is the version that was found wanting: where there is a newer one by the time of the
    /// claim, that is the answer.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        seen: u64,
        hint: Zeroizing<Vec<u8>>,
    ) -> Result<Renewed, Error> {
        let attempt = self.attempt(&hint, seen);
        match subject.failed.at(attempt, self.clock.elapsed()) {
            Some(error) => Err(Error::Renewal(error)),
            None => self.renew_now(subject, seen, hint).await,
        }
    }

    /// The same, whether or not it lately failed.
    pub(crate) async fn renew_now(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        seen: u64,
        hint: Zeroizing<Vec<u8>>,
    ) -> Result<Renewed, Error> {
        let attempt = self.attempt(&hint, seen);
        self.share(subject, Purpose::Renew(hint), attempt).await.map_err(Error::Renewal)
    }

    /// Sets the connection up again, where what it shares is past its end.
    pub(crate) async fn set_up_again(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        seen: u64,
    ) -> Result<Renewed, Error> {
        let (key, attempt) = (subject.shared_key(), self.attempt(&[], seen));
        let under_way = self.renewals.lock().contains_key(&(key.clone(), attempt));
        if !under_way && self.failed_set_ups.lately(key, &*self.clock) {
            // It may have been set up by now all the same, on another node or a moment ago.
            let shared = self.store.state(key).await?;
            return match shared.filter(|state| state.version != seen) {
                Some(state) => Ok(Renewed { state, ran: false }),
                None => Err(Error::SharedExpired),
            };
        }
        self.share(subject, Purpose::Setup, attempt).await.map_err(Error::Renewal)
    }

    pub(crate) fn attempt(&self, hint: &[u8], seen: u64) -> Attempt {
        Attempt { host: self.id(), hint: Digest::of(hint), seen }
    }

    /// Begins a renewal in the background where it is due, and was not begun lately.
    pub(crate) fn renew_ahead(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        flow: Flow,
        state: Option<&State>,
    ) {
        let now = self.clock.unix_millis();
        let Some(state) = state.filter(|state| state.renew_at.is_some_and(|time| time <= now))
        else {
            return;
        };
        if !self.ahead.pass(&flow.key(subject), &*self.clock) {
            return;
        }
        let (inner, subject, seen) = (Arc::clone(self), Arc::clone(subject), state.version);
        let renewing = async move {
            let renewed = match flow {
                Flow::Setup => inner.set_up_again(&subject, seen).await,
                _ => inner.renew(&subject, seen, Zeroizing::default()).await,
            };
            if let Err(error) = renewed {
                tracing::warn!(code = error.code(), %flow, "a renewal ahead of expiry failed");
            }
        };
        self.tasks.spawn(renewing.in_current_span());
    }

    /// Waits for a renewal that is under way. `None` where there is none.
    pub(crate) async fn renewal_under_way(
        &self,
        subject: &Subject,
        attempt: Attempt,
    ) -> Option<Result<Renewed, Error>> {
        let key = (subject.state_key().clone(), attempt);
        let renewal = self.renewals.lock().get(&key).cloned()?;
        Some(renewal.await.map_err(Error::Renewal))
    }

    /// Runs the flow on a task of its own, or waits for the one that runs.
    async fn share(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        purpose: Purpose,
        attempt: Attempt,
    ) -> Outcome {
        let key = (purpose.flow().key(subject), attempt);
        let renewal = {
            self.renewals
                .lock()
                .entry(key.clone())
                .or_insert_with(|| {
                    let (inner, subject) = (Arc::clone(self), Arc::clone(subject));
                    let flow = purpose.flow();
                    let span = step::or_current(tracing::debug_span!(
                        "renewal",
                        otel.kind = "internal",
                        countersign.flow = %flow,
                    ));
                    let renewing = async move {
                        // Also where the task dies: nobody must find a dead renewal for ever.
                        let _over = Over { renewals: &inner.renewals, key };
                        let renewed = inner.renew_alone(&subject, &purpose, attempt.seen).await;
                        let renewed = renewed.map_err(Arc::new);
                        match &renewed {
                            Ok(renewed) if renewed.ran => inner.counts.renewals.up(),
                            Ok(_) => {}
                            Err(_) => inner.counts.failed_renewals.up(),
                        }
                        match (&renewed, purpose.flow()) {
                            (Ok(_), _) => subject.failed.clear(),
                            (Err(error), Flow::Renew) => {
                                subject.failed.note(attempt, error, inner.clock.elapsed());
                            }
                            (Err(_), _) => {
                                inner.failed_set_ups.note(subject.shared_key(), &*inner.clock);
                            }
                        }
                        renewed
                    };
                    let task = self.tasks.spawn(renewing.instrument(span));
                    let outcome = task.map(|joined| {
                        joined.unwrap_or_else(|_| Err(Arc::new(Error::Host("a renewal was lost"))))
                    });
                    outcome.boxed().shared()
                })
                .clone()
        };
        renewal.await
    }

    async fn renew_alone(
        &self,
        subject: &Subject,
        purpose: &Purpose,
        seen: u64,
    ) -> Result<Renewed, Error> {
        let key = purpose.flow().key(subject);
        let claim = self.store.claim(&key).await?;
        if let Some(state) = self.store.state(&key).await?
            && version(Some(&state)) != seen
        {
            return Ok(Renewed { state, ran: false });
        }
        let plugin = self.registry.plugin(subject.pattern().auth_type())?;
        let mut stage = self.begin(subject, plugin, purpose, BTreeMap::new(), &claim).await?;
        let mut patience = self.settings.load().flow_deadline;
        loop {
            let (pause, waiting) = match stage {
                Stage::Done(state) => return Ok(Renewed { state, ran: true }),
                Stage::Paused(pause, waiting) => (pause, waiting),
            };
            // Nobody is here to be asked; but a time can be waited for, as long as requests can.
            let Some(seconds) = pause.seconds else {
                return Err(FlowError::PromptOutsideGrant.into());
            };
            let wait = Duration::from_secs(seconds.into());
            patience = patience.checked_sub(wait).ok_or(FlowError::TimedOut)?;
            self.clock.wait(wait).await;
            stage = self.resume(subject, waiting, Event::Elapsed, &claim).await?;
        }
    }
}
