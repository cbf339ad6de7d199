//! Rotation: a new data key, and everything sealed anew under it.
//!
//! The data keys lie under every master key that this vault was opened with, and under no other. So a
//! master key is replaced in three steps, none of which stops a request: every process is started
//! with the new key and the old one; one of them rotates; every process is started with the new key
//! alone, and one of them rotates again. Broken off at any point, every value opens, and the next
//! rotation goes on with what is left.

use sqlx::{AnyConnection, Row as _};

use crate::error::VaultError;
use crate::keyring::Sealed;
use crate::number;
use crate::seal::Seat;
use crate::state::{self, ClosedState};
use crate::vault::SqlVault;
use crate::{account, connection, origins, pending, provider};

/// Rows of one step: others write between two steps.
const STEP: i64 = 32;

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Values sealed anew so far.
    pub done: u64,
    /// Values that do not open, which the log names: they are left as they are.
    pub damaged: u64,
    /// Values that were to be sealed anew when it began.
    pub total: u64,
}

/// Where sealed values lie, and the statements for each: how many are sealed under an earlier key
/// than `$1`; the next of them after the row `$2`, at most `$3`; and one value, `$1`, its key, `$2`,
/// for its row, `$3`.
struct Table {
    kind: Kind,
    count: &'static str,
    next: &'static str,
    write: &'static str,
}

#[derive(Clone, Copy)]
enum Kind {
    Provider,
    Connection,
    Account,
    State,
    PendingFlow,
}

const TABLES: [Table; 5] = [
    Table {
        kind: Kind::Provider,
        count: "SELECT COUNT(*) AS left_over FROM providers WHERE sealed_by < $1",
        next: "SELECT id AS place, payload AS sealed, identifier FROM providers \
               WHERE sealed_by < $1 AND id > $2 ORDER BY id LIMIT $3",
        write: "UPDATE providers SET payload = $1, sealed_by = $2 WHERE id = $3",
    },
    Table {
        kind: Kind::Connection,
        count: "SELECT COUNT(*) AS left_over FROM connections WHERE sealed_by < $1",
        next: "SELECT id AS place, settings AS sealed, connections.* FROM connections \
               WHERE sealed_by < $1 AND id > $2 ORDER BY id LIMIT $3",
        write: "UPDATE connections SET settings = $1, sealed_by = $2 WHERE id = $3",
    },
    Table {
        kind: Kind::Account,
        count: "SELECT COUNT(*) AS left_over FROM accounts WHERE sealed_by < $1",
        next: "SELECT id AS place, details AS sealed, connection, identifier, origins \
               FROM accounts WHERE sealed_by < $1 AND id > $2 ORDER BY id LIMIT $3",
        write: "UPDATE accounts SET details = $1, sealed_by = $2 WHERE id = $3",
    },
    Table {
        kind: Kind::State,
        count: "SELECT COUNT(*) AS left_over FROM states WHERE sealed_by < $1",
        next: "SELECT s.owner AS place, s.owner AS id, s.state, s.version AS state_version, \
               COALESCE(a.connection, c.provider) AS parent, \
               COALESCE(a.identifier, c.name) AS name, COALESCE(a.origins, c.origins) AS origins \
               FROM states s LEFT JOIN accounts a ON a.id = s.owner \
               LEFT JOIN connections c ON c.id = s.owner \
               WHERE s.sealed_by < $1 AND s.owner > $2 ORDER BY s.owner LIMIT $3",
        write: "UPDATE states SET state = $1, sealed_by = $2 WHERE owner = $3",
    },
    Table {
        kind: Kind::PendingFlow,
        count: "SELECT COUNT(*) AS left_over FROM pending_flows WHERE sealed_by < $1",
        next: "SELECT hash AS place, content AS sealed, hash, \
               COALESCE(account, connection) AS owner, version, ends_at, origins \
               FROM pending_flows WHERE sealed_by < $1 AND hash > $2 ORDER BY hash LIMIT $3",
        write: "UPDATE pending_flows SET content = $1, sealed_by = $2 WHERE hash = $3",
    },
];

