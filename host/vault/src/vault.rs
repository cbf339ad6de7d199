//! The interface, and what its implementation is made of.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::clock::Clock;
use countersign::random::Random;
use countersign::store::Store;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::account::Accounts;
use crate::audit::Audits;
use crate::claim::{self, Turns};
use crate::client::Clients;
use crate::connection::Connections;
use crate::database::Database;
use crate::error::VaultError;
use crate::follow::{self, Following, Follows};
use crate::id::Ids;
use crate::key::MasterKey;
use crate::keyring::Keyring;
use crate::pending::PendingFlows;
use crate::provider::Providers;

/// Keeps providers, connections, accounts, state and pending flows. See the crate for what holds
/// throughout.
pub trait Vault:
    Providers + Connections + Accounts + Clients + Audits + Store + PendingFlows + Follows
{
}

impl<T> Vault for T where
    T: Providers + Connections + Accounts + Clients + Audits + Store + PendingFlows + Follows
{
}

/// The vault in an SQLite database.
pub struct SqlVault {
    pub(crate) database: Database,
    pub(crate) keyring: Keyring,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) turns: Turns,
    /// The name of this process among those of one database.
    pub(crate) node: String,
    /// How long a claim lasts of which nothing is heard.
    pub(crate) lease: Duration,
    pub(crate) following: Following,
    /// Ends, with the vault, what follows changes.
    pub(crate) stop: CancellationToken,
    _stop: DropGuard,
    /// Claims on their way in and out, writes on their way out, and what follows changes.
    pub(crate) tasks: TaskTracker,
    ids: Ids,
}

impl SqlVault {
    /// Opens the database file, or makes it; its folder must be there. The first of the master keys
    /// seals, and with the others older data keys may be opened.
    pub async fn open(
        path: &Path,
        masters: Vec<MasterKey>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, VaultError> {
        let database = Database::open(path).await?;
        let keyring = Keyring::open(database.clone(), masters, &*random).await?;
        let ids = Ids::default();
        let node = name(&*random)?;
        let stop = CancellationToken::new();
        Ok(Self {
            database,
            keyring,
            clock,
            random,
            turns: Turns::default(),
            following: Following::new(node.clone(), follow::LEASE),
            node,
            lease: claim::LEASE,
            _stop: stop.clone().drop_guard(),
            stop,
            tasks: TaskTracker::new(),
            ids,
        })
    }

    /// The same with another time after which the claim of a process that has died is taken over:
    /// 20 seconds where nothing is said. All processes of one database have the same.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// The same, before it is followed, with another time for which caches are used without a look at
    /// the database: one second where nothing is said. It is also the longest that a write waits for a
    /// process that has died. All processes of one database have the same.
    #[must_use]
    pub fn with_cache_lease(self, lease: Duration) -> Self {
        Self { following: Following::new(self.node.clone(), lease), ..self }
    }

    /// Waits until the claims that were dropped are given back and what was cached is out of use, and
    /// ends all connections to the database.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.database.close().await;
    }

    pub(crate) fn now(&self) -> i64 {
        crate::millis(&*self.clock)
    }

    pub(crate) fn new_id(&self, prefix: &str) -> Result<String, VaultError> {
        self.ids.next(prefix, &*self.clock, &*self.random)
    }
}

/// Of a process. Two of the same name would not wait for each other, so it is random throughout.
fn name(random: &dyn Random) -> Result<String, VaultError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    Ok(format!("node_{:032x}", u128::from_be_bytes(bytes)))
}
