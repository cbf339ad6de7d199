//! A store that answers from memory while it may.

use std::sync::Arc;

use async_trait::async_trait;
use countersign::account::State;
use countersign::store::{Claim, StateKey, Store, StoreError};

use crate::cache::Cache;
use crate::change::Change;
use crate::follow::Following;

/// A store whose states, and that there is none, are kept in memory. On `Ok` it gives what the store
/// would have given, and where a row was changed or removed it says so as the store does: an entry is
/// filed under its row as well, so that a key with an earlier version of it comes to the store.
///
/// A key that names no row is always read from the store.
pub struct CachedStore {
    store: Arc<dyn Store>,
    states: Arc<Cache<StateKey, Option<Arc<State>>>>,
    /// That there is none: many accounts have none, and one of these does for all.
    none: Arc<Option<Arc<State>>>,
}

impl CachedStore {
    /// Keeps at most so many states of what is read from this store, whose changes are followed.
    pub fn new(store: Arc<dyn Store>, following: &Following, most: usize) -> Self {
        Self { store, states: Cache::new(following, most), none: Arc::default() }
    }
}

#[async_trait]
impl Store for CachedStore {
    async fn state(&self, key: &StateKey) -> Result<Option<Arc<State>>, StoreError> {
        let Some(row) = &key.row else { return self.store.state(key).await };
        if let Some(known) = self.states.get(key) {
            return Ok((*known).clone());
        }
        let reading = self.states.begin();
        let state = self.store.state(key).await?;
        let id = Arc::clone(&row.id);
        let holder = match key.identifier {
            Some(_) => Change::Account(Arc::clone(&id)),
            None => Change::Connection(Arc::clone(&id)),
        };
        let made_of = [Change::State(id), holder];
        let kept = match &state {
            None => Arc::clone(&self.none),
            some => Arc::new(some.clone()),
        };
        self.states.keep(reading, key.clone(), kept, &made_of);
        Ok(state)
    }

    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError> {
        self.store.claim(key).await
    }

    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError> {
        self.store.save(key, claim, over, state).await
    }
}
