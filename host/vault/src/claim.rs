//! Claims: one flow at a time for each owner of state, across all processes of one database.
//!
//! Within a process those who wait stand in line; the one in front asks the database again and again
//! until the claim is free there. A holder who lives shows it, by a count that goes up; where that
//! stands still for a whole [`LEASE`] of the waiter's own time, the claim is taken over. No clock of
//! the day is asked, since those jump. Whoever takes over has a later fencing number, and a write
//! under an earlier one is refused, so that a holder who was only slow does no harm to what is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use countersign::store::Claim;
use sqlx::{AnyConnection, Row as _};
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::database::Database;
use crate::error::VaultError;
use crate::number;
use crate::vault::SqlVault;

/// How long a claim lasts of which nothing is heard: longer than a busy machine holds up a task, and
/// short enough to wait for after a crash.
pub(crate) const LEASE: Duration = Duration::from_secs(20);

/// A holder shows that it lives three times in a lease: two may fail.
const BEATS: u32 = 3;

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
    tasks: TaskTracker,
    owner: String,
    fence: i64,
    beating: JoinHandle<()>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.beating.abort();
        let (database, owner, fence) =
            (self.database.clone(), std::mem::take(&mut self.owner), self.fence);
        let turn = self.turn.take();
        // Without a runtime there is nobody to do it, and the claim ends by itself.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        self.tasks.spawn_on(
            async move {
                let statement = "UPDATE claims SET holder = NULL WHERE owner = $1 AND fence = $2";
                if let Err(error) = write(&database, statement, &owner, fence).await {
                    tracing::warn!(%error, "a claim was not given back, and ends by itself");
                }
                drop(turn);
            },
            &runtime,
        );
    }
}

/// What a waiter has seen of the one who holds the claim.
#[derive(Clone, Copy, PartialEq)]
struct Sign {
    fence: i64,
    beats: i64,
}

/// What came of asking for a claim.
enum Taken {
    /// It is ours, under this number.
    Ours(i64),
    /// Another holds it.
    Theirs(Sign),
}

impl SqlVault {
    /// Waits for its turn.
    pub(crate) async fn claim_of(&self, owner: String) -> Result<Claim, VaultError> {
        let turn = self.turns.line(&owner).lock_owned().await;
        let (database, node, lease) = (self.database.clone(), self.node.clone(), self.lease);
        let tasks = self.tasks.clone();
        let (sender, receiver) = oneshot::channel();
        // On a task of its own: whoever stops waiting in the middle of it leaves no claim behind that
        // nobody gives back.
        let taking = async move {
            let taken = take_in_the_end(&database, &owner, &node, lease, &sender).await;
            let claim = taken.and_then(|fence| {
                let beat = beat(database.clone(), owner.clone(), fence, lease / BEATS);
                let beating = tokio::spawn(beat.in_current_span());
                let held = Held { database, tasks, owner, fence, beating, turn: Some(turn) };
                Ok(Claim::new(number(fence)?, Box::new(held)))
            });
            // Where nobody waits any more it is given back as it is dropped.
            drop(sender.send(claim));
        };
        self.tasks.spawn(taking.in_current_span());
        receiver.await.map_err(|_| VaultError::Unavailable("the vault is closed".to_owned()))?
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

    /// Whoever holds the claim writes nothing under it from now on; the next one may take it.
    pub(crate) async fn overtake(
        &self,
        transaction: &mut AnyConnection,
        owner: &str,
    ) -> Result<(), VaultError> {
        let fence = Database::draw(transaction).await?;
        sqlx::query("UPDATE claims SET fence = $1, holder = NULL WHERE owner = $2")
            .bind(i64::try_from(fence).unwrap_or(i64::MAX))
            .bind(owner)
            .execute(transaction)
            .await?;
        Ok(())
    }
}

/// Asks until the claim is ours. Stops where nobody waits for it any more.
async fn take_in_the_end(
    database: &Database,
    owner: &str,
    node: &str,
    lease: Duration,
    waiting: &oneshot::Sender<Result<Claim, VaultError>>,
) -> Result<i64, VaultError> {
    let mut wait = FIRST_LOOK;
    let mut last: Option<(Sign, Instant)> = None;
    while !waiting.is_closed() {
        let dead = last.filter(|(_, since)| since.elapsed() >= lease).map(|(sign, _)| sign);
        match take(database, owner, node, dead).await? {
            Taken::Ours(fence) => return Ok(fence),
            Taken::Theirs(sign) if last.is_some_and(|(seen, _)| seen == sign) => {}
            Taken::Theirs(sign) => last = Some((sign, Instant::now())),
        }
        tokio::time::sleep(wait).await;
        wait = (2 * wait).min(LAST_LOOK);
    }
    Err(VaultError::Unavailable("nobody waits for the claim any more".to_owned()))
}

/// Takes the claim where it is free, or where its holder still shows the sign of one who is dead.
async fn take(
    database: &Database,
    owner: &str,
    node: &str,
    dead: Option<Sign>,
) -> Result<Taken, VaultError> {
    let mut transaction = database.begin_unseen().await?;
    let row = sqlx::query("SELECT fence, beats, holder FROM claims WHERE owner = $1")
        .bind(owner)
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some(row) = row {
        let sign = Sign { fence: row.try_get("fence")?, beats: row.try_get("beats")? };
        let holder: Option<String> = row.try_get("holder")?;
        if holder.is_some() && dead != Some(sign) {
            return Ok(Taken::Theirs(sign));
        }
    }
    let fence = i64::try_from(Database::draw(&mut transaction).await?).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO claims (owner, fence, holder, beats) VALUES ($1, $2, $3, 0) \
         ON CONFLICT (owner) DO UPDATE SET fence = $2, holder = $3, beats = 0",
    )
    .bind(owner)
    .bind(fence)
    .bind(node)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Taken::Ours(fence))
}

/// Shows that the holder lives, for as long as the claim is its own.
async fn beat(database: Database, owner: String, fence: i64, every: Duration) {
    let statement = "UPDATE claims SET beats = beats + 1 WHERE owner = $1 AND fence = $2";
    loop {
        tokio::time::sleep(every).await;
        match write(&database, statement, &owner, fence).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!("a claim was taken over while its flow was under way");
                return;
            }
            Err(error) => tracing::warn!(%error, "a claim could not be prolonged"),
        }
    }
}

/// Whether the claim was still there to be changed.
async fn write(
    database: &Database,
    statement: &'static str,
    owner: &str,
    fence: i64,
) -> Result<bool, VaultError> {
    let mut transaction = database.begin_unseen().await?;
    let written = sqlx::query(statement).bind(owner).bind(fence).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(written.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_claim_is_taken_over_only_from_a_holder_who_still_shows_the_same_sign() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("vault.db")).await.unwrap();
        let take = async |dead| take(&database, "ca_1", "node", dead).await.unwrap();
        let Taken::Ours(fence) = take(None).await else { panic!("it is free") };
        let sign = Sign { fence, beats: 0 };
        for dead in [Sign { beats: 1, ..sign }, Sign { fence: fence - 1, ..sign }] {
            assert!(matches!(take(Some(dead)).await, Taken::Theirs(now) if now == sign));
        }
        assert!(matches!(take(Some(sign)).await, Taken::Ours(next) if next > fence));
    }
}
