//! What keeps the caches of all processes of one database from answering with what a write has
//! replaced, though they ask the database nothing.
//!
//! A process that caches is a node: it has a row in `nodes`, and reads about every
//! [`EVERY`] what was changed. What it reads it evicts, and then writes to its row that it has. A
//! look that got as far as that keeps its caches in use for one lease, *counted from when the look
//! began*. Whoever writes waits, after the commit, until every node has seen the change, or until a
//! lease has passed; then it takes away the rows of those that have not. That suffices:
//!
//! - A look that ends well and has not seen a change began before its commit. So the lease of a node
//!   that has not acknowledged a change ends before the writer has waited for a lease. Each measures
//!   with a clock of its own that only goes forward, and the writer adds a tenth.
//! - To evict is not enough to stay in use: a node whose row was taken away is waited for by nobody.
//!   It goes on only once its row says what it has seen, and finds out there that the row is gone.
//! - A node that registers holds the counter that all changes are numbered by. Who writes before it
//!   has committed by then, and its caches are emptied after; who writes later finds its row.
//! - A node that lost its row, or was silent for a lease, or has missed changes that are kept no
//!   longer, forgets everything and registers anew. Until then its caches answer nothing, and
//!   whoever asks reads the database.
//!
//! The clock stands still while a machine is suspended. A machine that is woken therefore may answer
//! from before its sleep until its next look.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::Row as _;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::change::Change;
use crate::database::Database;
use crate::error::VaultError;
use crate::vault::SqlVault;

/// How long caches stay in use after a look: longer than a busy machine holds up a task, and as short
/// as a write may be held up by a process that has died.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// Between two looks: about what a write waits for other processes.
const EVERY: Duration = Duration::from_millis(50);

/// Looks in a lease at least, where that is short.
const LOOKS: u32 = 20;

/// What is told of each change.
pub trait Listener: Send + Sync {
    /// Evicts what was made of this, before it returns.
    fn changed(&self, change: &Change);

    /// Evicts everything.
    fn forget(&self);
}

/// Lets this process keep what it has read.
#[async_trait]
pub trait Follows: Send + Sync {
    /// Registers this process among those that writers wait for, if it is not yet.
    async fn follow(&self) -> Result<Following, VaultError>;
}

/// This process as one that follows the changes of its database.
#[derive(Clone)]
pub struct Following(Arc<Node>);

struct Node {
    name: String,
    lease: Duration,
    started: Instant,
    /// Until when caches may be used, in microseconds since `started`.
    until: AtomicU64,
    listeners: RwLock<Vec<Weak<dyn Listener>>>,
    writes: AtomicU64,
    registered: OnceCell<()>,
}

impl Following {
    pub(crate) fn new(name: String, lease: Duration) -> Self {
        Self(Arc::new(Node {
            name,
            lease,
            started: Instant::now(),
            until: AtomicU64::new(0),
            listeners: RwLock::default(),
            writes: AtomicU64::new(0),
            registered: OnceCell::new(),
        }))
    }

    /// Whether what was kept may be used: every write that has returned was told to the listeners.
    pub fn is_current(&self) -> bool {
        micros(self.0.started.elapsed()) < self.0.until.load(Ordering::Acquire)
    }

    /// Tells this one too, from now on and for as long as there is anybody else who has it. Whatever
    /// it keeps was read later than this.
    pub fn listen(&self, listener: &Arc<impl Listener + 'static>) {
        let mut listeners = self.0.listeners.write().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        let listener: Weak<dyn Listener> = Arc::downgrade(listener) as Weak<dyn Listener>;
        listeners.push(listener);
    }

    pub(crate) fn tell(&self, change: &Change) {
        self.listeners().iter().for_each(|listener| listener.changed(change));
    }

    pub(crate) fn node(&self) -> &str {
        &self.0.name
    }

    /// How long a writer waits for other processes.
    pub(crate) fn patience(&self) -> Duration {
        self.0.lease + self.0.lease / 10
    }

    /// How many writes of this process there were before this one.
    pub(crate) fn count_write(&self) -> u64 {
        self.0.writes.fetch_add(1, Ordering::Relaxed)
    }

