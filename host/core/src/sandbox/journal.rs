//! What operators are told of a guest's own log lines.
//!
//! A guest's words are untrusted: each line is masked, cut, and freed of control characters. And
//! they are few: a guest that logs on every call would otherwise fill an operator's disk, so each
//! has an allowance, and what is over it is counted and said once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::guest::Guest;
use super::host::Log;
use crate::contract::context::Level;
use crate::refusal::for_operators;
use crate::secret::Masker;

/// Lines of one guest within [`WINDOW`]: enough to follow a flow that fails, too few to flood.
const MOST_LINES: u32 = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// How much of its allowance a guest has used.
#[derive(Default)]
pub(super) struct Journal(Mutex<Allowance>);

#[derive(Default)]
struct Allowance {
    since: Option<Instant>,
    lines: u32,
    dropped: u64,
}

impl Journal {
    /// How many of `lines` may be told now, and how many have been dropped since the last time
    /// that was said. `lost` is what the call itself dropped.
    fn admit(&self, now: Instant, lines: u32, lost: u32) -> (u32, u64) {
        let mut allowance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut said = 0;
        if allowance.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            said = std::mem::take(&mut allowance.dropped);
            allowance.since = Some(now);
            allowance.lines = 0;
        }
        let admitted = lines.min(MOST_LINES - allowance.lines);
        allowance.lines += admitted;
        allowance.dropped += u64::from(lines - admitted) + u64::from(lost);
        (admitted, said)
    }
}

impl Guest {
    /// Whether one more line on its behalf, a refusal for example, may be told now.
    pub(crate) fn may_tell(&self) -> bool {
        // Not by what it logs itself: it could silence the host with lines that nobody reads.
        let (admitted, dropped) = self.told.admit(Instant::now(), 1, 0);
        self.report_dropped(dropped);
        admitted > 0
    }

    /// Tells operators what went wrong on its behalf, as far as that allowance goes. Others may have had
    /// a hand in the words, an upstream's certificate for example.
    pub(crate) fn tell(&self, what: &str, masker: &Masker) {
        if self.may_tell() {
            tracing::warn!(plugin = self.name, "{}", for_operators(what, masker));
        }
    }

    fn report_dropped(&self, dropped: u64) {
        if dropped > 0 {
            tracing::warn!(plugin = self.name, lines = dropped, "log lines over the limit dropped");
        }
    }

    /// Tells operators what the guest logged, as far as its allowance goes.
    pub(super) fn report(&self, log: &Log, masker: &Masker) {
        if log.lines.is_empty() && log.dropped == 0 {
            return;
        }
        let lines = u32::try_from(log.lines.len()).unwrap_or(u32::MAX);
        let (admitted, dropped) = self.journal.admit(Instant::now(), lines, log.dropped);
        self.report_dropped(dropped);
        for (level, line) in log.lines.iter().take(admitted as usize) {
            let line = for_operators(line, masker);
            match level {
                Level::Debug => tracing::debug!(plugin = self.name, "{line}"),
                Level::Info => tracing::info!(plugin = self.name, "{line}"),
                Level::Warn => tracing::warn!(plugin = self.name, "{line}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_has_an_allowance_and_what_is_over_it_is_counted() {
        let (journal, start) = (Journal::default(), Instant::now());
        assert_eq!(journal.admit(start, 60, 0), (60, 0));
        assert_eq!(journal.admit(start, 60, 3), (40, 0));
        assert_eq!(journal.admit(start + WINDOW / 2, 1, 0), (0, 0));
        assert_eq!(journal.admit(start + WINDOW, 1, 0), (1, 24), "said once, at the next line");
        assert_eq!(journal.admit(start + WINDOW * 2, 1, 0), (1, 0));
    }
}
