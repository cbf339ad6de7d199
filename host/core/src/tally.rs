//! What a host has done so far, in numbers: for metrics.
//!
//! Numbers only grow, are read at any time, and are exact once nothing is under way. None of them
//! names an account.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sandbox::Fault;

/// What has been counted since the host began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Requests that were answered by an answer that was remembered.
    pub remembered: u64,
    /// Requests for which a plugin was asked.
    pub asked: u64,
    /// Flows that renewed a state, or set one up.
    pub renewals: u64,
    /// Flows that did not come to that.
    pub failed_renewals: u64,
    /// Calls of guests, whichever host of this sandbox made them.
    pub calls: u64,
    /// How long guests ran, instances included, all calls together.
    pub call_time: Duration,
    /// How guests broke, by kind: `trap`, `time`, `answer_size`, `answer`, `random`, `size`.
    pub faults: [(&'static str, u64); 6],
}

/// Counts of one host.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) remembered: Counter,
    pub(crate) asked: Counter,
    pub(crate) renewals: Counter,
    pub(crate) failed_renewals: Counter,
}

/// Counts of one sandbox.
#[derive(Default)]
pub(crate) struct CallCounts {
    calls: Counter,
    nanos: Counter,
    faults: [Counter; 6],
}

/// One number.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn up(&self) {
        self.add(1);
    }

    fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl CallCounts {
    pub(crate) fn called(&self, time: Duration) {
        self.calls.up();
        self.nanos.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn faulted(&self, fault: &Fault) {
        self.faults[kind(fault)].up();
    }
}

impl Counts {
    pub(crate) fn tally(&self, calls: &CallCounts) -> Tally {
        let names = ["trap", "time", "answer_size", "answer", "random", "size"];
        Tally {
            remembered: self.remembered.read(),
            asked: self.asked.read(),
            renewals: self.renewals.read(),
            failed_renewals: self.failed_renewals.read(),
            calls: calls.calls.read(),
            call_time: Duration::from_nanos(calls.nanos.read()),
            faults: std::array::from_fn(|nth| (names[nth], calls.faults[nth].read())),
        }
    }
}

fn kind(fault: &Fault) -> usize {
    match fault {
        Fault::Trap(_) => 0,
        Fault::Time => 1,
        Fault::AnswerSize => 2,
        Fault::Answer => 3,
        Fault::Random => 4,
        Fault::Size => 5,
    }
}
