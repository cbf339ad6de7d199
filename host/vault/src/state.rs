//! What flows have learnt: the library's [`Store`], kept.
//!
//! State lies under the name and the origins of the row that it belongs to, the account's or the
//! connection's. Its versions are drawn from one counter and none comes twice, so that a flow which
//! began with an earlier account of the same name, or before its state was taken away, is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::account::State;
use countersign::secret::Secret;
use countersign::store::{Claim, StateKey, Store, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use zeroize::Zeroizing;

use crate::change::Change;
use crate::database::Database;
use crate::error::VaultError;
use crate::record::{Account, Connection};
use crate::seal::Seat;
use crate::vault::SqlVault;
use crate::write::Write;
use crate::{number, origins};

/// Whom state belongs to: an account under its connection and its identifier, or a connection
/// under its provider and its name.
pub(crate) struct Owner {
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) origins: Vec<String>,
}

/// State that is still sealed.
pub(crate) struct ClosedState {
    pub(crate) version: u64,
    pub(crate) sealed: Vec<u8>,
}

/// State as it is sealed, but for its version.
#[derive(Serialize)]
struct Written<'a> {
    secrets: BTreeMap<&'a str, &'a str>,
    attributes: &'a BTreeMap<String, String>,
    renew_at: Option<u64>,
    expires_at: Option<u64>,
}

#[derive(Deserialize)]
struct Read {
    secrets: BTreeMap<String, Secret>,
    attributes: BTreeMap<String, String>,
    renew_at: Option<u64>,
    expires_at: Option<u64>,
}

#[async_trait]
impl Store for SqlVault {
    async fn state(&self, key: &StateKey) -> Result<Option<Arc<State>>, StoreError> {
        let found = {
            let mut connection = self.database.reads().acquire().await.map_err(out_of_reach)?;
            find(&mut connection, key).await?
        };
        let Some(Found { owner, version, state }) = found else {
            return if key.row.is_some() { Err(StoreError::Moved) } else { Ok(None) };
        };
        if key.row.as_ref().is_some_and(|row| row.version != version) {
            return Err(StoreError::Moved);
        }
        match state {
            Some(closed) => Ok(Some(Arc::new(self.open_state(&owner, &closed).await?))),
            None => Ok(None),
        }
    }

    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError> {
        let found = {
            let mut connection = self.database.reads().acquire().await.map_err(out_of_reach)?;
            find(&mut connection, key).await?
        };
        let found = found.ok_or(StoreError::Moved)?;
        Ok(self.claim_of(found.owner.id).await?)
    }

    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError> {
        let mut write = self.write().await?;
        let found = find(&mut write, key).await?;
        let Found { owner, state: before, .. } = found.ok_or(StoreError::Overtaken)?;
        if self.fence_of(&mut write, &owner.id).await? != claim.fence()
            || before.map_or(0, |state| state.version) != over
        {
            return Err(StoreError::Overtaken);
        }
        let state = self.write_state(&mut write, &owner, state).await?;
        write.commit(Change::State(owner.id.into())).await?;
        Ok(Arc::new(state))
    }
}

impl SqlVault {
    pub(crate) async fn open_state(
        &self,
        owner: &Owner,
        closed: &ClosedState,
    ) -> Result<State, VaultError> {
        let version = closed.version.to_string();
        let text = self.keyring.open_sealed(&owner.seat(&version), &closed.sealed).await?;
        let damaged = |_| VaultError::Damaged { table: "states", row: owner.id.clone() };
        let Read { secrets, attributes, renew_at, expires_at } =
            serde_json::from_slice(&text).map_err(damaged)?;
        Ok(State { secrets, attributes, renew_at, expires_at, version: closed.version })
    }

