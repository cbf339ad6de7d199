//! Rotation: a new data key under the first master key, and everything sealed anew under it.
//!
//! Requests go on meanwhile. First the data keys that there are move to the first master key, so
//! that from then on it alone opens the vault; then each row is sealed anew in small steps. Broken
//! off at any point, every value opens, and the next rotation goes on with what is left.

use sqlx::Row as _;

use crate::error::VaultError;
use crate::keyring::Sealed;
use crate::number;
use crate::origins;
use crate::seal::Seat;
use crate::vault::SqlVault;

/// Rows of one step: others write between two steps.
const STEP: i64 = 32;

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Values sealed anew so far.
    pub done: u64,
    /// Values that were to be sealed anew when it began.
    pub total: u64,
}

/// A column of sealed values, and its statements.
struct Column {
    table: &'static str,
    name: &'static str,
    /// Takes the number of the new key.
    count: &'static str,
    /// Takes the number of the new key, and how many rows at most.
    next: &'static str,
    /// Takes a row.
    read: &'static str,
    /// Takes the sealed value, the number of its key, and a row.
    write: &'static str,
}

const COLUMNS: [Column; 3] = [
    Column {
        table: "connections",
        name: "settings",
        count: "SELECT COUNT(*) AS left_over FROM connections WHERE sealed_by < $1",
        next: "SELECT id AS place FROM connections WHERE sealed_by < $1 ORDER BY id LIMIT $2",
        read: "SELECT settings AS sealed, origins FROM connections WHERE id = $1",
        write: "UPDATE connections SET settings = $1, sealed_by = $2 WHERE id = $3",
    },
    Column {
        table: "accounts",
        name: "details",
        count: "SELECT COUNT(*) AS left_over FROM accounts WHERE sealed_by < $1",
        next: "SELECT id AS place FROM accounts WHERE sealed_by < $1 ORDER BY id LIMIT $2",
        read: "SELECT details AS sealed, origins FROM accounts WHERE id = $1",
        write: "UPDATE accounts SET details = $1, sealed_by = $2 WHERE id = $3",
    },
    Column {
        table: "states",
        name: "state",
        count: "SELECT COUNT(*) AS left_over FROM states WHERE sealed_by < $1",
        next: "SELECT owner AS place FROM states WHERE sealed_by < $1 ORDER BY owner LIMIT $2",
        read: "SELECT s.state AS sealed, COALESCE(a.origins, c.origins) AS origins FROM states s \
               LEFT JOIN accounts a ON a.id = s.owner LEFT JOIN connections c ON c.id = s.owner \
               WHERE s.owner = $1",
        write: "UPDATE states SET state = $1, sealed_by = $2 WHERE owner = $3",
    },
];

impl SqlVault {
    /// Seals everything anew. `tell` is told how far it is, after each step.
    ///
    /// Another process seals under the older key until it comes upon a value under the new one; what
    /// it has sealed by then is left to the next rotation, and opens as before.
    pub async fn rotate(&self, mut tell: impl FnMut(Progress)) -> Result<Progress, VaultError> {
        let newest = i64::from(self.keyring.renew(&*self.clock, &*self.random).await?);
        let mut progress = Progress::default();
        for column in &COLUMNS {
            let row =
                sqlx::query(column.count).bind(newest).fetch_one(self.database.reads()).await?;
            progress.total += number::<u64>(row.try_get("left_over")?)?;
        }
        tell(progress);
        for column in &COLUMNS {
            loop {
                let sealed = self.seal_anew(column, newest).await?;
                if sealed == 0 {
                    break;
                }
                progress.done += sealed;
                tell(progress);
            }
        }
        Ok(progress)
    }

    /// One step; how many values it has sealed.
    async fn seal_anew(&self, column: &Column, newest: i64) -> Result<u64, VaultError> {
        let mut transaction = self.database.begin().await?;
        let rows =
            sqlx::query(column.next).bind(newest).bind(STEP).fetch_all(&mut *transaction).await?;
        for row in &rows {
            let place: String = row.try_get("place")?;
            let found =
                sqlx::query(column.read).bind(place.as_str()).fetch_one(&mut *transaction).await?;
            let origins = origins::read(&found)?;
            let seat =
                Seat { table: column.table, row: &place, column: column.name, origins: &origins };
            let before: Vec<u8> = found.try_get("sealed")?;
            let text = self.keyring.open_sealed(seat, &before).await?;
            let Sealed { bytes, by } = self.keyring.seal(seat, &text)?;
            sqlx::query(column.write)
                .bind(bytes)
                .bind(by)
                .bind(place.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(rows.len() as u64)
    }
}
