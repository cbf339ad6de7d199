//! What callers may ask for.

mod account;
mod audit;
mod client;
mod connection;
mod described;
mod document;
mod moved;
mod opened;
mod own;
mod provider;
mod subject;

use std::sync::Arc;

use countersign::Countersign;
use countersign_vault::{Following, Vault};
use tokio::sync::Mutex;

pub use account::{AccountName, AccountUpdate, NewAccount, Shown};
pub use client::{ClientRequest, Issued};
pub use connection::{ConnectionUpdate, NewConnection};
pub use described::Described;
pub(crate) use subject::Found;
pub use subject::Whose;

use subject::Subjects;

/// Providers, connections and accounts, as callers know them.
pub struct Service {
    vault: Arc<dyn Vault>,
    host: Countersign,
    subjects: Subjects,
    /// Held while a client is revoked, so that two who do so see each other.
    revoking: Mutex<()>,
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
        let subjects = Subjects::new(following, most_accounts);
        Self { vault, host, subjects, revoking: Mutex::new(()) }
    }
}