    /// Replaces what there is, whatever its version; gives it back with the version that it has now.
    pub(crate) async fn write_state(
        &self,
        write: &mut Write,
        owner: &Owner,
        state: State,
    ) -> Result<State, VaultError> {
        write.changes(Change::State(owner.id.as_str().into()));
        let state = State { version: Database::draw(write).await?, ..state };
        let version = state.version.to_string();
        let sealed = self.keyring.seal(&owner.seat(&version), &text(&state))?;
        let [renew_at, expires_at] = [state.renew_at, state.expires_at]
            .map(|time| time.map(|time| i64::try_from(time).unwrap_or(i64::MAX)));
        sqlx::query(
            "INSERT INTO states (owner, version, state, sealed_by, renew_at, expires_at, \
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (owner) DO UPDATE SET version = $2, state = $3, sealed_by = $4, \
             renew_at = $5, expires_at = $6, updated_at = $7",
        )
        .bind(owner.id.as_str())
        .bind(i64::try_from(state.version).unwrap_or(i64::MAX))
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(renew_at)
        .bind(expires_at)
        .bind(self.now())
        .execute(&mut **write)
        .await?;
        Ok(state)
    }

    /// The version of the state that there is; 0 for none.
    pub(crate) async fn state_version(
        &self,
        transaction: &mut AnyConnection,
        owner: &str,
    ) -> Result<u64, VaultError> {
        let row = sqlx::query("SELECT version FROM states WHERE owner = $1")
            .bind(owner)
            .fetch_optional(transaction)
            .await?;
        row.map_or(Ok(0), |row| number(row.try_get("version")?))
    }

    /// Takes the state away. A flow that is under way for it comes to nothing.
    pub(crate) async fn empty_state(
        &self,
        write: &mut Write,
        owner: &str,
    ) -> Result<(), VaultError> {
        write.changes(Change::State(owner.into()));
        self.overtake(write, owner).await?;
        sqlx::query("DELETE FROM states WHERE owner = $1")
            .bind(owner)
            .execute(&mut **write)
            .await?;
        Ok(())
    }

    /// The same where the owner goes as well.
    pub(crate) async fn end_owner(&self, write: &mut Write, owner: &str) -> Result<(), VaultError> {
        write.changes(Change::State(owner.into()));
        for statement in
            ["DELETE FROM states WHERE owner = $1", "DELETE FROM claims WHERE owner = $1"]
        {
            sqlx::query(statement).bind(owner).execute(&mut **write).await?;
        }
        Ok(())
    }

    /// The origins of its row are about to change: it goes along where it was given for all of them,
    /// and is forgotten otherwise. A flow that is under way for it comes to nothing.
    pub(crate) async fn rebind_state(
        &self,
        write: &mut Write,
        owner: &Owner,
        wanted: &[String],
    ) -> Result<(), VaultError> {
        if origins::cover(&owner.origins, wanted) {
            self.overtake(write, &owner.id).await?;
            return self.give_state_for(write, owner, wanted).await;
        }
        self.empty_state(write, &owner.id).await
    }

    /// Seals it anew for these origins, which somebody who may decide it has confirmed.
    pub(crate) async fn give_state_for(
        &self,
        write: &mut Write,
        owner: &Owner,
        wanted: &[String],
    ) -> Result<(), VaultError> {
        let row =
            sqlx::query("SELECT version AS state_version, state FROM states WHERE owner = $1")
                .bind(owner.id.as_str())
                .fetch_optional(&mut **write)
                .await?;
        let Some(closed) = row.as_ref().map(closed).transpose()?.flatten() else { return Ok(()) };
        let state = self.open_state(owner, &closed).await?;
        let owner = Owner {
            id: owner.id.clone(),
            parent: owner.parent.clone(),
            name: owner.name.clone(),
            origins: wanted.to_vec(),
        };
        self.write_state(write, &owner, state).await?;
        Ok(())
    }
}

impl Owner {
    pub(crate) fn seat<'a>(&'a self, version: &'a str) -> Seat<'a> {
        let row = vec![self.id.as_str(), &self.parent, &self.name, version];
        Seat { table: "states", column: "state", row, origins: &self.origins }
    }
}

