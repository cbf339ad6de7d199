//! When a plugin is not asked any more for a while.
//!
//! A plugin that faults (traps, runs out of time or memory, gives an answer that cannot be read)
//! five times in ten seconds is suspended: its calls fail at once, and cost nothing. After the
//! suspension it is asked again; one more fault suspends it for twice as long, and one good answer
//! clears it. Refusals are not faults.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Limits;

/// How one plugin has behaved lately.
pub(super) struct Health {
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    faults: VecDeque<Instant>,
    total_faults: u64,
    suspended: Option<Suspension>,
}

#[derive(Clone, Copy)]
struct Suspension {
    until: Instant,
    length: Duration,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { record: Mutex::new(Record::default()) }
    }

    /// How long the plugin is still suspended; `None` where it may be called.
    pub(super) fn suspended(&self, now: Instant) -> Option<Duration> {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.suspended.map(|it| it.until.saturating_duration_since(now)).filter(|d| !d.is_zero())
    }

    /// All faults since the plugin was loaded.
    pub(super) fn total_faults(&self) -> u64 {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).total_faults
    }

    pub(super) fn succeeded(&self) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.suspended.is_some() {
            record.suspended = None;
            record.faults.clear();
        }
    }

    /// Counts one fault. `Some` with its length where this one suspends the plugin.
    pub(super) fn faulted(&self, now: Instant, limits: &Limits) -> Option<Duration> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.total_faults += 1;
        if let Some(earlier) = record.suspended {
            if earlier.until > now {
                // A call that was under way when the suspension began.
                return None;
            }
            let length = (earlier.length * 2).min(limits.longest_suspension);
            record.suspended = Some(Suspension { until: now + length, length });
            return Some(length);
        }
        record.faults.push_back(now);
        while record.faults.front().is_some_and(|first| now - *first > limits.fault_window) {
            record.faults.pop_front();
        }
        if record.faults.len() < limits.faults_to_suspend {
            return None;
        }
        let length = limits.first_suspension;
        record.suspended = Some(Suspension { until: now + length, length });
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn five_faults_in_ten_seconds_suspend_and_four_do_not() {
        let (health, limits, start) = (Health::new(), Limits::default(), Instant::now());
        for nth in 0..4 {
            assert_eq!(health.faulted(start + nth * SECOND, &limits), None);
        }
        assert_eq!(health.suspended(start + 4 * SECOND), None);
        assert_eq!(health.faulted(start + 4 * SECOND, &limits), Some(SECOND));
        assert_eq!(health.suspended(start + 4 * SECOND), Some(SECOND));
        assert_eq!(health.suspended(start + 5 * SECOND), None);
        assert_eq!(health.total_faults(), 5);
    }

    #[test]
    fn faults_far_apart_do_not_add_up() {
        let (health, limits, start) = (Health::new(), Limits::default(), Instant::now());
        for nth in 0..20 {
            assert_eq!(health.faulted(start + nth * 3 * SECOND, &limits), None);
        }
    }

    #[test]
    fn each_further_suspension_lasts_twice_as_long_up_to_a_bound() {
        let (health, limits, mut now) = (Health::new(), Limits::default(), Instant::now());
        for _ in 0..4 {
            health.faulted(now, &limits);
        }
        let mut lengths = Vec::new();
        for _ in 0..11 {
            let length = health.faulted(now, &limits).unwrap();
            lengths.push(length.as_secs());
            assert_eq!(health.faulted(now, &limits), None, "calls already under way do not count");
            now += length;
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn a_good_answer_after_a_suspension_clears_it() {
        let (health, limits, start) = (Health::new(), Limits::default(), Instant::now());
        for _ in 0..5 {
            health.faulted(start, &limits);
        }
        health.succeeded();
        assert_eq!(health.suspended(start), None);
        assert_eq!(health.faulted(start, &limits), None, "and the count begins anew");
    }
}
