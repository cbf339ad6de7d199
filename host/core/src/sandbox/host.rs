//! The host's half of a call: limits, and the three functions of `context`.

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use super::ticker::Ticking;
use super::{Limits, Moment};
use crate::contract::context::{self, Level};

/// What one store carries.
pub(super) struct Call {
    memory: Bounds,
    moment: Moment,
    random_left: usize,
    log: Log,
    log_left: usize,
    _ticking: Ticking,
}

/// Lines that a guest logged: not yet masked, to be shown to operators only.
#[derive(Default)]
pub(super) struct Log {
    pub(super) lines: Vec<(Level, String)>,
    /// Lines beyond the limit.
    pub(super) dropped: u32,
}

/// The guest asked for more random bytes than one call may have.
#[derive(Debug, thiserror::Error)]
#[error("too many random bytes asked for")]
pub(super) struct TooMuchRandom;

impl Call {
    pub(super) fn new(limits: &Limits, moment: Moment, ticking: Ticking) -> Self {
        let instances = limits.core_instances as usize;
        let limits_of_store = StoreLimitsBuilder::new()
            .memory_size(limits.memory_bytes)
            .table_elements(limits.table_elements)
            .instances(instances)
            .tables(instances)
            .memories(1)
            .build();
        Self {
            memory: Bounds { limits: limits_of_store, peak: 0 },
            moment,
            random_left: limits.random_bytes,
            log: Log::default(),
            log_left: limits.log_bytes,
            _ticking: ticking,
        }
    }

    pub(super) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
    }

    /// Bytes of linear memory that it has had at most.
    pub(super) fn peak(&self) -> usize {
        self.memory.peak
    }

    pub(super) fn take_log(&mut self) -> Log {
        std::mem::take(&mut self.log)
    }
}

/// What it may have, and how much of that it has had.
struct Bounds {
    limits: StoreLimits,
    peak: usize,
}

impl ResourceLimiter for Bounds {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let may = self.limits.memory_growing(current, desired, maximum)?;
        if may {
            self.peak = self.peak.max(desired);
        }
        Ok(may)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

/// Its name in the contract.
pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
    }
}

impl context::Host for Call {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.moment.now)
    }

    fn random(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        let len = len as usize;
        self.random_left = self.random_left.checked_sub(len).ok_or(TooMuchRandom)?;
        let mut bytes = vec![0; len];
        self.moment.random.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        match self.log_left.checked_sub(message.len()) {
            // An empty line costs something too, or it could be sent for ever.
            Some(left) if left > 0 => {
                self.log_left = left - 1;
                self.log.lines.push((level, message));
            }
            _ => self.log.dropped = self.log.dropped.saturating_add(1),
        }
        Ok(())
    }
}