impl Connection {
    /// The owner of what it shares.
    pub(crate) fn shared(&self) -> Owner {
        Owner {
            id: self.id.clone(),
            parent: self.provider.clone(),
            name: self.name.clone(),
            origins: self.origins.clone(),
        }
    }
}

impl Account {
    /// The owner of its state.
    pub(crate) fn owner(&self) -> Owner {
        Owner {
            id: self.id.clone(),
            parent: self.connection.clone(),
            name: self.identifier.clone(),
            origins: self.origins.clone(),
        }
    }
}

/// A row that has state, or may have.
struct Found {
    owner: Owner,
    version: u64,
    state: Option<ClosedState>,
}

/// The row of that name, unless the key says that it is another's. In one statement, so that the
/// state and what it is bound to are of one time.
async fn find(connection: &mut AnyConnection, key: &StateKey) -> Result<Option<Found>, VaultError> {
    // One database has one environment, which has no name.
    if !key.environment.is_empty() {
        return Ok(None);
    }
    let query = match &key.identifier {
        Some(identifier) => sqlx::query(
            "SELECT a.id, a.connection AS parent, a.identifier AS name, a.origins, a.version, \
             s.version AS state_version, s.state FROM accounts a \
             JOIN connections c ON c.id = a.connection LEFT JOIN states s ON s.owner = a.id \
             WHERE c.name = $1 AND a.identifier = $2",
        )
        .bind(key.connection.as_ref())
        .bind(identifier.as_ref()),
        None => sqlx::query(
            "SELECT c.id, c.provider AS parent, c.name, c.origins, c.version, \
             s.version AS state_version, s.state FROM connections c \
             LEFT JOIN states s ON s.owner = c.id WHERE c.name = $1",
        )
        .bind(key.connection.as_ref()),
    };
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    let owner = read_owner(&row)?;
    if key.row.as_ref().is_some_and(|row| *row.id != *owner.id) {
        return Ok(None);
    }
    Ok(Some(Found { owner, version: number(row.try_get("version")?)?, state: closed(&row)? }))
}

pub(crate) fn read_owner(row: &AnyRow) -> Result<Owner, VaultError> {
    Ok(Owner {
        id: row.try_get("id")?,
        parent: row.try_get("parent")?,
        name: row.try_get("name")?,
        origins: origins::read(row)?,
    })
}

pub(crate) fn closed(row: &AnyRow) -> Result<Option<ClosedState>, VaultError> {
    let version: Option<i64> = row.try_get("state_version")?;
    let sealed: Option<Vec<u8>> = row.try_get("state")?;
    let (Some(version), Some(sealed)) = (version, sealed) else { return Ok(None) };
    Ok(Some(ClosedState { version: number(version)?, sealed }))
}

/// JSON, in memory that is overwritten and never moved.
fn text(state: &State) -> Zeroizing<Vec<u8>> {
    let secrets: BTreeMap<_, _> =
        state.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose())).collect();
    // An escaped character takes six bytes at most.
    let length = |(name, text): (&str, &str)| 6 * (name.len() + text.len()) + 16;
    let attributes = state.attributes.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let pairs = secrets.iter().map(|(name, text)| (*name, *text)).chain(attributes);
    let room = 256 + pairs.map(length).sum::<usize>();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let written = Written {
        secrets,
        attributes: &state.attributes,
        renew_at: state.renew_at,
        expires_at: state.expires_at,
    };
    // Maps of texts: nothing in it can fail to be written.
    let _ = serde_json::to_writer(&mut *text, &written);
    text
}

fn out_of_reach(error: sqlx::Error) -> StoreError {
    VaultError::from(error).into()
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Overtaken { .. } => Self::Overtaken,
            error => Self::Unavailable(error.to_string()),
        }
    }
}
