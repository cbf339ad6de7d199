//! What callers may ask for.

mod account;
mod connection;
mod document;
mod opened;
mod provider;
mod subject;

use std::sync::Arc;

use countersign::Countersign;
use countersign_vault::{Following, Vault};

pub use account::{AccountName, AccountUpdate, NewAccount, Shown};
pub use connection::{ConnectionUpdate, NewConnection};
pub use subject::Whose;

use subject::Subjects;

/// Providers, connections and accounts, as callers know them.
pub struct Service {
    vault: Arc<dyn Vault>,
    host: Countersign,
    subjects: Subjects,
}

impl Service {
    /// Around a vault, the host whose plugins judge what is written, and what follows the vault's
    /// changes, so that at most so many accounts are kept in memory.
    pub fn new(
        vault: Arc<dyn Vault>,
        host: Countersign,
        following: &Following,
        most_accounts: usize,
    ) -> Self {
        Self { vault, host, subjects: Subjects::new(following, most_accounts) }
    }
}
