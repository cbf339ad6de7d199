//! New state for an account: once, however many requests wait for it.
//!
//! Requests of this process that want the same renewal share one flow and its result; other
//! processes wait for the store's claim, and find the state renewed when they have it. The flow
//! runs on a task of its own, so that a leader who is cancelled loses nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::{FlowError, Purpose, Stage};
use crate::account::State;
use crate::client::Inner;
use crate::contract::flow::Event;
use crate::error::Error;
use crate::facts::version;
use crate::store::StateKey;
use crate::subject::Subject;

type Outcome = Result<Arc<State>, Arc<Error>>;

type Renewal = Shared<BoxFuture<'static, Outcome>>;

/// The renewals under way in this process, by account and hint.
#[derive(Default)]
pub(crate) struct Renewals(Mutex<HashMap<Key, Renewal>>);

/// Whose state, and with which hint.
type Key = (StateKey, Vec<u8>);

impl Renewals {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Renewal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When something was last done for each account, so that it is not done too often.
#[derive(Default)]
pub(crate) struct Gaps(Mutex<HashMap<StateKey, u64>>);

impl Gaps {
    /// Whether it may be done now, in Unix milliseconds; if so, it counts as done.
    pub(crate) fn pass(&self, key: &StateKey, now: u64, gap: Duration) -> bool {
        let gap = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, time| now.saturating_sub(*time) < gap);
        if last.contains_key(key) {
            return false;
        }
        last.insert(key.clone(), now);
        true
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
    /// Renews the state, or waits for whoever is doing so. `seen` is the version that was found
    /// wanting: where there is a newer one by the time of the claim, that is the answer.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        seen: u64,
        hint: Vec<u8>,
    ) -> Result<Arc<State>, Error> {
        let key = (subject.state_key().clone(), hint.clone());
        let renewal = {
            self.renewals
                .lock()
                .entry(key.clone())
                .or_insert_with(|| {
                    let (inner, subject) = (Arc::clone(self), Arc::clone(subject));
                    let task = tokio::spawn(async move {
                        // Also where the task dies: nobody must find a dead renewal for ever.
                        let _over = Over { renewals: &inner.renewals, key };
                        inner.renew_alone(&subject, seen, hint).await.map_err(Arc::new)
                    });
                    let outcome = task.map(|joined| {
                        joined.unwrap_or_else(|_| Err(Arc::new(Error::Host("a renewal was lost"))))
                    });
                    outcome.boxed().shared()
                })
                .clone()
        };
        renewal.await.map_err(Error::Renewal)
    }

    /// Waits for a renewal that is under way. `None` where there is none.
    pub(crate) async fn renewal_under_way(
        &self,
        subject: &Subject,
        hint: &[u8],
    ) -> Option<Result<Arc<State>, Error>> {
        let key = (subject.state_key().clone(), hint.to_vec());
        let renewal = self.renewals.lock().get(&key).cloned()?;
        Some(renewal.await.map_err(Error::Renewal))
    }

    async fn renew_alone(
        &self,
        subject: &Subject,
        seen: u64,
        hint: Vec<u8>,
    ) -> Result<Arc<State>, Error> {
        let claim = self.store.claim(subject.state_key()).await?;
        if let Some(state) = self.store.state(subject.state_key()).await?
            && version(Some(&state)) != seen
        {
            return Ok(state);
        }
        let plugin = self.registry.plugin(subject.pattern().auth_type())?;
        let purpose = Purpose::Renew(hint);
        let mut stage = self.begin(subject, plugin, &purpose, BTreeMap::new(), &claim).await?;
        let mut patience = self.settings.flow_deadline;
        loop {
            let (pause, waiting) = match stage {
                Stage::Done(kept) => return Ok(kept),
                Stage::Paused(pause, waiting) => (pause, waiting),
            };
            // Nobody is here to be asked; but a time can be waited for, as long as requests can.
            let Some(seconds) = pause.seconds else {
                return Err(FlowError::PromptOutsideGrant.into());
            };
            let wait = Duration::from_secs(seconds.into());
            patience = patience.checked_sub(wait).ok_or(FlowError::TimedOut)?;
            tokio::time::sleep(wait).await;
            stage = self.resume(subject, waiting, Event::Elapsed, &claim).await?;
        }
    }
}
