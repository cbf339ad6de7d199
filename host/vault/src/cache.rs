//! What was read, kept in memory and bounded, and never older than a write that has returned.
//!
//! A [`Cache`] is made for a [`Following`], which tells it of every change; where that is not current
//! nothing is answered from it. An entry is filed under all that it was made of, and a change of any of
//! these evicts it, and nothing else. What is kept names the [`Reading`] that it came from, which
//! began before the database was asked: where something of what it was made of was changed since, it is
//! not kept.
//!
//! A hit takes the shared lock of one part of many, and no other. Entries hold secrets: what is
//! evicted is dropped at once.

mod state;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache as Entries;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};

pub use state::CachedStore;

use crate::change::Change;
use crate::follow::{Following, Listener};

/// Changes are told apart by so many marks; two that share one only keep each other's readings from
/// being kept now and then.
const MARKS: usize = 256;

/// A reading of the database that has begun.
#[derive(Clone, Copy, Debug)]
#[must_use = "what is read after it may be kept"]
pub struct Reading {
    began: u64,
}

/// Keeps values by key.
pub struct Cache<K, V> {
    following: Following,
    entries: Entries<Arc<K>, Arc<V>, UnitWeighter, DefaultHashBuilder, Displaced>,
    /// Held by whoever puts something in or takes something out.
    files: Mutex<Files<K>>,
}

/// What each entry is filed under, and what was evicted when.
struct Files<K> {
    of: HashMap<Arc<K>, Box<[Change]>>,
    under: HashMap<Change, HashSet<Arc<K>>>,
    /// Counts evictions.
    now: u64,
    /// When the last change of each mark was evicted.
    evicted: [u64; MARKS],
    forgotten: u64,
    hasher: RandomState,
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    /// For at most so many entries.
    pub fn new(following: &Following, most: usize) -> Arc<Self> {
        let entries = Entries::with(
            most,
            most as u64,
            UnitWeighter,
            DefaultHashBuilder::default(),
            Displaced,
        );
        // It has parts of one size, and rounds that up.
        let parts = entries.num_shards().saturating_sub(1) as u64;
        entries.set_capacity((most as u64).saturating_sub(parts));
        let cache =
            Arc::new(Self { following: following.clone(), entries, files: Mutex::default() });
        following.listen(&cache);
        cache
    }

    /// What is kept of it, if that may be used.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        // Before it is looked up: what is found was right at this time, or later.
        if !self.following.is_current() {
            return None;
        }
        self.entries.get(key)
    }

    /// Begins a reading: what is read from the database from here on may be kept.
    pub fn begin(&self) -> Reading {
        Reading { began: self.files().now }
    }

    /// Keeps what was read, unless something of what it was made of was changed since the reading
    /// began. The answer is what to go on with: of several that read the same at the same time, all
    /// have the one that was kept first, and with it whatever that has gathered since.
    pub fn keep(&self, reading: Reading, key: K, value: Arc<V>, made_of: &[Change]) -> Arc<V> {
        let mut displaced = Vec::new();
        // Before it is looked up, as in `get`.
        let current = self.following.is_current();
        let mut files = self.files();
        // What is made of nothing that is named would never be evicted.
        if made_of.is_empty() || files.changed_since(reading, made_of) {
            return value;
        }
        let key = Arc::new(key);
        // It would not be there any more had something of it been changed.
        if current && let Some(kept) = self.entries.get(&key) {
            return kept;
        }
        self.take(&mut files, &key);
        self.entries.insert_with_lifecycle(Arc::clone(&key), Arc::clone(&value), &mut displaced);
        files.file(key, made_of);
        for (key, _) in &displaced {
            files.unfile(key);
        }
        value
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn take(&self, files: &mut Files<K>, key: &Arc<K>) {
        self.entries.remove(key);
        files.unfile(key);
    }

    fn files(&self) -> MutexGuard<'_, Files<K>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Listener for Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    fn changed(&self, change: &Change) {
        let mut files = self.files();
        files.now += 1;
        let mark = files.mark(change);
        files.evicted[mark] = files.now;
        for key in files.under.remove(change).unwrap_or_default() {
            self.take(&mut files, &key);
        }
    }

    fn forget(&self) {
        let mut files = self.files();
        files.now += 1;
        files.forgotten = files.now;
        files.of.clear();
        files.under.clear();
        self.entries.clear();
    }
}

impl<K: Hash + Eq> Files<K> {
    fn changed_since(&self, reading: Reading, made_of: &[Change]) -> bool {
        self.forgotten > reading.began
            || made_of.iter().any(|change| self.evicted[self.mark(change)] > reading.began)
    }

    fn mark(&self, change: &Change) -> usize {
        usize::try_from(self.hasher.hash_one(change) % MARKS as u64).unwrap_or(0)
    }

    fn file(&mut self, key: Arc<K>, made_of: &[Change]) {
        for change in made_of {
            self.under.entry(change.clone()).or_default().insert(Arc::clone(&key));
        }
        self.of.insert(key, made_of.into());
    }

    fn unfile(&mut self, key: &Arc<K>) {
        for change in self.of.remove(key).unwrap_or_default() {
            if let Some(keys) = self.under.get_mut(&change) {
                keys.remove(key);
                if keys.is_empty() {
                    self.under.remove(&change);
                }
            }
        }
    }
}

impl<K> Default for Files<K> {
    fn default() -> Self {
        Self {
            of: HashMap::new(),
            under: HashMap::new(),
            now: 0,
            evicted: [0; MARKS],
            forgotten: 0,
            hasher: RandomState::new(),
        }
    }
}

/// Tells which entries had to make room.
#[derive(Clone)]
struct Displaced;

impl<K, V> Lifecycle<Arc<K>, Arc<V>> for Displaced {
    type RequestState = Vec<(Arc<K>, Arc<V>)>;

    fn on_evict(&self, displaced: &mut Self::RequestState, key: Arc<K>, value: Arc<V>) {
        displaced.push((key, value));
    }
}
