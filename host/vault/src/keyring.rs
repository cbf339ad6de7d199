//! The data keys of one vault, open.
//!
//! New values are sealed under the newest key. A value that another process has sealed under a key
//! that is not known yet makes the ring look again; the older keys stay, for what still lies under
//! them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use countersign::random::Random;
use countersign::secret::Secret;
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
    /// Any of them opens; what is made lies under all.
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
        random: &dyn Random,
    ) -> Result<Self, VaultError> {
        let mut transaction = database.begin_unseen().await?;
        let mut keys = load(&mut transaction, &masters).await?;
        if keys.is_empty() {
            if holds_anything(&mut transaction).await? {
                return Err(damaged(1));
            }
            let key = create(&mut transaction, 1, &masters, random).await?;
            keys.insert(1, Arc::new(key));
        }
        transaction.commit().await?;
        Ok(Self { database, masters, keys: RwLock::new(keys) })
    }

    /// Seals for a seat, under the newest key.
    pub(crate) fn seal(&self, seat: &Seat<'_>, text: &[u8]) -> Result<Sealed, VaultError> {
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
        seat: &Seat<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let damaged = || VaultError::Damaged { table: seat.table, row: seat.id().to_owned() };
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
        seat: &Seat<'_>,
        sealed: &[u8],
    ) -> Result<Secret, VaultError> {
        let mut bytes = self.open_sealed(seat, sealed).await?;
        let text = String::from_utf8(std::mem::take(&mut *bytes));
        let damaged = |_| VaultError::Damaged { table: seat.table, row: seat.id().to_owned() };
        Ok(Secret::new(text.map_err(damaged)?))
    }

    /// Makes a new data key, which seals from now on. It and those that there are open under the
    /// master keys of this ring, and under no other.
    pub(crate) async fn renew(&self, random: &dyn Random) -> Result<u32, VaultError> {
        let mut transaction = self.database.begin_unseen().await?;
        let last = rewrap(&mut transaction, &self.masters).await?;
        let newest = last + 1;
        create(&mut transaction, newest, &self.masters, random).await?;
        transaction.commit().await?;
        self.look_again().await?;
        Ok(newest)
    }

    fn key(&self, number: u32) -> Option<Arc<DataKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&number).cloned()
    }

    /// Nobody comes here with a connection in hand that reads: they would wait for one another.
    async fn look_again(&self) -> Result<(), VaultError> {
        let mut connection = self.database.reads().acquire().await?;
        let found = load(&mut connection, &self.masters).await?;
        // What another has found meanwhile stays.
        self.keys.write().unwrap_or_else(PoisonError::into_inner).extend(found);
        Ok(())
    }
}

/// Opens every data key there is. One that no master key opens is an error: something lies under it.
async fn load(
    connection: &mut AnyConnection,
    masters: &[MasterKey],
) -> Result<BTreeMap<u32, Arc<DataKey>>, VaultError> {
    let mut keys = BTreeMap::new();
    for Wrapped { number, master, bytes } in wrapped(connection, masters).await? {
        let key = DataKey::unwrap(number, &bytes, master).map_err(|_| damaged(number))?;
        keys.insert(number, Arc::new(key));
    }
    Ok(keys)
}

/// A data key as it lies under one of the master keys that were given.
struct Wrapped<'a> {
    number: u32,
    master: &'a MasterKey,
    bytes: Vec<u8>,
}

/// Each data key once.
async fn wrapped<'a>(
    connection: &mut AnyConnection,
    masters: &'a [MasterKey],
) -> Result<Vec<Wrapped<'a>>, VaultError> {
    let rows = sqlx::query("SELECT number, master, wrapped FROM data_keys ORDER BY number")
        .fetch_all(connection)
        .await?;
    let mut found: BTreeMap<u32, Wrapped<'a>> = BTreeMap::new();
    let mut needed = BTreeMap::new();
    for row in rows {
        let number: u32 = number(row.try_get("number")?)?;
        let id = MasterKeyId::of(row.try_get("master")?);
        if let Some(master) = masters.iter().find(|it| *it.id() == id) {
            found.insert(number, Wrapped { number, master, bytes: row.try_get("wrapped")? });
        }
        needed.insert(number, id);
    }
    match needed.into_iter().find(|(number, _)| !found.contains_key(number)) {
        Some((_, needed)) => Err(VaultError::WrongMasterKey { needed, given: told(masters) }),
        None => Ok(found.into_values().collect()),
    }
}

/// Puts every data key under all of these master keys, and under no other; the number of the last.
async fn rewrap(connection: &mut AnyConnection, masters: &[MasterKey]) -> Result<u32, VaultError> {
    let found = wrapped(connection, masters).await?;
    sqlx::query("DELETE FROM data_keys").execute(&mut *connection).await?;
    for Wrapped { number, master: from, bytes } in &found {
        for to in masters {
            let moved = DataKey::rewrap(*number, bytes, from, to).map_err(|_| damaged(*number))?;
            write(connection, *number, to, moved).await?;
        }
    }
    Ok(found.last().map_or(0, |last| last.number))
}

fn damaged(number: u32) -> VaultError {
    VaultError::Damaged { table: "data_keys", row: number.to_string() }
}

/// Makes a data key that each of the master keys opens.
async fn create(
    connection: &mut AnyConnection,
    number: u32,
    masters: &[MasterKey],
    random: &dyn Random,
) -> Result<DataKey, VaultError> {
    let (first, others) = masters.split_first().ok_or(VaultError::NoMasterKey)?;
    let made = DataKey::generate(number, first, random);
    let (key, bytes) = made.ok_or(VaultError::NoRandomness)?;
    for to in others {
        let moved = DataKey::rewrap(number, &bytes, first, to).map_err(|_| damaged(number))?;
        write(connection, number, to, moved).await?;
    }
    write(connection, number, first, bytes).await?;
    Ok(key)
}

async fn write(
    connection: &mut AnyConnection,
    number: u32,
    master: &MasterKey,
    wrapped: Vec<u8>,
) -> Result<(), VaultError> {
    sqlx::query("INSERT INTO data_keys (number, master, wrapped) VALUES ($1, $2, $3)")
        .bind(i64::from(number))
        .bind(master.id().as_str())
        .bind(wrapped)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether anything lies sealed, though no data key does.
async fn holds_anything(connection: &mut AnyConnection) -> Result<bool, VaultError> {
    let row = sqlx::query("SELECT COUNT(*) AS held FROM providers").fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>("held")? > 0)
}

fn told(masters: &[MasterKey]) -> String {
    let ids: Vec<&str> = masters.iter().map(|key| key.id().as_str()).collect();
    match ids.as_slice() {
        [] => "none is".to_owned(),
        [one] => format!("{one} is"),
        ids => format!("{} are", ids.join(", ")),
    }
}
