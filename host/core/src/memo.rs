//! What plugins leave on this node: a nonce's count, a clock's offset. Lost at any time, never shared
//! between accounts.
//!
//! The host holds them, and not the subjects, of which there may be several for one account: an embedder
//! makes one for each request, and so does a gateway whose caches are out of use for a moment. Two memos
//! side by side would count the same nonce twice. So whoever asks for the same account, with the same
//! plugin, state and values, comes to the same [`Memo`] for as long as anybody has it; where any of
//! these differs, to another, which begins empty.
//!
//! What holds something is kept when nobody has it any more, for some minutes and for so many accounts:
//! the next request may be a moment away.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use crate::sandbox::Digest;
use crate::store::{Row, StateKey};
use crate::values::Values;

/// The longest memo, in bytes: some nonce counts and an offset (the contract's own number).
pub(crate) const LONGEST_MEMO: usize = 4096;

/// Memos that are kept though nobody has them: 32 MiB at most. More, and half of them go, those first
/// that were set the longest ago.
const MOST_KEPT: usize = 8192;
/// As long as a server's nonce is commonly good for.
const LONGEST_UNUSED: Duration = Duration::from_mins(5);
/// Memos that are found again before those are first looked for that nobody has.
const FIRST_SWEEP: usize = 1024;

/// The memos of one host.
#[derive(Default)]
pub(crate) struct Memos(Arc<Table>);

#[derive(Default)]
struct Table {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// All that there are.
    found: HashMap<Arc<Whose>, Weak<Memo>>,
    sweep_at: usize,
    /// Those that are not empty, by their account: one each.
    kept: HashMap<StateKey, Kept>,
    /// Whether a task looks for those that are kept for too long.
    is_swept: bool,
}

struct Kept {
    memo: Arc<Memo>,
    set: Instant,
}

/// Whose memo it is. What differs in any of this begins anew.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Whose {
    /// Without the version of its row: what of a change matters is in the values.
    account: StateKey,
    /// The number of the host under its present policy.
    host: u64,
    plugin: Digest,
    state_version: u64,
    values: Fingerprint,
}

/// Of names and values, so that nothing that was noted about one server or password is shown where
/// there is another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Fingerprint([u8; 32]);

/// A memo, in the hands of those whose it is.
pub(crate) struct Memo {
    whose: Arc<Whose>,
    content: Mutex<Content>,
    /// Taken by turns once the plugin is known to keep a memo.
    turn: tokio::sync::Mutex<()>,
    is_used: AtomicBool,
}

#[derive(Default)]
struct Content {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    /// Counted up on each change.
    revision: u64,
}

/// A memo as a call saw it.
#[derive(Clone)]
pub(crate) struct SeenMemo {
    pub(crate) bytes: Arc<Zeroizing<Vec<u8>>>,
    revision: u64,
}

impl Memos {
    /// The memo of this account. What was kept of it for another plugin, state or value goes.
    pub(crate) fn find(&self, whose: Whose) -> Arc<Memo> {
        let mut held = self.0.lock();
        let stale = |kept: &Kept| *kept.memo.whose != whose;
        if held.kept.get(&whose.account).is_some_and(stale) {
            held.kept.remove(&whose.account);
        }
        if let Some(memo) = held.found.get(&whose).and_then(Weak::upgrade) {
            return memo;
        }
        if held.found.len() >= held.sweep_at {
            held.found.retain(|_, memo| memo.strong_count() > 0);
            held.sweep_at = FIRST_SWEEP.max(2 * held.found.len());
        }
        let whose = Arc::new(whose);
        let memo = Arc::new(Memo {
            whose: Arc::clone(&whose),
            content: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
            is_used: AtomicBool::new(false),
        });
        held.found.insert(whose, Arc::downgrade(&memo));
        memo
    }

    /// Replaces the memo where nobody has since it was seen. `false` means: ask the plugin again.
    pub(crate) fn set(&self, memo: &Arc<Memo>, seen: &SeenMemo, bytes: Vec<u8>) -> bool {
        let is_empty = bytes.is_empty();
        if !memo.replace(seen, bytes) {
            return false;
        }
        let (account, mut held) = (&memo.whose.account, self.0.lock());
        if is_empty {
            held.kept.remove(account);
            return true;
        }
        if !held.is_swept {
            held.is_swept = true;
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
        if held.kept.len() >= MOST_KEPT && !held.kept.contains_key(account) {
            held.make_room();
        }
        held.kept.insert(account.clone(), Kept { memo: Arc::clone(memo), set: Instant::now() });
        true
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Held> {
        // Each change is whole by itself.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn make_room(&mut self) {
        let mut times: Vec<Instant> = self.kept.values().map(|kept| kept.set).collect();
        let middle = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(middle);
        let middle = *middle;
        self.kept.retain(|_, kept| kept.set > middle);
    }
}

/// Lets go of what was not set for a while, until nothing is left.
async fn sweep(table: Weak<Table>) {
    loop {
        sleep(LONGEST_UNUSED / 5).await;
        let Some(table) = table.upgrade() else { return };
        let mut held = table.lock();
        held.kept.retain(|_, kept| kept.set.elapsed() < LONGEST_UNUSED);
        if held.kept.is_empty() {
            held.is_swept = false;
            return;
        }
    }
}

impl Whose {
    /// `host` is the number of the host under its present policy.
    pub(crate) fn new(
        account: &StateKey,
        host: u64,
        plugin: Digest,
        state_version: u64,
        values: &Values,
    ) -> Self {
        let row = account.row.as_ref().map(|row| Row { version: 0, ..row.clone() });
        let account = StateKey { row, ..account.clone() };
        Self { account, host, plugin, state_version, values: Fingerprint::of(values) }
    }
}

impl Fingerprint {
    fn of(values: &Values) -> Self {
        let mut hash = Sha256::new();
        // With their lengths, so that no two lists of them are one text.
        for part in values.iter().flat_map(|(name, value)| [name, value.expose()]) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }
}

impl Memo {
    /// A turn, where the plugin keeps a memo: its calls would all but one be made in vain if they
    /// were made side by side. The compare-and-set is what counts; this only spares calls.
    pub(crate) async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if self.is_used.load(Ordering::Relaxed) { Some(self.turn.lock().await) } else { None }
    }

    pub(crate) fn seen(&self) -> SeenMemo {
        let content = self.content();
        SeenMemo { bytes: Arc::clone(&content.bytes), revision: content.revision }
    }

    /// Counted up on each change.
    pub(crate) fn revision(&self) -> u64 {
        self.content().revision
    }

    fn replace(&self, seen: &SeenMemo, bytes: Vec<u8>) -> bool {
        self.is_used.store(true, Ordering::Relaxed);
        let bytes = Arc::new(Zeroizing::new(bytes));
        let mut content = self.content();
        if content.revision != seen.revision {
            return false;
        }
        *content = Content { bytes, revision: seen.revision + 1 };
        true
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeenMemo {
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }
}

#[cfg(test)]
mod tests;
