//! States from memory, as the vault itself would give them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign::account::State;
use countersign::store::{Claim, Row, StateKey, Store, StoreError};
use countersign_vault::cache::{Cache, CachedStore};
use countersign_vault::{
    AccountChange, Accounts as _, Change, Follows as _, SqlVault, StateChange, Vault,
};
use tokio::task::JoinSet;

use crate::scene::{Scene, by, fill, key, state as state_of, token};

const LONG: Duration = Duration::from_mins(1);

async fn cached(scene: &Scene, lease: Duration) -> (Arc<SqlVault>, Arc<CachedStore>) {
    let vault = Arc::new(scene.open().await.with_cache_lease(lease));
    // As an object, which is what the gateway has.
    let object: Arc<dyn Vault> = Arc::<SqlVault>::clone(&vault);
    let following = object.follow().await.unwrap();
    (vault, Arc::new(CachedStore::new(object, &following, 100)))
}

fn of(identifier: Option<&str>, id: &str, version: u64) -> StateKey {
    let row = Some(Row { id: id.into(), version });
    StateKey { row, ..key("acme-1", identifier) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_was_read_is_not_read_again() {
    let scene = Scene::new();
    let (vault, store) = cached(&scene, LONG).await;
    let (_, connection, account) = fill(&vault).await;
    let [own, shared] = [of(Some("u1"), &account.id, 1), of(None, &connection.id, 1)];
    assert_eq!(token(&store.state(&own).await.unwrap().unwrap()), "canary-of-the-state");
    assert!(store.state(&shared).await.unwrap().is_none());
    vault.close().await;
    assert!(store.state(&own).await.is_err(), "a vault that is closed is not followed");

    let (vault, store) = cached(&scene, LONG).await;
    store.state(&own).await.unwrap().unwrap();
    store.state(&shared).await.unwrap();
    scene.meddle("DELETE FROM states; DELETE FROM accounts; DELETE FROM connections").await;
    assert_eq!(token(&store.state(&own).await.unwrap().unwrap()), "canary-of-the-state");
    assert!(store.state(&shared).await.unwrap().is_none());
    assert!(matches!(vault.state(&own).await, Err(StoreError::Moved)));
    // Without a row it is not known what it hangs on.
    assert!(store.state(&key("acme-1", Some("u1"))).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_another_process_saves_is_there_when_it_has() {
    let scene = Scene::new();
    let (vault, store) = cached(&scene, LONG).await;
    let (other, _) = cached(&scene, LONG).await;
    let (_, connection, account) = fill(&vault).await;
    for (identifier, id) in [(Some("u1"), &account.id), (None, &connection.id)] {
        let key = of(identifier, id, 1);
        for text in ["first", "second"] {
            let over = store.state(&key).await.unwrap().map_or(0, |it| it.version);
            let claim = other.claim(&key).await.unwrap();
            other.save(&key, &claim, over, state_of(text)).await.unwrap();
            assert_eq!(token(&store.state(&key).await.unwrap().unwrap()), text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_changed_or_removed_elsewhere_has_moved() {
    let scene = Scene::new();
    let (vault, store) = cached(&scene, LONG).await;
    let (other, _) = cached(&scene, LONG).await;
    let (.., account) = fill(&vault).await;
    let [first, second] = [1, 2].map(|version| of(Some("u1"), &account.id, version));
    store.state(&first).await.unwrap().unwrap();
    assert!(matches!(store.state(&second).await, Err(StoreError::Moved)));
    let change = AccountChange { over: 1, ..Default::default() };
    other.update_account(&by(), &account.id, &change).await.unwrap();
    assert!(matches!(store.state(&first).await, Err(StoreError::Moved)));
    store.state(&second).await.unwrap().unwrap();
    other.delete_account(&by(), &account.id).await.unwrap();
    assert!(matches!(store.state(&second).await, Err(StoreError::Moved)));
}

/// A vault in which somebody saves while its first answer is on its way.
struct Overtaken {
    vault: Arc<SqlVault>,
    done: AtomicBool,
}

#[async_trait]
impl Store for Overtaken {
    async fn state(&self, key: &StateKey) -> Result<Option<Arc<State>>, StoreError> {
        let found = self.vault.state(key).await?;
        if !self.done.swap(true, Ordering::SeqCst) {
            let claim = self.vault.claim(key).await?;
            let over = found.as_ref().map_or(0, |state| state.version);
            self.vault.save(key, &claim, over, state_of("new")).await?;
        }
        Ok(found)
    }

    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError> {
        self.vault.claim(key).await
    }

    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError> {
        self.vault.save(key, claim, over, state).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_was_overtaken_while_it_was_read_is_not_kept() {
    let scene = Scene::new();
    let vault = Arc::new(scene.open().await.with_cache_lease(LONG));
    let (.., account) = fill(&vault).await;
    let following = vault.follow().await.unwrap();
    let overtaken = Overtaken { vault: Arc::clone(&vault), done: AtomicBool::new(false) };
    let store = CachedStore::new(Arc::new(overtaken), &following, 100);
    let key = of(Some("u1"), &account.id, 1);
    assert_eq!(token(&store.state(&key).await.unwrap().unwrap()), "canary-of-the-state");
    assert_eq!(token(&store.state(&key).await.unwrap().unwrap()), "new");
}

/// Its own writes are through the store that it reads from.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_is_what_is_read_next() {
    let scene = Scene::new();
    let (vault, store) = cached(&scene, LONG).await;
    let (.., account) = fill(&vault).await;
    let key = of(Some("u1"), &account.id, 1);
    for _ in 0..20 {
        let over = store.state(&key).await.unwrap().unwrap().version;
        let claim = store.claim(&key).await.unwrap();
        let saved = store.save(&key, &claim, over, state_of("next")).await.unwrap();
        assert_eq!(store.state(&key).await.unwrap().unwrap().version, saved.version);
    }
}

/// One process, which reads through caches.
struct Side {
    vault: Arc<SqlVault>,
    store: Arc<CachedStore>,
    rows: Arc<Cache<Arc<str>, u64>>,
    id: Arc<str>,
    hits: AtomicUsize,
}

impl Side {
    /// The account's version.
    async fn row(&self) -> u64 {
        if let Some(known) = self.rows.get(&self.id) {
            self.hits.fetch_add(1, Ordering::SeqCst);
            return *known;
        }
        let reading = self.rows.begin();
        let version = self.vault.account(&self.id).await.unwrap().unwrap().version;
        // Time for somebody to write in between.
        tokio::task::yield_now().await;
        let made_of = [Change::Account(Arc::clone(&self.id))];
        self.rows.keep(reading, Arc::clone(&self.id), Arc::new(version), &made_of);
        version
    }

    /// The version of its state.
    async fn state(&self) -> u64 {
        match self.store.state(&of(Some("u1"), &self.id, self.row().await)).await {
            Ok(state) => state.unwrap().version,
            Err(StoreError::Moved) => u64::MAX,
            Err(error) => panic!("{error}"),
        }
    }

    /// Changes both, where nobody else does at the same time.
    async fn write(&self, state: StateChange, written: &Written) {
        let over = self.vault.account(&self.id).await.unwrap().unwrap().version;
        let change = AccountChange { over, state, ..Default::default() };
        if let Ok(account) = self.vault.update_account(&by(), &self.id, &change).await {
            written.row.fetch_max(account.version, Ordering::SeqCst);
        }
        let key = key("acme-1", Some("u1"));
        let claim = self.vault.claim(&key).await.unwrap();
        let over = self.vault.state(&key).await.unwrap().unwrap().version;
        if let Ok(saved) = self.vault.save(&key, &claim, over, state_of("next")).await {
            written.state.fetch_max(saved.version, Ordering::SeqCst);
        }
    }
}

/// Versions that writes have returned.
#[derive(Default)]
struct Written {
    row: AtomicU64,
    state: AtomicU64,
    over: AtomicBool,
}

/// Two processes, each of which writes, and reads through its caches what both have written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reading_is_from_before_a_write_that_has_returned() {
    let scene = Scene::new();
    let written = Arc::new(Written::default());
    let (mut sides, mut readers, mut writers) = (Vec::new(), JoinSet::new(), JoinSet::new());
    for nth in 0..2 {
        let (vault, store) = cached(&scene, Duration::from_millis(500)).await;
        let id = match nth {
            0 => fill(&vault).await.2.id,
            _ => vault.account_named("acme-1", "u1").await.unwrap().unwrap().id,
        };
        let rows = Cache::new(&vault.follow().await.unwrap(), 10);
        let hits = AtomicUsize::new(0);
        sides.push(Arc::new(Side { vault, store, rows, id: id.into(), hits }));
    }
    for side in &sides {
        for _ in 0..2 {
            let (side, written) = (Arc::clone(side), Arc::clone(&written));
            readers.spawn(async move {
                while !written.over.load(Ordering::SeqCst) {
                    let before = written.row.load(Ordering::SeqCst);
                    let found = side.row().await;
                    assert!(found >= before, "{found} is from before {before}");
                    let before = written.state.load(Ordering::SeqCst);
                    let found = side.state().await;
                    assert!(found >= before, "{found} is from before {before}");
                    tokio::task::yield_now().await;
                }
            });
        }
        let (side, written) = (Arc::clone(side), Arc::clone(&written));
        writers.spawn(async move {
            for nth in 0..12 {
                let state = match nth % 3 {
                    0 => StateChange::Replace(state_of("new")),
                    _ => StateChange::Keep,
                };
                side.write(state, &written).await;
            }
        });
    }
    writers.join_all().await;
    written.over.store(true, Ordering::SeqCst);
    readers.join_all().await;
    for side in sides {
        assert!(side.hits.load(Ordering::SeqCst) > 0);
    }
    assert!(written.row.load(Ordering::SeqCst) > 1);
    assert!(written.state.load(Ordering::SeqCst) > 0);
}
