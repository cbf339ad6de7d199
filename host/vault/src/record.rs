//! What the vault is told, and what it tells.
//!
//! Times are Unix milliseconds. A list of origins is sorted and has no doubles.

mod client;
mod pending;

use std::collections::BTreeMap;

use countersign::account::{State, Status};
use countersign::secret::Secret;

pub use client::{Client, Hash, NewClient, Role};
pub use pending::{PendingFlow, Taken};

/// Who asks for a change: for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The client's id; what the command line does has the name of its user.
    pub client: String,
    /// The request's id.
    pub request: String,
}

/// One change of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Which one; they sort by time.
    pub id: String,
    /// When.
    pub at: u64,
    /// Who, and with which request.
    pub by: By,
    /// `provider.create` and so on.
    pub action: String,
    /// The id or the name of what was changed.
    pub subject: String,
}

/// A provider as it is kept.
#[derive(Clone)]
pub struct Provider {
    /// `prov_` and digits.
    pub id: String,
    /// What calls name it by.
    pub identifier: String,
    /// Counted up on each change, from 1.
    pub version: u64,
    /// The payload, JSON text.
    pub payload: String,
    /// When it was made.
    pub created_at: u64,
    /// When it was last changed.
    pub updated_at: u64,
}

/// A document with secrets, and what they are given for. No `Debug`.
#[derive(Clone)]
pub struct Given {
    /// JSON text.
    pub document: Secret,
    /// Where its secrets may go.
    pub origins: Vec<String>,
    /// The version of the provider that these were read from: where it has moved on, nothing is
    /// written.
    pub provider_version: u64,
}

/// What a provider becomes.
#[derive(Clone)]
pub struct ProviderChange {
    /// The version that it was read with.
    pub over: u64,
    /// The new payload, JSON text.
    pub payload: String,
    /// For each of its connections, by id, the origins that secrets go to from now on.
    pub origins: BTreeMap<String, Vec<String>>,
    /// What happens to secrets that were not given for all of these.
    pub new_origins: NewOrigins,
}

/// What happens to secrets that were given for fewer origins than they would now go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewOrigins {
    /// Nothing is changed, and [`VaultError::NewOrigins`](crate::VaultError::NewOrigins) tells whose.
    Refuse,
    /// Somebody who may decide so has: they are given for all of these from now on.
    Confirm,
    /// The accounts have to be authorized again, and the connections' secrets given again.
    Disconnect,
}

/// A connection as it is kept, but for its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// `conn_` and digits.
    pub id: String,
    /// What callers name it by.
    pub name: String,
    /// The provider's identifier.
    pub provider: String,
    /// Counted up on each change, from 1.
    pub version: u64,
    /// Where false, no request may go out.
    pub enabled: bool,
    /// What its secrets were given for.
    pub origins: Vec<String>,
    /// When it was made.
    pub created_at: u64,
    /// When it was last changed.
    pub updated_at: u64,
}

/// A connection to be made.
pub struct NewConnection {
    /// What callers name it by.
    pub name: String,
    /// The provider's identifier.
    pub provider: String,
    /// The settings.
    pub settings: Given,
}

/// What a connection becomes; `None` leaves a part as it is.
#[derive(Default)]
pub struct ConnectionChange {
    /// The version that it was read with.
    pub over: u64,
    /// Whether requests may go out.
    pub enabled: Option<bool>,
    /// New settings.
    pub settings: Option<Given>,
}

/// Which connections.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFilter {
    /// The provider's identifier.
    pub provider: Option<String>,
    /// Part of the name.
    pub query: Option<String>,
}

/// A connected account as it is kept, but for what its holder typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `ca_` and digits.
    pub id: String,
    /// The connection's id.
    pub connection: String,
    /// Its name.
    pub connection_name: String,
    /// The provider's identifier.
    pub provider: String,
    /// Whose account it is.
    pub identifier: String,
    /// Counted up on each change but that of its state, from 1.
    pub version: u64,
    /// Whether it can be used.
    pub status: Status,
    /// The type of the connection's auth pattern.
    pub auth_type: String,
    /// What its secrets were given for.
    pub origins: Vec<String>,
    /// When its state ends.
    pub expires_at: Option<u64>,
    /// When it was made.
    pub created_at: u64,
    /// When it was last changed.
    pub updated_at: u64,
    /// When a request last went out for it, to the minute.
    pub last_used_at: Option<u64>,
}

/// An account to be made.
pub struct NewAccount {
    /// The connection's id.
    pub connection: String,
    /// Whose account it is.
    pub identifier: String,
    /// Whether it can be used.
    pub status: Status,
    /// The type of the connection's auth pattern.
    pub auth_type: String,
    /// What its holder typed.
    pub details: Given,
    /// Tokens that it comes with.
    pub state: Option<State>,
}

/// What an account becomes; `None` leaves a part as it is.
#[derive(Default)]
pub struct AccountChange {
    /// The version that it was read with.
    pub over: u64,
    /// The version of the state that was read with it, 0 for none; `None` whatever that is now.
    pub over_state: Option<u64>,
    /// Whether it can be used.
    pub status: Option<Status>,
    /// What its holder typed. State that was given for fewer origins goes, unless there is new state
    /// here.
    pub details: Option<Given>,
    /// What becomes of its state.
    pub state: StateChange,
}

/// What becomes of an account's state.
#[derive(Clone, Default)]
pub enum StateChange {
    /// It stays.
    #[default]
    Keep,
    /// There is none any more.
    Forget,
    /// These are in its place.
    Replace(State),
}

/// Which accounts.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Names of connections; any where there is none.
    pub connections: Vec<String>,
    /// The provider's identifier.
    pub provider: Option<String>,
    /// Whose account it is.
    pub identifier: Option<String>,
    /// Part of the identifier.
    pub query: Option<String>,
}

/// A part of a list that is ordered by when its rows were made.
#[derive(Clone, Debug)]
pub struct Page {
    /// Rows at most.
    pub size: u32,
    /// Where it begins.
    pub from: From,
}

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// At the beginning.
    #[default]
    Start,
    /// After the row of this id.
    After(String),
    /// It ends before the row of this id.
    Before(String),
}

/// A page, and what lies around it.
pub struct Listed<T> {
    /// In their order.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub total: u64,
    /// Whether there are rows ahead of these.
    pub has_previous: bool,
    /// Whether there are rows behind these.
    pub has_next: bool,
}
