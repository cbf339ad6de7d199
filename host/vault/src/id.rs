//! Ids: a prefix and eighteen digits, which sort by when they were made.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign::clock::Clock;
use countersign::random::Random;

use crate::error::VaultError;

/// Thirteen digits of milliseconds last until the year 2286; five more are for one millisecond.
const MILLIS: u64 = 10_000_000_000_000;
const WITHIN: u64 = 100_000;

/// The last number given: the next is later, also within a millisecond and where the clock is set
/// back.
#[derive(Default)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    /// A new one. Two processes of one database draw the same in one of many thousand milliseconds in
    /// which both draw; the database then refuses the later.
    pub(crate) fn next(
        &self,
        prefix: &str,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<String, VaultError> {
        let mut bytes = [0; 4];
        random.fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
        // In the lower half, so that there is room to count up.
        let within = u64::from(u32::from_be_bytes(bytes)) % (WITHIN / 2);
        let now = clock.unix_millis() % MILLIS * WITHIN + within;
        let later = |last: u64| now.max(last + 1);
        let last =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
        let last = last.unwrap_or_else(|last| last);
        Ok(format!("{prefix}_{:018}", later(last)))
    }
}

#[cfg(test)]
mod tests {
    use countersign::clock::FixedClock;
    use countersign::random::SystemRandom;

    use super::*;

    #[test]
    fn ids_are_all_different_and_sort_as_they_were_made() {
        let ids = Ids::default();
        let made: Vec<String> = (0..2000)
            // A clock that is set back half way.
            .map(|n| FixedClock(1_800_000_000_000 - n / 1000))
            .map(|clock| ids.next("ca", &clock, &SystemRandom).unwrap())
            .collect();
        assert!(made.is_sorted_by(|earlier, later| earlier < later));
        assert!(made.iter().all(|id| id.len() == "ca_".len() + 18));
    }
}