    fn forget(&self) {
        self.listeners().iter().for_each(|listener| listener.forget());
    }

    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        let listeners = self.0.listeners.read().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().filter_map(Weak::upgrade).collect()
    }

    /// Caches may be used for one lease from then.
    fn prolong(&self, from: Instant) {
        let until = from.saturating_duration_since(self.0.started) + self.0.lease;
        self.0.until.store(micros(until), Ordering::Release);
    }

    /// One that is current for an hour.
    #[cfg(test)]
    pub(crate) fn current() -> Self {
        let following = Self::new("node".to_owned(), Duration::from_hours(1));
        following.prolong(Instant::now());
        following
    }

    pub(crate) fn end(&self) {
        self.0.until.store(0, Ordering::Release);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Follows for SqlVault {
    async fn follow(&self) -> Result<Following, VaultError> {
        let register = async || {
            let mut follower = Follower {
                database: self.database.clone(),
                following: self.following.clone(),
                told: 0,
                acknowledged: 0,
                owes: false,
            };
            follower.register().await?;
            self.tasks.spawn(follower.run(self.stop.clone()));
            Ok::<_, VaultError>(())
        };
        self.following.0.registered.get_or_try_init(register).await?;
        Ok(self.following.clone())
    }
}

/// The task that looks what was changed.
struct Follower {
    database: Database,
    following: Following,
    /// The last change that the listeners were told.
    told: i64,
    /// What our row says.
    acknowledged: i64,
    /// Whether somebody waits for our row to say more.
    owes: bool,
}

impl Follower {
    async fn run(mut self, ended: CancellationToken) {
        let looking = async {
            let every = EVERY.min(self.following.0.lease / LOOKS);
            let mut failed = false;
            loop {
                tokio::time::sleep(every).await;
                let looked = self.look().await;
                if let Err(error) = &looked
                    && !failed
                {
                    tracing::warn!(%error, "changes cannot be read, and caches are out of use soon");
                }
                failed = looked.is_err();
            }
        };
        let _: Option<()> = ended.run_until_cancelled(looking).await;
        self.following.end();
        if let Err(error) = self.leave().await {
            tracing::warn!(%error, "the next writer waits for this process, which has ended");
        }
    }

    async fn look(&mut self) -> Result<(), VaultError> {
        let began = Instant::now();
        if !self.following.is_current() {
            tracing::warn!("changes were not read in time: nothing of what was cached is used");
            return self.register().await;
        }
        let row = sqlx::query(
            "SELECT MAX(number) AS newest, \
             (SELECT seen FROM nodes WHERE node = $1) AS acknowledged FROM changes",
        )
        .bind(self.following.node())
        .fetch_one(self.database.reads())
        .await?;
        let newest: Option<i64> = row.try_get("newest")?;
        // Also where the database was put back to what it was.
        if row.try_get::<Option<i64>, _>("acknowledged")? != Some(self.acknowledged) {
            tracing::warn!("this process was given up: nothing of what was cached is used");
            return self.register().await;
        }
        if newest.is_none_or(|newest| newest > self.told) && !self.read().await? {
            tracing::warn!("changes were missed: nothing of what was cached is used");
            return self.register().await;
        }
        if self.owes && !self.acknowledge().await? {
            return self.register().await;
        }
        self.following.prolong(began);
        Ok(())
    }

    /// Tells the listeners what is new; false where some of it is kept no longer.
    async fn read(&mut self) -> Result<bool, VaultError> {
        let rows = sqlx::query(
            "SELECT number, kind, name, node, (SELECT MIN(number) FROM changes) AS oldest \
             FROM changes WHERE number > $1 ORDER BY number",
        )
        .bind(self.told)
        .fetch_all(self.database.reads())
        .await?;
        let Some(first) = rows.first() else { return Ok(false) };
        if first.try_get::<i64, _>("oldest")? > self.told {
            return Ok(false);
        }
        for row in rows {
            let (kind, name): (String, String) = (row.try_get("kind")?, row.try_get("name")?);
            match Change::of(&kind, &name) {
                Some(change) => self.following.tell(&change),
                None => self.following.forget(),
            }
            self.told = row.try_get("number")?;
            // What this process has written it does not wait for itself.
            self.owes |= row.try_get::<String, _>("node")? != self.following.node();
        }
        Ok(true)
    }

    /// Writes to our row what was told; false where it is gone.
    async fn acknowledge(&mut self) -> Result<bool, VaultError> {
        let mut transaction = self.database.begin_unseen().await?;
        let written = sqlx::query("UPDATE nodes SET seen = $1 WHERE node = $2 AND seen = $3")
            .bind(self.told)
            .bind(self.following.node())
            .bind(self.acknowledged)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.acknowledged = self.told;
        self.owes = false;
        Ok(written.rows_affected() > 0)
    }

    /// Begins, or begins again: with nothing, and from the newest change.
    async fn register(&mut self) -> Result<(), VaultError> {
        self.following.end();
        let began = Instant::now();
        let mut transaction = self.database.begin_unseen().await?;
        // First of all, which waits for the writers that do not know of us.
        let newest = i64::try_from(Database::draw(&mut transaction).await?).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO nodes (node, seen) VALUES ($1, $2) \
             ON CONFLICT (node) DO UPDATE SET seen = $2",
        )
        .bind(self.following.node())
        .bind(newest)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        // Only now: what was read before may be older.
        self.following.forget();
        (self.told, self.acknowledged, self.owes) = (newest, newest, false);
        self.following.prolong(began);
        Ok(())
    }

    async fn leave(&self) -> Result<(), VaultError> {
        let mut transaction = self.database.begin_unseen().await?;
        sqlx::query("DELETE FROM nodes WHERE node = $1")
            .bind(self.following.node())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}
