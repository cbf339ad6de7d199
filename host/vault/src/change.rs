//! What a write has changed, by name: what a cache files its entries under.
//!
//! Each write names all that it changes, in its own transaction. Nothing here is secret.

use std::sync::Arc;

/// A row that is not what it was. It also names what a cached value was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The provider of this identifier.
    Provider(Arc<str>),
    /// The connection of this id, but for the state that it shares.
    Connection(Arc<str>),
    /// The account of this id, but for its state.
    Account(Arc<str>),
    /// The state of the account or the connection of this id.
    State(Arc<str>),
    /// The client of this id, or its tokens.
    Client(Arc<str>),
}

impl Change {
    /// Its kind and its name, as they are kept.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Provider(name) => ("provider", name),
            Self::Connection(name) => ("connection", name),
            Self::Account(name) => ("account", name),
            Self::State(name) => ("state", name),
            Self::Client(name) => ("client", name),
        }
    }

    /// Reads them back; `None` where a newer version of this program has written them.
    pub(crate) fn of(kind: &str, name: &str) -> Option<Self> {
        let name = Arc::from(name);
        Some(match kind {
            "provider" => Self::Provider(name),
            "connection" => Self::Connection(name),
            "account" => Self::Account(name),
            "state" => Self::State(name),
            "client" => Self::Client(name),
            _ => return None,
        })
    }
}
