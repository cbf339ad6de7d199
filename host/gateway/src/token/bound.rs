//! How often something may be done in a minute, by key.
//!
//! A key that has not been used for a minute counts for nothing and is forgotten once there are many,
//! so that the memory is bounded by what came within a minute.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Refusal;
use crate::fault::{Fault, Kind};

/// Keys before those that count for nothing are first looked for: some 1 MiB.
const FIRST_SWEEP: usize = 10_000;

/// How much there may be of one key in a minute, and how much there was.
pub(super) struct Bound<K: Hash + Eq + Clone> {
    most: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<K>,
    /// How many keys there are when those that count for nothing are next looked for: with each
    /// doubling, so that many callers do not make each of them slow.
    sweep_at: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Bound<K> {
    pub(super) fn new(most: u32) -> Arc<Self> {
        let most = NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::keyed(Quota::per_minute(most));
        Arc::new(Self { most, limiter, sweep_at: AtomicUsize::new(FIRST_SWEEP) })
    }

    /// Itself where the number is the same, with all that it has counted; or a new one.
    pub(super) fn or_new(self: Arc<Self>, most: u32) -> Arc<Self> {
        if self.most.get() == most { self } else { Self::new(most) }
    }

    /// Counts one more, where there is room for it.
    pub(super) fn count(&self, key: &K) -> Result<(), Refusal> {
        if self.limiter.len() >= self.sweep_at.load(Ordering::Relaxed) {
            self.limiter.retain_recent();
            let next = FIRST_SWEEP.max(2 * self.limiter.len());
            self.sweep_at.store(next, Ordering::Relaxed);
        }
        self.limiter.check_key(key).map_err(|until| {
            let message = "too many tokens are asked for: one serves for a day";
            let fault = Fault::new(Kind::TooMany, "too_many_requests", message);
            let wait = until.wait_time_from(DefaultClock::default().now());
            Refusal { error: "temporarily_unavailable", fault: fault.after(wait) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_count_for_nothing_any_more_take_no_memory() {
        // One of each may come every few nanoseconds, so none counts for long.
        let bound = Bound::new(u32::MAX);
        for key in 0..5 * FIRST_SWEEP {
            assert!(bound.count(&key).is_ok());
        }
        assert!(bound.limiter.len() <= FIRST_SWEEP, "{} are kept", bound.limiter.len());
    }

    #[test]
    fn keys_that_count_are_kept_however_many_there_are() {
        let bound = Bound::new(1);
        for key in 0..3 * FIRST_SWEEP {
            assert!(bound.count(&key).is_ok());
        }
        assert!((0..3 * FIRST_SWEEP).all(|key| bound.count(&key).is_err()));
    }

    #[test]
    fn the_same_number_counts_on_and_another_begins_anew() {
        let bound = Bound::new(1);
        assert!(bound.count(&"a").is_ok());
        let bound = bound.or_new(1);
        assert!(bound.count(&"a").is_err());
        let bound = bound.or_new(2);
        assert!(
            bound.count(&"a").is_ok() && bound.count(&"a").is_ok() && bound.count(&"a").is_err()
        );
    }
}
