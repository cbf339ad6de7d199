//! What the operator decides about callers and their requests.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

/// Those in force, which may change at any time: each call keeps to what it loads at its beginning.
pub(crate) type InForce = Arc<ArcSwap<Settings>>;

/// Limits. Each bounds what one caller can take from the others.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How long a token lives. A day, as in the service whose SDKs are spoken with here.
    pub token_lifetime: Duration,
    /// Tokens that one client gets in a minute. An SDK asks for one a day, a short-lived process for
    /// one each time it starts.
    pub tokens_per_minute: u32,
    /// Attempts to get one from one address, in a minute; many clients may share it.
    pub token_attempts_per_minute: u32,
    /// Requests through the proxy at one time. A waiting one costs some 50 KiB, so this is 200 MiB.
    pub most_in_flight: usize,
    /// The same for one account: what one upstream bears from one user, many times over.
    pub most_in_flight_per_account: usize,
    /// Bytes of a proxied request's body. It streams, so this is no matter of memory.
    pub longest_body: u64,
    /// Bytes of a request's body to the management API.
    pub longest_document: usize,
    /// From a proxied request's head to its reply's: renewals, and the upstream's own time.
    pub deadline: Duration,
    /// How long neither side of a WebSocket may be silent. Most send a ping each half minute.
    pub tunnel_idle: Duration,
    /// Accounts that are kept in memory with what was remembered for them. One costs some 8 KiB.
    pub cached_accounts: usize,
    /// Whether an upstream's `set-cookie` reaches the caller, and a caller's `cookie` the upstream. A
    /// caller that keeps cookies by host would send those of one account with the next one's
    /// requests, since all of them come from the gateway's.
    pub pass_cookies: bool,
    /// Whether requests are traced: the log's subscriber exports spans, and a caller's `traceparent`
    /// gives way to ours. From the start on: later settings do not change it.
    pub traces: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_hours(24),
            tokens_per_minute: 60,
            token_attempts_per_minute: 240,
            most_in_flight: 4096,
            most_in_flight_per_account: 256,
            longest_body: 1 << 30,
            longest_document: 1 << 20,
            deadline: Duration::from_secs(100),
            tunnel_idle: Duration::from_mins(10),
            cached_accounts: 20_000,
            pass_cookies: false,
            traces: false,
        }
    }
}

impl Settings {
    /// States that are kept in memory: each account's own, and what their connections share.
    pub fn cached_states(&self) -> usize {
        self.cached_accounts.saturating_mul(2)
    }
}
