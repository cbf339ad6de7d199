//! Claims: one flow at a time for each owner of state, across all processes of one database.
//!
//! Within a process those who wait stand in line; the one in front asks the database again and again
//! until the claim is free there. A claim is a lease: its holder prolongs it, and where the holder
//! dies it ends by itself. Whoever takes it over has the next fencing number, and a write under an
//! earlier one is refused, so that a holder who was only slow does no harm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use countersign::store::Claim;
use sqlx::{AnyConnection, Row as _};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use crate::database::Database;
use crate::error::VaultError;
use crate::number;
use crate::vault::SqlVault;

/// How long a claim lasts that nobody prolongs: longer than a busy machine holds up a task, and short
/// enough to wait for after a crash.
const LEASE: Duration = Duration::from_secs(20);

/// How often a holder prolongs it: two may fail.
const PROLONGED: Duration = Duration::from_secs(6);

/// Between two looks at a claim that another process holds; the wait doubles from the first to the
/// last.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(200);

/// The lines of this process, each for as long as anyone stands in it.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

/// Lines before those that have ended are looked for.
const SWEEP: usize = 1024;

impl Turns {
    fn line(&self, owner: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(owner).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= SWEEP {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::new(tokio::sync::Mutex::new(()));
        lines.insert(owner.to_owned(), Arc::downgrade(&line));
        line
    }
}

/// Gives the claim back when dropped, in the database first and then in this process.
struct Held {
    database: Database,
    owner: String,
    fence: i64,
    prolonging: JoinHandle<()>,
    turn: Option<OwnedMutexGuard<()>>,
    runtime: tokio::runtime::Handle,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.prolonging.abort();
        let (database, owner, fence) =
            (self.database.clone(), std::mem::take(&mut self.owner), self.fence);
        let turn = self.turn.take();
        self.runtime.spawn(async move {
            if let Err(error) = give_back(&database, &owner, fence).await {
                tracing::warn!(%error, "a claim was not given back, and ends by itself");
            }
            drop(turn);
        });
    }
}

impl SqlVault {
    /// Waits for its turn.
    pub(crate) async fn claim_of(&self, owner: String) -> Result<Claim, VaultError> {
        let turn = self.turns.line(&owner).lock_owned().await;
        let mut wait = FIRST_LOOK;
        let fence = loop {
            match self.take(&owner).await? {
                Some(fence) => break fence,
                None => tokio::time::sleep(wait).await,
            }
            wait = (2 * wait).min(LAST_LOOK);
        };
        let prolonging = tokio::spawn(prolong(
            self.database.clone(),
            Arc::clone(&self.clock),
            owner.clone(),
            fence,
        ));
        let held = Held {
            database: self.database.clone(),
            owner,
            fence,
            prolonging,
            turn: Some(turn),
            runtime: tokio::runtime::Handle::current(),
        };
        Ok(Claim::new(number(fence)?, Box::new(held)))
    }

    /// The number of the last claim; 0 where there was none.
    pub(crate) async fn fence_of(
        &self,
        connection: &mut AnyConnection,
        owner: &str,
    ) -> Result<u64, VaultError> {
        let row = sqlx::query("SELECT fence FROM claims WHERE owner = $1")
            .bind(owner)
            .fetch_optional(connection)
            .await?;
        row.map_or(Ok(0), |row| number(row.try_get("fence")?))
    }

    async fn take(&self, owner: &str) -> Result<Option<i64>, VaultError> {
        let now = self.now();
        let mut transaction = self.database.begin().await?;
        let row = sqlx::query(
            "INSERT INTO claims (owner, fence, holder, until) VALUES ($1, 1, $2, $3) \
             ON CONFLICT (owner) DO UPDATE SET fence = claims.fence + 1, holder = $2, until = $3 \
             WHERE claims.holder IS NULL OR claims.until <= $4 RETURNING fence",
        )
        .bind(owner)
        .bind(self.node.as_str())
        .bind(until(now))
        .bind(now)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.map(|row| row.try_get("fence").map_err(VaultError::from)).transpose()
    }
}

fn until(now: i64) -> i64 {
    now.saturating_add(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX))
}

async fn prolong(
    database: Database,
    clock: Arc<dyn countersign::clock::Clock>,
    owner: String,
    fence: i64,
) {
    loop {
        tokio::time::sleep(PROLONGED).await;
        let until = until(crate::millis(&*clock));
        let written = write(
            &database,
            "UPDATE claims SET until = $3 WHERE owner = $1 AND fence = $2",
            &owner,
            fence,
            Some(until),
        );
        if let Err(error) = written.await {
            tracing::warn!(%error, "a claim could not be prolonged");
        }
    }
}

async fn give_back(database: &Database, owner: &str, fence: i64) -> Result<(), VaultError> {
    let statement = "UPDATE claims SET holder = NULL, until = 0 WHERE owner = $1 AND fence = $2";
    write(database, statement, owner, fence, None).await
}

async fn write(
    database: &Database,
    statement: &'static str,
    owner: &str,
    fence: i64,
    until: Option<i64>,
) -> Result<(), VaultError> {
    let mut transaction = database.begin().await?;
    let query = sqlx::query(statement).bind(owner).bind(fence);
    let query = match until {
        Some(until) => query.bind(until),
        None => query,
    };
    query.execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}
