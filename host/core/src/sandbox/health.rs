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

    /// Ends a suspension that is over. One that lasts is not shortened: the answer is that of a
    /// call that was under way when it began.
    pub(super) fn succeeded(&self, now: Instant) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.suspended.is_some_and(|it| it.until <= now) {
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
mod tests;
