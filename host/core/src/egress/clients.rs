//! What sends requests, and keeps connections for the next ones.

use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::config::{EgressConfigError, Timeouts};
use super::connect::{Connector, Protocols};
use super::dial::Dial;
use super::outgoing::UpstreamBody;
use super::tls;

/// Keeps connections by scheme, host and port.
pub(super) type Pooled = Client<Connector, UpstreamBody>;

/// One for requests, and one for handshakes.
pub(super) struct Clients {
    pub(super) ordinary: Pooled,
    /// HTTP/2 has no upgrades, so these offer HTTP/1.1 alone.
    pub(super) handshakes: Pooled,
}

impl Clients {
    /// Both dial in the same way, and trust `authorities` beside the system's.
    pub(super) fn new(
        dial: &Dial,
        authorities: Vec<tls::Certificate>,
        timeouts: &Timeouts,
    ) -> Result<Self, EgressConfigError> {
        let tls = tls::config(authorities)?;
        let client = |protocols| {
            let connector = Connector::new(dial.clone(), tls.clone(), protocols, timeouts.connect);
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .build(connector)
        };
        Ok(Self { ordinary: client(Protocols::All), handshakes: client(Protocols::Http1) })
    }
}
