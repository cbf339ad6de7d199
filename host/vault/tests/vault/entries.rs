//! A cache with one entry for each thing that may change, by a name for it.

use std::sync::Arc;
use std::time::Duration;

use countersign_vault::Change;
use countersign_vault::cache::Cache;

/// A lease so long that a busy machine does not end it.
pub(crate) const LONG: Duration = Duration::from_mins(1);

pub(crate) type Entries = Cache<String, ()>;

pub(crate) fn keep(entries: &Entries, key: &str, change: &Change) {
    entries.keep(entries.begin(), key.to_owned(), Arc::new(()), std::slice::from_ref(change));
}

pub(crate) fn has(entries: &Entries, key: &str) -> bool {
    entries.get(&key.to_owned()).is_some()
}
