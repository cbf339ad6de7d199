//! How long a call may run.
//!
//! A budget is CPU time of the call's own thread, so that a good plugin on a busy machine does not
//! fault. Nothing is measured while a call stays within its budget by the wall: only when the epoch
//! deadline passes is the thread's CPU clock read, and the call given what it has not used. A
//! looping guest therefore ends after at most twice its budget of CPU time, and after
//! `wall_factor` budgets in any case.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Store, UpdateDeadline};

use super::ticker::TICK;

pub(super) fn set<T: 'static>(store: &mut Store<T>, budget: Duration, wall_factor: u32) {
    let start = Instant::now();
    let mut first_seen = None;
    store.set_epoch_deadline(ticks(budget));
    store.epoch_deadline_callback(move |_| {
        let cpu = thread_cpu();
        let since = *first_seen.get_or_insert(cpu);
        let used = cpu.saturating_sub(since);
        if used >= budget || start.elapsed() >= budget * wall_factor {
            return Ok(UpdateDeadline::Interrupt);
        }
        Ok(UpdateDeadline::Continue(ticks(budget.saturating_sub(used))))
    });
}

fn ticks(budget: Duration) -> u64 {
    // One more, because the present tick has begun already.
    u64::try_from(budget.as_micros().div_ceil(TICK.as_micros())).unwrap_or(u64::MAX - 1) + 1
}

fn thread_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
