//! The data keys of one vault, open.
//!
//! New values are sealed under the newest key. A value that another process has sealed under a key
//! that is not known yet makes the ring look again; the older keys stay, for what still lies under
//! them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use countersign::clock::Clock;
use countersign::random::Random;
use countersign::secret::Secret;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use zeroize::Zeroizing;

use crate::database::Database;
use crate::error::VaultError;
use crate::key::{MasterKey, MasterKeyId};
use crate::number;
use crate::seal::{DataKey, Seat, number_of};

/// Seals and opens.
pub(crate) struct Keyring {
    database: Database,
    /// The first seals new data keys; the others only open.
    masters: Vec<MasterKey>,
    keys: RwLock<BTreeMap<u32, Arc<DataKey>>>,
}

/// A sealed value, and the number of the key that it is sealed under.
pub(crate) struct Sealed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) by: i64,
}

impl Keyring {
    /// Opens the vault's data keys; makes the first one where the vault is new.
    pub(crate) async fn open(
        database: Database,
        masters: Vec<MasterKey>,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Self, VaultError> {
        let mut transaction = database.begin().await?;
        let mut keys = load(&mut transaction, &masters).await?;
        if keys.is_empty() {
            let key = create(&mut transaction, 1, &masters, clock, random).await?;
            keys.insert(1, Arc::new(key));
        }
        transaction.commit().await?;
        Ok(Self { database, masters, keys: RwLock::new(keys) })
    }

    /// Seals for a seat, under the newest key.
    pub(crate) fn seal(&self, seat: Seat<'_>, text: &[u8]) -> Result<Sealed, VaultError> {
        let newest = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.last_key_value().map(|(_, key)| Arc::clone(key))
        };
        let key = newest.ok_or(VaultError::NoRandomness)?;
        let bytes = key.seal(seat, text).ok_or(VaultError::NoRandomness)?;
        Ok(Sealed { bytes, by: i64::from(key.number()) })
    }

    /// Opens what lies in a seat.
    pub(crate) async fn open_sealed(
        &self,
        seat: Seat<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let damaged = || VaultError::Damaged { table: seat.table, row: seat.row.to_owned() };
        let number = number_of(sealed).ok_or_else(damaged)?;
        let mut key = self.key(number);
        if key.is_none() {
            self.look_again().await?;
            key = self.key(number);
        }
        key.ok_or_else(damaged)?.open(seat, sealed).map_err(|_| damaged())
    }

    /// The same, of a text.
    pub(crate) async fn open_text(
        &self,
        seat: Seat<'_>,
        sealed: &[u8],
    ) -> Result<Secret, VaultError> {
        let mut bytes = self.open_sealed(seat, sealed).await?;
        let text = String::from_utf8(std::mem::take(&mut *bytes));
        let damaged = |_| VaultError::Damaged { table: seat.table, row: seat.row.to_owned() };
        Ok(Secret::new(text.map_err(damaged)?))
    }

    /// Moves every data key to the first master key, and makes a new one, which seals from now on.
    pub(crate) async fn renew(
        &self,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<u32, VaultError> {
        let mut transaction = self.database.begin().await?;
        let last = rewrap(&mut transaction, &self.masters).await?;
        let newest = last + 1;
        create(&mut transaction, newest, &self.masters, clock, random).await?;
        transaction.commit().await?;
        self.look_again().await?;
        Ok(newest)
    }

    fn key(&self, number: u32) -> Option<Arc<DataKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&number).cloned()
    }

    async fn look_again(&self) -> Result<(), VaultError> {
        let mut connection = self.database.reads().acquire().await?;
        let found = load(&mut connection, &self.masters).await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }
}

/// Opens every data key there is. One that no master key opens is an error: something lies under it.
async fn load(
    connection: &mut AnyConnection,
    masters: &[MasterKey],
) -> Result<BTreeMap<u32, Arc<DataKey>>, VaultError> {
    let rows = sqlx::query("SELECT number, master, wrapped FROM data_keys ORDER BY number")
        .fetch_all(connection)
        .await?;
    let mut keys = BTreeMap::new();
    for row in rows {
        let number: u32 = number(row.try_get("number")?)?;
        let master = master_of(&row, masters)?;
        let wrapped: Vec<u8> = row.try_get("wrapped")?;
        let damaged = |_| VaultError::Damaged { table: "data_keys", row: number.to_string() };
        let key = DataKey::unwrap(number, &wrapped, master).map_err(damaged)?;
        keys.insert(number, Arc::new(key));
    }
    Ok(keys)
}

/// Puts every data key under the first master key; the number of the last.
async fn rewrap(connection: &mut AnyConnection, masters: &[MasterKey]) -> Result<u32, VaultError> {
    let rows = sqlx::query("SELECT number, master, wrapped FROM data_keys ORDER BY number")
        .fetch_all(&mut *connection)
        .await?;
    let mut last = 0;
    for row in rows {
        last = number(row.try_get("number")?)?;
        let from = master_of(&row, masters)?;
        let to = &masters[0];
        if from.id() == to.id() {
            continue;
        }
        let wrapped: Vec<u8> = row.try_get("wrapped")?;
        let damaged = |_| VaultError::Damaged { table: "data_keys", row: last.to_string() };
        let wrapped = DataKey::rewrap(last, &wrapped, from, to).map_err(damaged)?;
        sqlx::query("UPDATE data_keys SET master = $1, wrapped = $2 WHERE number = $3")
            .bind(to.id().as_str())
            .bind(wrapped)
            .bind(i64::from(last))
            .execute(&mut *connection)
            .await?;
    }
    Ok(last)
}

/// The master key that a row is sealed under.
fn master_of<'a>(row: &AnyRow, masters: &'a [MasterKey]) -> Result<&'a MasterKey, VaultError> {
    let needed = MasterKeyId::of(row.try_get("master")?);
    let master = masters.iter().find(|it| *it.id() == needed);
    master.ok_or_else(|| VaultError::WrongMasterKey { needed, given: told(masters) })
}

async fn create(
    connection: &mut AnyConnection,
    number: u32,
    masters: &[MasterKey],
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<DataKey, VaultError> {
    let master = masters.first().ok_or(VaultError::NoMasterKey)?;
    let made = DataKey::generate(number, master, random);
    let (key, wrapped) = made.ok_or(VaultError::NoRandomness)?;
    sqlx::query(
        "INSERT INTO data_keys (number, master, wrapped, created_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(i64::from(number))
    .bind(master.id().as_str())
    .bind(wrapped)
    .bind(crate::millis(clock))
    .execute(connection)
    .await?;
    Ok(key)
}

fn told(masters: &[MasterKey]) -> String {
    let ids: Vec<&str> = masters.iter().map(|key| key.id().as_str()).collect();
    match ids.as_slice() {
        [] => "none is".to_owned(),
        [one] => format!("{one} is"),
        ids => format!("{} are", ids.join(", ")),
    }
}
