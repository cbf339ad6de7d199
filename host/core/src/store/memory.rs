//! A store that ends with the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Claim, StateKey, Store, StoreError};
use crate::account::State;

/// Keeps state in memory: for tests, the command line, and embedders who bring tokens themselves. It
/// keeps no rows, so that of a key all but its row counts.
#[derive(Default)]
pub struct MemoryStore {
    slots: Mutex<HashMap<StateKey, Slot>>,
}

#[derive(Clone, Default)]
struct Slot {
    state: Option<Arc<State>>,
    fence: u64,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryStore {
    /// Puts state in place without a flow: what an account came with.
    pub fn seed(&self, key: StateKey, state: State) {
        self.with(key, |slot| {
            // Over another state it has a version of its own, or an answer that was remembered for
            // that one would be used on.
            let next = slot.state.as_ref().map_or(0, |last| last.version + 1);
            let version = next.max(state.version);
            slot.state = Some(Arc::new(State { version, ..state }));
        });
    }

    fn with<T>(&self, key: StateKey, change: impl FnOnce(&mut Slot) -> T) -> T {
        // A panic elsewhere leaves a slot whole: each change is one assignment.
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        change(slots.entry(StateKey { row: None, ..key }).or_default())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn state(&self, key: &StateKey) -> Result<Option<Arc<State>>, StoreError> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match &key.row {
            None => slots.get(key),
            Some(_) => slots.get(&StateKey { row: None, ..key.clone() }),
        };
        Ok(slot.and_then(|slot| slot.state.clone()))
    }

    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError> {
        let turn = self.with(key.clone(), |slot| Arc::clone(&slot.turn));
        let guard = turn.lock_owned().await;
        let fence = self.with(key.clone(), |slot| {
            slot.fence += 1;
            slot.fence
        });
        Ok(Claim::new(fence, Box::new(guard)))
    }

    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError> {
        self.with(key.clone(), |slot| {
            let version = slot.state.as_ref().map_or(0, |state| state.version);
            if version != over || slot.fence != claim.fence() {
                return Err(StoreError::Overtaken);
            }
            let state = Arc::new(State { version: version + 1, ..state });
            slot.state = Some(Arc::clone(&state));
            Ok(state)
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn key() -> StateKey {
        StateKey {
            environment: "".into(),
            connection: "c".into(),
            identifier: Some("u".into()),
            row: None,
        }
    }

    #[tokio::test]
    async fn a_write_over_an_older_version_is_refused() {
        let store = MemoryStore::default();
        let claim = store.claim(&key()).await.unwrap();
        let first = store.save(&key(), &claim, 0, State::default()).await.unwrap();
        assert_eq!(first.version, 1);
        let late = store.save(&key(), &claim, 0, State::default()).await;
        assert!(matches!(late, Err(StoreError::Overtaken)));
        assert_eq!(store.state(&key()).await.unwrap().unwrap().version, 1);
    }

    #[tokio::test]
    async fn a_writer_whose_claim_was_overtaken_is_refused() {
        let store = MemoryStore::default();
        let first = store.claim(&key()).await.unwrap();
        let fence = first.fence();
        drop(first);
        let _second = store.claim(&key()).await.unwrap();
        let stale = Claim::new(fence, Box::new(()));
        let late = store.save(&key(), &stale, 0, State::default()).await;
        assert!(matches!(late, Err(StoreError::Overtaken)));
    }

    #[tokio::test]
    async fn a_seed_over_a_state_has_a_version_of_its_own() {
        let store = MemoryStore::default();
        store.seed(key(), State::default());
        store.seed(key(), State::default());
        assert_eq!(store.state(&key()).await.unwrap().unwrap().version, 1);
    }

    #[tokio::test]
    async fn one_claim_at_a_time() {
        let store = MemoryStore::default();
        let first = store.claim(&key()).await.unwrap();
        let key = key();
        let mut second = Box::pin(store.claim(&key));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(second.await.unwrap().fence(), 2);
    }
}
