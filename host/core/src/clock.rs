//! The time, as the rest of the crate sees it.

use std::sync::OnceLock;
use std::time::{Duration, Instant, UNIX_EPOCH};

use futures_util::future::BoxFuture;

/// Tells the time. The one place of the crate that asks the operating system for the time of day.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z. May jump, either way, when a machine is set right.
    fn unix_millis(&self) -> u64;

    /// How long it has been since some moment of the past, always the same one in one process:
    /// never less than it was.
    fn elapsed(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    /// Waits for so long, where a flow asks the host to. A clock that is set by hand need not wait.
    fn wait(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    fn unix_millis(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still: for tests, `inject --now` and the plugin kit.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub u64);

impl Clock for FixedClock {
    fn unix_millis(&self) -> u64 {
        self.0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}
