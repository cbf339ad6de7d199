//! When each account was last used, to the minute.
//!
//! What requests note is gathered in memory and written together, at the latest [`EVERY`] after it
//! was noted: a crash loses no more than that. An account that is used all the time costs one write
//! a minute, and no other request any.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_vault::{Vault, VaultError};
use foldhash::fast::RandomState;
use tokio_util::sync::CancellationToken;

/// Between two writes.
const EVERY: Duration = Duration::from_secs(30);

/// Accounts that wait to be written. Where a database is out of reach for so long that there are
/// more, the oldest news of each is as good as none.
const MOST_WAITING: usize = 1_000_000;

/// Accounts of one transaction: other writers wait for it.
const TOGETHER: usize = 500;

const MINUTE: u64 = 60_000;

/// Writes when some accounts were used, in one transaction.
type Write = dyn Fn(Vec<(String, u64)>) -> Writing + Send + Sync;
type Writing = Pin<Box<dyn Future<Output = Result<(), VaultError>> + Send>>;

/// Gathers.
pub(crate) struct Usage {
    write: Box<Write>,
    noted: Mutex<Noted>,
    stop: CancellationToken,
}

/// The minute that an account was noted for last, kept with what each of its requests looks at anyhow:
/// of all that come within a minute, only the first goes on to what is shared.
pub(crate) struct Mark(AtomicU64);

/// No minute.
const NEVER: u64 = u64::MAX;

impl Default for Mark {
    fn default() -> Self {
        Self(NEVER.into())
    }
}

/// In minutes.
struct Noted {
    /// No more than `most`.
    waiting: ByAccount,
    most: usize,
    /// What was written for this minute.
    written: ByAccount,
}

/// The ids are the vault's own choice, and so a hash need not withstand whoever chooses keys.
type ByAccount = HashMap<Arc<str>, u64, RandomState>;

impl Noted {
    fn new(most: usize) -> Mutex<Self> {
        Mutex::new(Self { waiting: ByAccount::default(), most, written: ByAccount::default() })
    }

    fn wait(&mut self, account: &Arc<str>, minute: u64) {
        if let Some(last) = self.waiting.get_mut(account) {
            *last = minute.max(*last);
        } else if self.waiting.len() < self.most {
            self.waiting.insert(Arc::clone(account), minute);
        }
    }
}

impl Usage {
    /// Begins, on the current runtime.
    pub(crate) fn start(vault: Arc<dyn Vault>) -> Arc<Self> {
        let write = move |used: Vec<(String, u64)>| -> Writing {
            let vault = Arc::clone(&vault);
            Box::pin(async move { vault.used(&used).await })
        };
        let (noted, stop) = (Noted::new(MOST_WAITING), CancellationToken::new());
        let usage = Arc::new(Self { write: Box::new(write), noted, stop });
        usage.every(EVERY);
        usage
    }

