//! When each account was last used, to the minute.
//!
//! What requests note is gathered in memory and written together, at the latest [`EVERY`] after it
//! was noted: a crash loses no more than that. An account that is used all the time costs one write
//! a minute, and no other request any.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_vault::Vault;
use tokio_util::sync::CancellationToken;

/// Between two writes.
const EVERY: Duration = Duration::from_secs(30);

/// Accounts that wait to be written. Where a database is out of reach for so long that there are
/// more, the oldest news of each is as good as none.
const MOST_WAITING: usize = 1_000_000;

/// Accounts of one transaction: other writers wait for it.
const TOGETHER: usize = 500;

const MINUTE: u64 = 60_000;

/// Gathers.
pub(crate) struct Usage {
    vault: Arc<dyn Vault>,
    noted: Mutex<Noted>,
    stop: CancellationToken,
}

/// By account id, in minutes.
#[derive(Default)]
struct Noted {
    waiting: HashMap<Arc<str>, u64>,
    /// What was written for this minute.
    written: HashMap<Arc<str>, u64>,
}

impl Usage {
    /// Begins, on the current runtime.
    pub(crate) fn start(vault: Arc<dyn Vault>) -> Arc<Self> {
        let stop = CancellationToken::new();
        let usage = Arc::new(Self { vault, noted: Mutex::default(), stop: stop.clone() });
        let writer = Arc::downgrade(&usage);
        tokio::spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
                let Some(usage) = writer.upgrade() else { return };
                usage.write().await;
            }
        });
        usage
    }

    /// An account was used.
    pub(crate) fn note(&self, account: &Arc<str>, now: u64) {
        let minute = now / MINUTE;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.written.get(account) == Some(&minute) {
            return;
        }
        if let Some(last) = noted.waiting.get_mut(account) {
            *last = minute;
        } else if noted.waiting.len() < MOST_WAITING {
            noted.waiting.insert(Arc::clone(account), minute);
        }
    }

    /// Writes what is there, and ends.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.write().await;
    }

    async fn write(&self) {
        let batch = {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut noted.waiting)
        };
        if batch.is_empty() {
            return;
        }
        let used: Vec<(String, u64)> =
            batch.iter().map(|(id, minute)| (id.as_ref().to_owned(), minute * MINUTE)).collect();
        let mut written = Ok(());
        for chunk in used.chunks(TOGETHER) {
            written = self.vault.used(chunk).await;
            if written.is_err() {
                break;
            }
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        match written {
            Ok(()) => noted.written = batch,
            Err(error) => {
                tracing::warn!(%error, "when accounts were last used could not be written");
                for (id, minute) in batch {
                    noted.waiting.entry(id).or_insert(minute);
                }
            }
        }
    }
}
