//! Where providers, connections, connected accounts, their state and their pending flows rest.
//!
//! [`Vault`] is the one interface; [`SqlVault`] is the one implementation, over SQLite. What holds
//! for every method:
//!
//! - A write is whole or not at all. Once it has returned `Ok` it survives a crash; on `Err` nothing
//!   was changed.
//! - What is changed names the version that it was read with; where that has moved on, nothing is
//!   written ([`VaultError::Overtaken`]).
//! - Whatever may be secret is sealed: under a data key, which lies sealed under a master key that
//!   is never in the database, and bound to its row and to the origins that it was given for
//!   ([`mod@key`] and the module `seal`).
//! - Two processes on one database behave: state is compared and swapped by version, and a flow
//!   needs the account's claim, whose fencing number tells a writer that was overtaken.
//! - Once a write has returned `Ok`, no [`mod@cache`] of any process answers with what was there before.
//!
//! [`SqlVault`] also is the [`Store`](countersign::store::Store) that the library keeps state in.

pub mod cache;
pub mod key;

mod account;
mod audit;
mod change;
mod claim;
mod client;
mod connection;
mod database;
mod error;
mod follow;
mod id;
mod keyring;
mod origins;
mod page;
mod pending;
mod provider;
mod record;
mod rotate;
mod seal;
mod state;
mod vault;
mod write;

use countersign::clock::Clock;

pub use account::Accounts;
pub use audit::Audits;
pub use change::Change;
pub use client::Clients;
pub use connection::Connections;
pub use error::{Affected, VaultError};
pub use follow::{Following, Follows, Listener};
pub use pending::PendingFlows;
pub use provider::Providers;
pub use record::{
    Account, AccountChange, AccountFilter, Audited, By, Client, Connection, ConnectionChange,
    ConnectionFilter, From, Given, Hash, Listed, NewAccount, NewClient, NewConnection, NewOrigins,
    Page, PendingFlow, Provider, ProviderChange, Role, StateChange, Taken,
};
pub use rotate::Progress;
pub use vault::{SqlVault, Vault};

/// Milliseconds since 1970, as the database counts.
fn millis(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.unix_millis()).unwrap_or(i64::MAX)
}

/// A number that the database has kept, which it was given by us.
fn number<T: TryFrom<i64>>(kept: i64) -> Result<T, VaultError> {
    T::try_from(kept)
        .map_err(|_| VaultError::Unavailable("a number in the database is out of range".to_owned()))
}
