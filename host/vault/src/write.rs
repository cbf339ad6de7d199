//! A write: a transaction that names what it changes, so that no cache is left behind.
//!
//! There is no way to end a [`Write`] that keeps what it wrote but [`Write::commit`], and that wants
//! to be told what was changed. When it returns `Ok` this process's caches have evicted that, and
//! every other process has done so too or uses its caches no more (see the module `follow`).
//!
//! Numbers of changes are drawn from the database's counter, whose row is held from then until the
//! commit, so that they are in the order of the commits: who has seen one has seen all before it.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use sqlx::{Any, AnyConnection, Row as _, Transaction};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::change::Change;
use crate::database::Database;
use crate::error::VaultError;
use crate::follow::Following;
use crate::number;
use crate::vault::SqlVault;

/// Changes that are kept: more than there are in the lease of whoever has not read them yet.
const KEPT: i64 = 10_000;

/// One in so many writes of a process takes away what is too old. The first does, so that
/// processes that live for one write do not pile them up.
const BETWEEN_SWEEPS: u64 = 256;

/// Between two looks at who has seen a change; the wait doubles from the first to the last.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(16);

/// A transaction that changes what may be cached. It is rolled back where it is dropped.
pub(crate) struct Write {
    transaction: Transaction<'static, Any>,
    changes: BTreeSet<Change>,
    database: Database,
    following: Following,
    tasks: TaskTracker,
}

impl SqlVault {
    /// Begins a write.
    pub(crate) async fn write(&self) -> Result<Write, VaultError> {
        Ok(Write {
            transaction: self.database.begin_unseen().await?,
            changes: BTreeSet::new(),
            database: self.database.clone(),
            following: self.following.clone(),
            tasks: self.tasks.clone(),
        })
    }
}

impl Write {
    /// Names what is changed besides that which [`Write::commit`] is told.
    pub(crate) fn changes(&mut self, change: Change) {
        self.changes.insert(change);
    }

    /// Ends the write, on a task of its own: a caller who goes away in the middle of it does not
    /// leave anybody with what was there before.
    pub(crate) async fn commit(mut self, change: Change) -> Result<(), VaultError> {
        self.changes.insert(change);
        let tasks = self.tasks.clone();
        let ended = tasks.spawn(self.end().in_current_span()).await;
        ended.map_err(|_| VaultError::Unavailable("the vault is closed".to_owned()))?
    }

    async fn end(self) -> Result<(), VaultError> {
        let Self { mut transaction, changes, database, following, tasks: _ } = self;
        let last = log(&mut transaction, &following, &changes).await?;
        let alone = !are_behind(&mut transaction, &following, last).await?;
        let committed = transaction.commit().await;
        let since = Instant::now();
        // Also where it failed: that may have been no more than its answer.
        for change in &changes {
            following.tell(change);
        }
        committed?;
        if !alone {
            wait_for_others(&database, &following, last, since).await;
        }
        Ok(())
    }
}

impl Deref for Write {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

/// Logs the changes; the number of the last.
async fn log(
    transaction: &mut AnyConnection,
    following: &Following,
    changes: &BTreeSet<Change>,
) -> Result<i64, VaultError> {
    let mut last = 0;
    for change in changes {
        let (kind, name) = change.parts();
        last = i64::try_from(Database::draw(transaction).await?).unwrap_or(i64::MAX);
        sqlx::query("INSERT INTO changes (number, kind, name, node) VALUES ($1, $2, $3, $4)")
            .bind(last)
            .bind(kind)
            .bind(name)
            .bind(following.node())
            .execute(&mut *transaction)
            .await?;
    }
    if following.count_write().is_multiple_of(BETWEEN_SWEEPS) {
        // Never the newest.
        sqlx::query(
            "DELETE FROM changes WHERE number < (SELECT MIN(number) FROM \
             (SELECT number FROM changes ORDER BY number DESC LIMIT $1) AS kept)",
        )
        .bind(KEPT)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(last)
}

/// Whether another process follows that has not seen this change.
///
/// Asked in the change's own transaction it tells whether there is anybody to wait for: who
/// registers waits for the counter that this transaction holds, and so begins after it.
async fn are_behind(
    connection: &mut AnyConnection,
    following: &Following,
    change: i64,
) -> Result<bool, VaultError> {
    let row = sqlx::query("SELECT COUNT(*) AS behind FROM nodes WHERE seen < $1 AND node <> $2")
        .bind(change)
        .bind(following.node())
        .fetch_one(connection)
        .await?;
    Ok(number::<u64>(row.try_get("behind")?)? > 0)
}

/// Until every other process has seen this change, which was committed at `since`, or its lease has
/// ended.
async fn wait_for_others(database: &Database, following: &Following, change: i64, since: Instant) {
    let all = async {
        let mut wait = FIRST_LOOK;
        loop {
            let behind = match database.reads().acquire().await {
                Ok(mut connection) => are_behind(&mut connection, following, change).await,
                Err(error) => Err(error.into()),
            };
            match behind {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) => tracing::warn!(%error, "who has seen a change is not known"),
            }
            tokio::time::sleep(wait).await;
            wait = (2 * wait).min(LAST_LOOK);
        }
    };
    let left = following.patience().saturating_sub(since.elapsed());
    if tokio::time::timeout(left, all).await.is_ok() {
        return;
    }
    // Their caches are out of use. Nobody has to wait for them again: they find themselves gone.
    match forget(database, following, change).await {
        Ok(gone) => tracing::warn!(gone, "processes that do not follow are waited for no more"),
        Err(error) => tracing::warn!(%error, "processes that do not follow are still waited for"),
    }
}

async fn forget(
    database: &Database,
    following: &Following,
    change: i64,
) -> Result<u64, VaultError> {
    let mut transaction = database.begin_unseen().await?;
    let gone = sqlx::query("DELETE FROM nodes WHERE seen < $1 AND node <> $2")
        .bind(change)
        .bind(following.node())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(gone.rows_affected())
}

#[cfg(test)]
mod tests;
