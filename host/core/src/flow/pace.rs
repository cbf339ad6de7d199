//! How often a renewal is tried: not with each request while a token server says no.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::Error;
use crate::sandbox::Digest;
use crate::store::StateKey;

/// After a first failure: long enough that a burst of requests is one try.
const FIRST_REST: Duration = Duration::from_secs(1);
/// However often it failed: short enough that nobody need act once the cause is gone.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// Failures kept of one subject. Each is for another hint; plugins have one, or one an audience.
const MOST_FAILURES: usize = 8;
/// Accounts that [`Gaps`] holds before it first forgets those whose time is over.
const FIRST_SWEEP: usize = 1024;

/// When something was last done for each account, so that it is not done too often.
pub(crate) struct Gaps {
    last: Mutex<Last>,
}

struct Last {
    gap: Duration,
    times: HashMap<StateKey, Duration>,
    /// How many there are when those whose time is over are next looked for: with each doubling,
    /// so that many accounts do not make each of them slow.
    sweep_at: usize,
}

impl Gaps {
    pub(crate) fn new(gap: Duration) -> Self {
        Self { last: Mutex::new(Last { gap, times: HashMap::new(), sweep_at: FIRST_SWEEP }) }
    }

    /// Another gap, for what was done already as well.
    pub(crate) fn set(&self, gap: Duration) {
        self.lock().gap = gap;
    }

    /// Whether it may be done now; if so, it counts as done.
    pub(crate) fn pass(&self, key: &StateKey, clock: &dyn Clock) -> bool {
        let now = clock.elapsed();
        let mut last = self.lock();
        let passes = !last.within(key, now);
        if passes {
            last.note(key, now);
        }
        passes
    }

    /// Whether it was done within the gap.
    pub(crate) fn lately(&self, key: &StateKey, clock: &dyn Clock) -> bool {
        self.lock().within(key, clock.elapsed())
    }

    /// It was done now.
    pub(crate) fn note(&self, key: &StateKey, clock: &dyn Clock) {
        self.lock().note(key, clock.elapsed());
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn within(&self, key: &StateKey, now: Duration) -> bool {
        self.times.get(key).is_some_and(|time| now.saturating_sub(*time) < self.gap)
    }

    fn note(&mut self, key: &StateKey, now: Duration) {
        if self.times.len() >= self.sweep_at {
            let gap = self.gap;
            self.times.retain(|_, time| now.saturating_sub(*time) < gap);
            self.sweep_at = FIRST_SWEEP.max(2 * self.times.len());
        }
        self.times.insert(key.clone(), now);
    }
}

/// The renewals of one subject that failed, each with a rest in which it is not tried again: who
/// asks meanwhile is told the same.
#[derive(Default)]
pub(crate) struct FailedRenewals(Mutex<Vec<Failed>>);

struct Failed {
    attempt: Attempt,
    error: Arc<Error>,
    rest: Duration,
    /// As [`Clock::elapsed`] counts.
    until: Duration,
}

/// What was tried: by that host, with that hint, over that version of the state.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    pub(crate) host: u64,
    pub(crate) hint: Digest,
    pub(crate) seen: u64,
}

impl FailedRenewals {
    /// Why it is not tried at `now`; `None` where it may be.
    pub(crate) fn at(&self, attempt: Attempt, now: Duration) -> Option<Arc<Error>> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let resting = failures.iter().find(|it| it.attempt == attempt && now < it.until);
        resting.map(|it| Arc::clone(&it.error))
    }

    /// It failed at `now`. Each failure in a row rests twice as long as the last, and as long as
    /// the plugin asks for if that is longer.
    pub(crate) fn note(&self, attempt: Attempt, error: &Arc<Error>, now: Duration) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = failures.iter().find(|it| it.attempt == attempt).map(|it| it.rest);
        let rest = earlier.map_or(FIRST_REST, |rest| (2 * rest).min(LONGEST_REST));
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_REST);
        let until = now + rest.max(asked);
        // Of another version nobody will ask again.
        failures.retain(|it| it.attempt != attempt && it.attempt.seen == attempt.seen);
        if failures.len() == MOST_FAILURES {
            failures.remove(0);
        }
        failures.push(Failed { attempt, error: Arc::clone(error), rest, until });
    }

    /// One has come through.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests;
