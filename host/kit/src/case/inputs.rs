//! What goes into a run: everything that its outcome may depend on.

mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::connection::Connection;
use countersign::provider::Provider;
use http::Method;

use super::exchange::{Asked, Exchange};
pub(super) use reading::{OF_A_MUTATION, OF_A_PLUGIN, read};

/// All of it. A check changes one thing and runs it again.
#[derive(Clone)]
pub(crate) struct Inputs {
    pub(crate) documents: Documents,
    /// By their names in the contract; of a mutation, without a root.
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) state: Option<Kept>,
    pub(crate) shared: Option<Kept>,
    pub(crate) memo: Option<Vec<u8>>,
    /// Unix milliseconds.
    pub(crate) now: u64,
    pub(crate) seed: u64,
    pub(crate) act: Act,
    pub(crate) fetches: Vec<Exchange>,
    pub(crate) replies: Vec<Exchange>,
}

/// What a host has besides the values: where requests go, and which placeholders there are.
#[derive(Clone, Default)]
pub(crate) struct Documents(pub(crate) Option<(Arc<Provider>, Arc<Connection>)>);

impl Inputs {
    /// Whether the request is sent, and its reply delivered.
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self.act, Act::Request { sent: true, .. })
    }

    /// What ends the pauses of a grant.
    pub(crate) fn pauses(&self) -> &[Pause] {
        match &self.act {
            Act::Flow(FlowKind::Grant { pauses, .. }) => pauses,
            _ => &[],
        }
    }
}

/// What is done.
#[derive(Clone)]
pub(crate) enum Act {
    /// A request is made ready, and sent where `sent`.
    Request { request: Request, sent: bool },
    /// A flow is run from its beginning.
    Flow(FlowKind),
    /// The values are judged.
    Validate,
    /// A mutation changes one value.
    Mutate { target: String, options: Vec<(String, String)> },
}

#[derive(Clone)]
pub(crate) enum FlowKind {
    Setup,
    Grant { redirect_uri: String, pauses: Vec<Pause> },
    Renew,
    Revoke,
}

/// A request as a caller makes it.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Relative to `provider/proxy_url`, with the query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Default for Request {
    fn default() -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { method: Method::GET, path: "/".to_owned(), headers, body }
    }
}

/// A state or shared state that is there when the case begins.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Unix milliseconds, as the next.
    pub(crate) renew_at: Option<u64>,
    pub(crate) expires_at: Option<u64>,
}

/// A pause that a grant comes to, and what ends it.
#[derive(Clone)]
pub(crate) struct Pause {
    /// What the user is shown, as far as it is compared.
    pub(crate) expect: Option<Asked>,
    pub(crate) after: After,
}

#[derive(Clone)]
pub(crate) enum After {
    /// The browser comes back with these; the parameter that finds the flow again is added.
    Callback(Vec<(String, String)>),
    /// The time is over, and the clock has moved.
    Elapsed,
}