impl SqlVault {
    /// Seals everything anew. `tell` is told how far it is, after each step.
    ///
    /// Another process seals under the older key until it comes upon a value under the new one; what
    /// it has sealed by then is left to the next rotation, and opens as before.
    pub async fn rotate(&self, mut tell: impl FnMut(Progress)) -> Result<Progress, VaultError> {
        let newest = i64::from(self.keyring.renew(&*self.random).await?);
        let mut progress = Progress::default();
        for table in &TABLES {
            let row =
                sqlx::query(table.count).bind(newest).fetch_one(self.database.reads()).await?;
            progress.total += number::<u64>(row.try_get("left_over")?)?;
        }
        tell(progress);
        for table in &TABLES {
            let mut last = String::new();
            while let Some(next) = self.seal_anew(table, newest, &last, &mut progress).await? {
                last = next;
                tell(progress);
            }
        }
        Ok(progress)
    }

    /// One step; its last row.
    async fn seal_anew(
        &self,
        table: &Table,
        newest: i64,
        last: &str,
        progress: &mut Progress,
    ) -> Result<Option<String>, VaultError> {
        let mut transaction = self.database.begin_unseen().await?;
        let rows = sqlx::query(table.next)
            .bind(newest)
            .bind(last)
            .bind(STEP)
            .fetch_all(&mut *transaction)
            .await?;
        let mut next = None;
        for row in &rows {
            let place: String = row.try_get("place")?;
            match self.anew(table.kind, row).await {
                Ok(sealed) => {
                    write(&mut transaction, table.write, sealed, &place).await?;
                    progress.done += 1;
                }
                Err(error @ VaultError::Damaged { .. }) => {
                    tracing::error!(%error, "left as it is");
                    progress.damaged += 1;
                }
                Err(error) => return Err(error),
            }
            next = Some(place);
        }
        transaction.commit().await?;
        Ok(next)
    }

    /// The value of a row, sealed anew in its seat.
    async fn anew(&self, kind: Kind, row: &sqlx::any::AnyRow) -> Result<Sealed, VaultError> {
        let text = |column: &str| row.try_get::<String, _>(column);
        let again = async |seat: Seat<'_>| {
            let sealed: Vec<u8> = row.try_get("sealed")?;
            let open = self.keyring.open_sealed(&seat, &sealed).await?;
            self.keyring.seal(&seat, &open)
        };
        match kind {
            Kind::Provider => again(provider::seat(&text("place")?, &text("identifier")?)).await,
            Kind::Connection => again(connection::read(row)?.seat()).await,
            Kind::Account => {
                let [id, parent, name] = [text("place")?, text("connection")?, text("identifier")?];
                again(account::seat(&id, &parent, &name, &origins::read(row)?)).await
            }
            Kind::PendingFlow => again(pending::Place::read(row)?.seat()).await,
            Kind::State => {
                let orphan = |_| VaultError::Damaged { table: "states", row: String::new() };
                let owner = state::read_owner(row).map_err(orphan)?;
                let closed = state::closed(row)?;
                let ClosedState { version, sealed } =
                    closed.ok_or(VaultError::Damaged { table: "states", row: owner.id.clone() })?;
                let version = version.to_string();
                let open = self.keyring.open_sealed(&owner.seat(&version), &sealed).await?;
                self.keyring.seal(&owner.seat(&version), &open)
            }
        }
    }
}

async fn write(
    transaction: &mut AnyConnection,
    statement: &'static str,
    Sealed { bytes, by }: Sealed,
    place: &str,
) -> Result<(), VaultError> {
    sqlx::query(statement).bind(bytes).bind(by).bind(place).execute(transaction).await?;
    Ok(())
}