    /// Writes each time that this has passed, until it is closed or dropped.
    fn every(self: &Arc<Self>, time: Duration) {
        let (writer, stop) = (Arc::downgrade(self), self.stop.clone());
        tokio::spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(time)).await.is_some() {
                let Some(usage) = writer.upgrade() else { return };
                usage.write().await;
            }
        });
    }

    /// An account was used. It may have several marks.
    pub(crate) fn note(&self, account: &Arc<str>, mark: &Mark, now: u64) {
        let minute = now / MINUTE;
        // Looked at first: a store would take the line from other processors each time.
        if mark.0.load(Ordering::Relaxed) == minute {
            return;
        }
        mark.0.store(minute, Ordering::Relaxed);
        let mut noted = self.lock();
        if noted.written.get(account) != Some(&minute) {
            noted.wait(account, minute);
        }
    }

    /// Writes what is there, and ends.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.write().await;
    }

    async fn write(&self) {
        let batch = std::mem::take(&mut self.lock().waiting);
        let Some(latest) = batch.values().max().copied() else { return };
        let mut used: Vec<(String, u64)> =
            batch.iter().map(|(id, minute)| (id.as_ref().to_owned(), minute * MINUTE)).collect();
        // As they were made, and so as they lie in the database: a transaction then writes the pages of
        // its rows, and not one for each row.
        used.sort_unstable();
        let mut written = Ok(());
        for chunk in used.chunks(TOGETHER) {
            written = (self.write)(chunk.to_vec()).await;
            if written.is_err() {
                break;
            }
        }
        let mut noted = self.lock();
        match written {
            Ok(()) => {
                noted.written.retain(|_, minute| *minute >= latest);
                noted.written.extend(batch);
            }
            Err(error) => {
                tracing::warn!(%error, "when accounts were last used could not be written");
                for (id, minute) in batch {
                    noted.wait(&id, minute);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{OnceLock, Weak};

    use super::*;

    /// What was written, a list for each transaction; whether the next ones fail; and who is used
    /// while the next one is under way.
    #[derive(Default)]
    struct Database {
        written: Mutex<Vec<Vec<(String, u64)>>>,
        fails: Mutex<bool>,
        meanwhile: Mutex<Vec<&'static str>>,
        usage: OnceLock<Weak<Usage>>,
    }

    impl Database {
        fn written(&self) -> Vec<Vec<(String, u64)>> {
            std::mem::take(&mut self.written.lock().unwrap())
        }
    }

    fn usage(most: usize) -> (Arc<Usage>, Arc<Database>) {
        let database = Arc::<Database>::default();
        let this = Arc::clone(&database);
        let write = move |used: Vec<(String, u64)>| -> Writing {
            let fails = *this.fails.lock().unwrap();
            this.written.lock().unwrap().push(used);
            let usage = this.usage.get().and_then(Weak::upgrade).unwrap();
            note(&usage, &std::mem::take(&mut *this.meanwhile.lock().unwrap()), MINUTE);
            Box::pin(async move { if fails { Err(VaultError::NoRandomness) } else { Ok(()) } })
        };
        let (noted, stop) = (Noted::new(most), CancellationToken::new());
        let usage = Arc::new(Usage { write: Box::new(write), noted, stop });
        database.usage.set(Arc::downgrade(&usage)).unwrap();
        (usage, database)
    }

    fn note(usage: &Usage, accounts: &[&str], now: u64) {
        for account in accounts {
            usage.note(&(*account).into(), &Mark::default(), now);
        }
    }

    fn one(account: &str, at: u64) -> Vec<Vec<(String, u64)>> {
        vec![vec![(account.to_owned(), at)]]
    }

    #[tokio::test]
    async fn an_account_is_written_once_a_minute_however_often_it_is_used() {
        let (usage, database) = usage(10);
        note(&usage, &["a", "a"], MINUTE + 1);
        usage.write().await;
        assert_eq!(database.written(), one("a", MINUTE));
        // Another is used meanwhile, and written within the same minute.
        note(&usage, &["a", "b"], 2 * MINUTE - 2);
        usage.write().await;
        assert_eq!(database.written(), one("b", MINUTE));
        note(&usage, &["a", "b"], 2 * MINUTE - 1);
        usage.write().await;
        assert_eq!(database.written(), Vec::<Vec<_>>::new());
        note(&usage, &["a"], 2 * MINUTE);
        usage.write().await;
        assert_eq!(database.written(), one("a", 2 * MINUTE));
        assert_eq!(
            usage.lock().written.len(),
            1,
            "what was written for earlier minutes is forgotten"
        );
    }

    #[tokio::test]
    async fn a_mark_spares_the_requests_of_its_minute_alone() {
        let (usage, database) = usage(10);
        let (a, b) = ("a".into(), "b".into());
        let (of_a, of_b) = (Mark::default(), Mark::default());
        for now in [0, MINUTE - 1] {
            usage.note(&a, &of_a, now);
            usage.note(&b, &of_b, now);
        }
        usage.write().await;
        assert_eq!(database.written().concat(), [("a".to_owned(), 0), ("b".to_owned(), 0)]);
        usage.note(&a, &of_a, MINUTE);
        assert_eq!(usage.lock().waiting.get("a"), Some(&1));
        usage.lock().waiting.clear();
        usage.note(&a, &of_a, MINUTE + 1);
        assert!(usage.lock().waiting.is_empty(), "the mark says that it was noted");
        usage.note(&a, &Mark::default(), MINUTE + 1);
        assert_eq!(usage.lock().waiting.get("a"), Some(&1), "another subject has another mark");
    }

    #[tokio::test]
    async fn no_transaction_is_of_more_than_a_few_hundred() {
        let (usage, database) = usage(MOST_WAITING);
        for nth in 0..=2 * TOGETHER {
            usage.note(&format!("{nth:04}").into(), &Mark::default(), 0);
        }
        usage.close().await;
        let written = database.written();
        let lengths: Vec<usize> = written.iter().map(Vec::len).collect();
        assert_eq!(lengths, [TOGETHER, TOGETHER, 1]);
        assert!(written.concat().is_sorted(), "rows that lie together are written together");
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_written_later_unless_there_is_newer() {
        let (usage, database) = usage(10);
        *database.fails.lock().unwrap() = true;
        note(&usage, &["a", "b"], MINUTE);
        usage.write().await;
        assert_eq!(database.written().len(), 1);
        *database.fails.lock().unwrap() = false;
        note(&usage, &["a"], 2 * MINUTE);
        usage.write().await;
        let mut written = database.written().concat();
        written.sort();
        assert_eq!(written, [("a".to_owned(), 2 * MINUTE), ("b".to_owned(), MINUTE)]);
    }

    /// Also where writing fails over and over, and each time others are used meanwhile.
    #[tokio::test]
    async fn no_more_wait_than_there_is_room_for() {
        let (usage, database) = usage(2);
        *database.fails.lock().unwrap() = true;
        note(&usage, &["a", "b", "c"], MINUTE);
        note(&usage, &["b"], 2 * MINUTE);
        assert_eq!(usage.lock().waiting.get("b"), Some(&2), "who waits is told anew all the same");
        *database.meanwhile.lock().unwrap() = vec!["d", "e"];
        usage.write().await;
        assert_eq!(database.written().concat().len(), 2);
        assert_eq!(usage.lock().waiting.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_noted_is_written_without_being_asked_for() {
        let (usage, database) = usage(2);
        usage.every(EVERY);
        note(&usage, &["a"], MINUTE);
        tokio::time::sleep(EVERY * 11 / 10).await;
        assert_eq!(database.written(), one("a", MINUTE));
    }
}
