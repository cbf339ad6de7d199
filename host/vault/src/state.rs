//! What flows have learnt: the library's [`Store`], kept.
//!
//! State lies under the origins of the row that it belongs to, the account's or the connection's.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::account::State;
use countersign::secret::Secret;
use countersign::store::{Claim, StateKey, Store, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row as _};
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::seal::Seat;
use crate::vault::SqlVault;
use crate::{number, origins};

/// Whom state belongs to: an account or a connection, by its id, with its origins.
struct Owner {
    id: String,
    origins: Vec<String>,
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
        let mut connection = self.database.reads().acquire().await.map_err(out_of_reach)?;
        let Some(owner) = owner(&mut connection, key).await? else { return Ok(None) };
        Ok(self.state_of(&mut connection, &owner.id, &owner.origins).await?.map(Arc::new))
    }

    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError> {
        let owner = {
            let mut connection = self.database.reads().acquire().await.map_err(out_of_reach)?;
            owner(&mut connection, key).await?
        };
        let owner = owner.ok_or_else(|| StoreError::Unavailable("it is gone".to_owned()))?;
        Ok(self.claim_of(owner.id).await?)
    }

    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError> {
        let mut transaction = self.database.begin().await?;
        let owner = owner(&mut transaction, key).await?.ok_or(StoreError::Overtaken)?;
        if self.fence_of(&mut transaction, &owner.id).await? != claim.fence() {
            return Err(StoreError::Overtaken);
        }
        let before = self.state_of(&mut transaction, &owner.id, &owner.origins).await?;
        if before.map_or(0, |state| state.version) != over {
            return Err(StoreError::Overtaken);
        }
        let state = State { version: over + 1, ..state };
        self.write_state(&mut transaction, &owner.id, &owner.origins, &state).await?;
        transaction.commit().await.map_err(out_of_reach)?;
        Ok(Arc::new(state))
    }
}

impl SqlVault {
    pub(crate) async fn state_of(
        &self,
        connection: &mut AnyConnection,
        owner: &str,
        origins: &[String],
    ) -> Result<Option<State>, VaultError> {
        let row = sqlx::query("SELECT version, state FROM states WHERE owner = $1")
            .bind(owner)
            .fetch_optional(connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get("state")?;
        let text = self.keyring.open_sealed(seat(owner, origins), &sealed).await?;
        let damaged = |_| VaultError::Damaged { table: "states", row: owner.to_owned() };
        let Read { secrets, attributes, renew_at, expires_at } =
            serde_json::from_slice(&text).map_err(damaged)?;
        let version = number(row.try_get("version")?)?;
        Ok(Some(State { secrets, attributes, renew_at, expires_at, version }))
    }

    /// Replaces what there is, whatever its version.
    pub(crate) async fn write_state(
        &self,
        connection: &mut AnyConnection,
        owner: &str,
        origins: &[String],
        state: &State,
    ) -> Result<(), VaultError> {
        let sealed = self.keyring.seal(seat(owner, origins), &text(state))?;
        let [renew_at, expires_at] = [state.renew_at, state.expires_at]
            .map(|time| time.map(|time| i64::try_from(time).unwrap_or(i64::MAX)));
        sqlx::query(
            "INSERT INTO states (owner, version, state, sealed_by, renew_at, expires_at, \
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (owner) DO UPDATE SET version = $2, state = $3, sealed_by = $4, \
             renew_at = $5, expires_at = $6, updated_at = $7",
        )
        .bind(owner)
        .bind(i64::try_from(state.version).unwrap_or(i64::MAX))
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(renew_at)
        .bind(expires_at)
        .bind(self.now())
        .execute(connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn forget_state(
        &self,
        connection: &mut AnyConnection,
        owner: &str,
    ) -> Result<(), VaultError> {
        for statement in
            ["DELETE FROM states WHERE owner = $1", "DELETE FROM claims WHERE owner = $1"]
        {
            sqlx::query(statement).bind(owner).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// The origins of its row have changed: it goes along where it was given for all of them, and
    /// is forgotten otherwise.
    pub(crate) async fn rebind_state(
        &self,
        connection: &mut AnyConnection,
        owner: &str,
        given: &[String],
        wanted: &[String],
    ) -> Result<(), VaultError> {
        if origins::cover(given, wanted) {
            return self.give_state_for(connection, owner, given, wanted).await;
        }
        sqlx::query("DELETE FROM states WHERE owner = $1").bind(owner).execute(connection).await?;
        Ok(())
    }

    /// Seals it anew for these origins, which somebody who may decide it has confirmed.
    pub(crate) async fn give_state_for(
        &self,
        connection: &mut AnyConnection,
        owner: &str,
        given: &[String],
        wanted: &[String],
    ) -> Result<(), VaultError> {
        match self.state_of(connection, owner, given).await? {
            Some(state) => self.write_state(connection, owner, wanted, &state).await,
            None => Ok(()),
        }
    }
}

async fn owner(
    connection: &mut AnyConnection,
    key: &StateKey,
) -> Result<Option<Owner>, VaultError> {
    let query = match &key.identifier {
        Some(identifier) => sqlx::query(
            "SELECT a.id, a.origins FROM accounts a JOIN connections c ON c.id = a.connection \
             WHERE c.name = $1 AND a.identifier = $2",
        )
        .bind(key.connection.as_str())
        .bind(identifier.as_str()),
        None => sqlx::query("SELECT id, origins FROM connections WHERE name = $1")
            .bind(key.connection.as_str()),
    };
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    Ok(Some(Owner { id: row.try_get("id")?, origins: origins::read(&row)? }))
}

fn seat<'a>(owner: &'a str, origins: &'a [String]) -> Seat<'a> {
    Seat { table: "states", row: owner, column: "state", origins }
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
