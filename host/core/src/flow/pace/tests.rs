//! Gaps and rests, by a clock that is set by hand.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::flow::FlowError;

#[derive(Default)]
struct Seconds(AtomicU64);

impl Clock for Seconds {
    fn unix_millis(&self) -> u64 {
        // Set right by an operator, over and over: nothing here may look at it.
        self.0.fetch_add(1, Ordering::SeqCst) % 2
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

fn key(nth: usize) -> StateKey {
    let identifier = Some(nth.to_string().into());
    StateKey { environment: "".into(), connection: "c".into(), identifier, row: None }
}

#[test]
fn once_for_each_account_within_the_gap() {
    let (gaps, clock) = (Gaps::new(Duration::from_secs(30)), Seconds::default());
    assert!(gaps.pass(&key(1), &clock));
    assert!(!gaps.pass(&key(1), &clock));
    assert!(gaps.pass(&key(2), &clock));
    clock.0.store(29, Ordering::SeqCst);
    assert!(!gaps.pass(&key(1), &clock));
    clock.0.store(30, Ordering::SeqCst);
    assert!(gaps.pass(&key(1), &clock));
}

#[test]
fn another_gap_holds_for_what_was_done_before() {
    let (gaps, clock) = (Gaps::new(Duration::from_secs(30)), Seconds::default());
    assert!(gaps.pass(&key(1), &clock));
    clock.0.store(10, Ordering::SeqCst);
    gaps.set(Duration::from_secs(10));
    assert!(gaps.pass(&key(1), &clock));
    gaps.set(Duration::from_secs(11));
    clock.0.store(20, Ordering::SeqCst);
    assert!(!gaps.pass(&key(1), &clock));
}

#[test]
fn accounts_whose_time_is_over_are_forgotten() {
    let (gaps, clock) = (Gaps::new(Duration::from_secs(30)), Seconds::default());
    for nth in 0..10 * FIRST_SWEEP {
        clock.0.fetch_add(1, Ordering::SeqCst);
        assert!(gaps.pass(&key(nth), &clock));
    }
    assert!(gaps.last.lock().unwrap().times.len() <= FIRST_SWEEP);
}

#[test]
fn each_failure_in_a_row_rests_longer_and_a_success_ends_that() {
    let failed = FailedRenewals::default();
    let attempt = Attempt { host: 0, hint: Digest::of(b""), seen: 3 };
    let error = Arc::new(Error::Flow(FlowError::TimedOut));
    let mut now = Duration::ZERO;
    for rest in [1, 2, 4, 8, 16, 30, 30] {
        assert!(failed.at(attempt, now).is_none());
        failed.note(attempt, &error, now);
        let end = now + Duration::from_secs(rest);
        let before = now + Duration::from_millis(rest * 1000 - 1);
        assert!(failed.at(attempt, before).is_some(), "{rest} s");
        now = end;
    }
    failed.note(attempt, &error, now);
    let others = [
        Attempt { seen: 4, ..attempt },
        Attempt { host: 0, hint: Digest::of(b"audience"), ..attempt },
    ];
    assert!(others.iter().all(|other| failed.at(*other, now).is_none()));
    failed.clear();
    assert!(failed.at(attempt, now).is_none());
}

#[test]
fn a_subject_keeps_few_failures() {
    let failed = FailedRenewals::default();
    let error = Arc::new(Error::Flow(FlowError::TimedOut));
    for nth in 0..100_u8 {
        let attempt = Attempt { host: 0, hint: Digest::of(&[nth]), seen: 0 };
        failed.note(attempt, &error, Duration::ZERO);
        assert!(failed.at(attempt, Duration::ZERO).is_some());
    }
    assert_eq!(failed.0.lock().unwrap().len(), MOST_FAILURES);
}
