//! Where state rests between calls.
//!
//! State is written only by a flow, under the claim of the account (or, for `shared/`, of the
//! connection) that it belongs to, and only over the version that the flow began with. A store
//! therefore has three duties: to say what is kept, to let one flow at a time have a claim, and to
//! refuse a write whose claim or version has been overtaken. [`MemoryStore`] keeps everything in
//! this process; the vault keeps it in a database.

mod memory;

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;

use crate::account::State;

pub use memory::MemoryStore;

/// Whose state. Keys that were cloned one from another share their texts, and are compared without
/// looking at these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateKey {
    /// The environment; empty where there is only one.
    pub environment: Arc<str>,
    /// The connection's name.
    pub connection: Arc<str>,
    /// The account's identifier; `None` for what the whole connection shares.
    pub identifier: Option<Arc<str>>,
    /// The row that the subject was made of, where its maker keeps rows.
    pub row: Option<Row>,
}

/// A row as it was when a subject was made of it. A store that keeps rows gives no state of another
/// one, nor of the same one once it was changed: a token that was given for the new host of an account
/// would otherwise go to the old one, with a request that was on its way meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// Never given to another row, whatever was deleted.
    pub id: Arc<str>,
    /// Counted up on each change but that of the state itself.
    pub version: u64,
}

/// By the row alone, where there is one: two keys hardly ever have one row and differ.
impl Hash for StateKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match &self.row {
            Some(row) => row.hash(hasher),
            None => (&self.environment, &self.connection, &self.identifier).hash(hasher),
        }
    }
}

impl StateKey {
    /// Whether both are of one account or connection, whatever changed between.
    pub(crate) fn has_the_holder_of(&self, other: &Self) -> bool {
        let id = |key: &Self| key.row.as_ref().map(|row| Arc::clone(&row.id));
        self.environment == other.environment
            && self.connection == other.connection
            && self.identifier == other.identifier
            && id(self) == id(other)
    }
}

/// The right to run one flow. Given back when dropped.
pub struct Claim {
    fence: u64,
    _guard: Box<dyn Any + Send + Sync>,
}

impl Claim {
    /// `fence` grows with each claim on one key; `guard` gives the claim back when dropped.
    pub fn new(fence: u64, guard: Box<dyn Any + Send + Sync>) -> Self {
        Self { fence, _guard: guard }
    }

    /// Grows with each claim on one key, so that a writer who was overtaken can be told.
    pub fn fence(&self) -> u64 {
        self.fence
    }
}

/// What a store cannot do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else wrote first. Nothing was written; read again.
    #[error("the state was changed by another flow")]
    Overtaken,
    /// The [`Row`] of the key has been changed or removed. Nothing was read or written; make the
    /// subject anew.
    #[error("the account or its connection was changed meanwhile")]
    Moved,
    /// The store is out of reach; try again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// Keeps state.
#[async_trait]
pub trait Store: Send + Sync {
    /// The state, as it was last saved: of the key's [`Row`] as it was, where it names one.
    async fn state(&self, key: &StateKey) -> Result<Option<Arc<State>>, StoreError>;

    /// Waits for its turn. Claims are given in the order in which they were asked for. Of the key's
    /// row only the id counts: what was changed meanwhile is told by [`Store::state`].
    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError>;

    /// Replaces the state whole, where it still has version `over` (0 for none) and nobody has
    /// claimed it since; gives back what is now kept, with its new version: one that state under this
    /// key never had. When this returns `Ok`
    /// the state survives a crash, as far as this store survives one at all. Of the key's row only
    /// the id counts: a token that was rotated meanwhile is not lost because its account was renamed.
    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError>;
}
