//! What sends requests, and keeps connections for the next ones.

use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::connect::{Connector, Protocols};
use super::dial::Dial;
use super::outgoing::UpstreamBody;

/// Keeps connections by scheme, host and port.
pub(super) type Pooled = Client<Connector, UpstreamBody>;

/// One for requests, one for handshakes, and what is dialled for one exchange alone.
pub(super) struct Clients {
    pub(super) ordinary: Pooled,
    /// HTTP/2 has no upgrades, so these offer HTTP/1.1 alone.
    pub(super) handshakes: Pooled,
    /// What connections are made with that are kept for nobody else.
    pub(super) own: Connector,
}

impl Clients {
    /// All of them dial in the same way, and shake hands as `tls` says.
    pub(super) fn new(dial: &Dial, tls: &ClientConfig, connect: Duration) -> Self {
        let connector = |protocols| Connector::new(dial.clone(), tls.clone(), protocols, connect);
        let client = |connector| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .build(connector)
        };
        let own = connector(Protocols::Http1);
        let (ordinary, handshakes) = (client(connector(Protocols::All)), client(own.clone()));
        Self { ordinary, handshakes, own }
    }
}
