//! What callers may ask for.

mod account;
mod connection;
mod document;
mod opened;
mod provider;
mod subject;

use std::sync::Arc;

use countersign::Countersign;
use countersign_vault::Vault;

pub use account::{AccountName, AccountUpdate, NewAccount, Shown};
pub use connection::{ConnectionUpdate, NewConnection};

/// Providers, connections and accounts, as callers know them.
pub struct Service {
    vault: Arc<dyn Vault>,
    host: Countersign,
}

impl Service {
    /// Around a vault, and the host whose plugins judge what is written.
    pub fn new(vault: Arc<dyn Vault>, host: Countersign) -> Self {
        Self { vault, host }
    }
}
