//! Connected accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::account::State;
use countersign::secret::Secret;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::change::Change;
use crate::database::changed;
use crate::error::VaultError;
use crate::page::{self, Statements};
use crate::record::{
    Account, AccountChange, AccountFilter, By, Given, Listed, NewAccount, Page, StateChange,
};
use crate::seal::Seat;
use crate::vault::SqlVault;
use crate::write::Write;
use crate::{number, origins, provider, state};

/// What every statement reads; `state` and `details` only where they are opened.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.connection, c.name, c.provider, a.identifier, a.version, a.status, \
             a.auth_type, a.origins, s.expires_at, a.created_at, a.updated_at, a.last_used_at \
             FROM accounts a JOIN connections c ON c.id = a.connection \
             LEFT JOIN states s ON s.owner = a.id ",
            $rest
        )
    };
}

// `$1` is a JSON list, which a text holds as `"name"`.
const LIST: Statements = Statements {
    after: select!(
        "WHERE ($1 = '' OR REPLACE($1, '\"' || c.name || '\"', '') <> $1) \
         AND ($2 = '' OR c.provider = $2) AND ($3 = '' OR a.identifier = $3) \
         AND ($4 = '' OR LOWER(a.identifier) LIKE $4 ESCAPE '\\') AND a.id > $5 \
         ORDER BY a.id LIMIT $6"
    ),
    before: select!(
        "WHERE ($1 = '' OR REPLACE($1, '\"' || c.name || '\"', '') <> $1) \
         AND ($2 = '' OR c.provider = $2) AND ($3 = '' OR a.identifier = $3) \
         AND ($4 = '' OR LOWER(a.identifier) LIKE $4 ESCAPE '\\') AND a.id < $5 \
         ORDER BY a.id DESC LIMIT $6"
    ),
    count: "SELECT COUNT(*) AS total, COUNT(CASE WHEN a.id < $5 THEN 1 END) AS ahead \
            FROM accounts a JOIN connections c ON c.id = a.connection \
            WHERE ($1 = '' OR REPLACE($1, '\"' || c.name || '\"', '') <> $1) \
            AND ($2 = '' OR c.provider = $2) AND ($3 = '' OR a.identifier = $3) \
            AND ($4 = '' OR LOWER(a.identifier) LIKE $4 ESCAPE '\\')",
};

const MISSING: VaultError = VaultError::Missing { what: "account" };

/// In milliseconds.
const MINUTE: u64 = 60_000;

/// Ids that one statement names; databases take some ten thousand parameters.
const MOST_NAMED: usize = 1000;

/// Keeps connected accounts. See the crate for what holds throughout.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Keeps a new account.
    async fn create_account(&self, by: &By, new: &NewAccount) -> Result<Account, VaultError>;

    /// One account, by its id.
    async fn account(&self, id: &str) -> Result<Option<Account>, VaultError>;

    /// One account, by its connection's name and its identifier.
    async fn account_named(
        &self,
        connection: &str,
        identifier: &str,
    ) -> Result<Option<Account>, VaultError>;

    /// What the account's holder typed, JSON text, and its state, for use at `wanted`. `None` where
    /// the account is gone or has another version.
    async fn details(
        &self,
        account: &Account,
        wanted: &[String],
    ) -> Result<Option<(Secret, Option<Arc<State>>)>, VaultError>;

    /// Accounts.
    async fn accounts(
        &self,
        filter: &AccountFilter,
        page: &Page,
    ) -> Result<Listed<Account>, VaultError>;

    /// Changes an account.
    async fn update_account(
        &self,
        by: &By,
        id: &str,
        change: &AccountChange,
    ) -> Result<Account, VaultError>;

    /// Notes for each account, by its id, when a request last went out for it, in Unix milliseconds.
    /// That is kept to the minute, and only ever goes forward; it counts as no change of the account.
    async fn used(&self, used: &[(String, u64)]) -> Result<(), VaultError>;

    /// Removes an account and its state.
    async fn delete_account(&self, by: &By, id: &str) -> Result<(), VaultError>;
}

#[async_trait]
impl Accounts for SqlVault {
    async fn create_account(&self, by: &By, new: &NewAccount) -> Result<Account, VaultError> {
        let (id, now) = (self.new_id("ca")?, self.now());
        let Given { document, origins: given, provider_version } = &new.details;
        let mut write = self.write().await?;
        let connection = sqlx::query("SELECT provider FROM connections WHERE id = $1")
            .bind(new.connection.as_str())
            .fetch_optional(&mut *write)
            .await?;
        let connection = connection.ok_or(VaultError::Missing { what: "connection" })?;
        let provider: String = connection.try_get("provider")?;
        provider::same_version(&mut write, &provider, *provider_version).await?;
        let seat = seat(&id, &new.connection, &new.identifier, given);
        let sealed = self.keyring.seal(&seat, document.expose().as_bytes())?;
        let written = sqlx::query(
            "INSERT INTO accounts (id, connection, identifier, version, status, auth_type, \
             origins, details, sealed_by, created_at, updated_at) \
             VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $9) \
             ON CONFLICT (connection, identifier) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(new.connection.as_str())
        .bind(new.identifier.as_str())
        .bind(new.status.as_str())
        .bind(new.auth_type.as_str())
        .bind(origins::text(given))
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(now)
        .execute(&mut *write)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Exists { what: "account" });
        }
        if let Some(state) = &new.state {
            let owner = find(&mut write, &id).await?.ok_or(MISSING)?.owner();
            self.write_state(&mut write, &owner, state.clone()).await?;
        }
        let account = find(&mut write, &id).await?.ok_or(MISSING)?;
        self.note(&mut write, by, "account.create", &id).await?;
        write.commit(Change::Account(id.into())).await?;
        Ok(account)
    }

    async fn account(&self, id: &str) -> Result<Option<Account>, VaultError> {
        find(&mut *self.database.reads().acquire().await?, id).await
    }

    async fn account_named(
        &self,
        connection: &str,
        identifier: &str,
    ) -> Result<Option<Account>, VaultError> {
        let row = sqlx::query(select!("WHERE c.name = $1 AND a.identifier = $2"))
            .bind(connection)
            .bind(identifier)
            .fetch_optional(self.database.reads())
            .await?;
        row.as_ref().map(read).transpose()
    }

    async fn details(
        &self,
        account: &Account,
        wanted: &[String],
    ) -> Result<Option<(Secret, Option<Arc<State>>)>, VaultError> {
        // In one statement, so that what is sealed and what it is bound to are of one time.
        let row = sqlx::query(
            "SELECT a.id, a.connection AS parent, a.identifier AS name, a.origins, a.details, \
             s.version AS state_version, s.state FROM accounts a \
             LEFT JOIN states s ON s.owner = a.id WHERE a.id = $1 AND a.version = $2",
        )
        .bind(account.id.as_str())
        .bind(i64::try_from(account.version).unwrap_or(i64::MAX))
        .fetch_optional(self.database.reads())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let owner = state::read_owner(&row)?;
        if !origins::cover(&owner.origins, wanted) {
            return Err(VaultError::NotGiven { what: "account" });
        }
        let sealed: Vec<u8> = row.try_get("details")?;
        let seat = seat(&owner.id, &owner.parent, &owner.name, &owner.origins);
        let details = self.keyring.open_text(&seat, &sealed).await?;
        let state = match state::closed(&row)? {
            Some(closed) => Some(Arc::new(self.open_state(&owner, &closed).await?)),
            None => None,
        };
        Ok(Some((details, state)))
    }

    async fn accounts(
        &self,
        filter: &AccountFilter,
        page: &Page,
    ) -> Result<Listed<Account>, VaultError> {
        let connections = match filter.connections.as_slice() {
            [] => String::new(),
            names => serde_json::Value::from(names).to_string(),
        };
        let query = page::anywhere(filter.query.as_deref());
        let filter = [
            connections.as_str(),
            filter.provider.as_deref().unwrap_or_default(),
            filter.identifier.as_deref().unwrap_or_default(),
            &query,
        ];
        page::list(self.database.reads(), &LIST, &filter, page, read, |it| &it.id).await
    }

    async fn update_account(
        &self,
        by: &By,
        id: &str,
        change: &AccountChange,
    ) -> Result<Account, VaultError> {
        let mut write = self.write().await?;
        let before = find(&mut write, id).await?.ok_or(MISSING)?;
        if let Some(over) = change.over_state
            && self.state_version(&mut write, id).await? != over
        {
            return Err(VaultError::Overtaken { what: "state" });
        }
        let mut owner = before.owner();
        if let Some(Given { document, origins: given, provider_version }) = &change.details {
            provider::same_version(&mut write, &before.provider, *provider_version).await?;
            self.rebind_state(&mut write, &owner, given).await?;
            self.write_details(&mut write, &before, document, given).await?;
            owner.origins.clone_from(given);
        }
        match &change.state {
            StateChange::Keep => {}
            StateChange::Forget => self.empty_state(&mut write, id).await?,
            StateChange::Replace(state) => {
                self.overtake(&mut write, id).await?;
                self.write_state(&mut write, &owner, state.clone()).await?;
            }
        }
        let written = sqlx::query(
            "UPDATE accounts SET status = $1, version = version + 1, updated_at = $2 \
             WHERE id = $3 AND version = $4",
        )
        .bind(change.status.unwrap_or(before.status).as_str())
        .bind(self.now())
        .bind(id)
        .bind(i64::try_from(change.over).unwrap_or(i64::MAX))
        .execute(&mut *write)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Overtaken { what: "account" });
        }
        let after = find(&mut write, id).await?.ok_or(MISSING)?;
        self.note(&mut write, by, "account.update", id).await?;
        write.commit(Change::Account(id.into())).await?;
        Ok(after)
    }

    async fn used(&self, used: &[(String, u64)]) -> Result<(), VaultError> {
        let mut minutes = BTreeMap::<u64, Vec<&str>>::new();
        for (id, at) in used {
            minutes.entry(at - at % MINUTE).or_default().push(id);
        }
        let mut transaction = self.database.begin_unseen().await?;
        for (minute, ids) in &minutes {
            for ids in ids.chunks(MOST_NAMED) {
                let statement = used_statement(ids.len());
                let at = i64::try_from(*minute).unwrap_or(i64::MAX);
                let query = sqlx::query(AssertSqlSafe(statement)).bind(at);
                let query = ids.iter().fold(query, |query, id| query.bind(*id));
                query.execute(&mut *transaction).await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    async fn delete_account(&self, by: &By, id: &str) -> Result<(), VaultError> {
        let mut write = self.write().await?;
        self.end_owner(&mut write, id).await?;
        let gone = "DELETE FROM accounts WHERE id = $1";
        changed(&mut write, gone, id).await?.then_some(()).ok_or(MISSING)?;
        self.note(&mut write, by, "account.delete", id).await?;
        write.commit(Change::Account(id.into())).await
    }
}

/// Sets the first parameter for so many accounts, whose ids follow. One statement for all: each costs
/// several times what its row does.
fn used_statement(ids: usize) -> String {
    let names: Vec<String> = (2..ids + 2).map(|nth| format!("${nth}")).collect();
    format!(
        "UPDATE accounts SET last_used_at = $1 \
         WHERE id IN ({}) AND (last_used_at IS NULL OR last_used_at < $1)",
        names.join(", ")
    )
}

impl SqlVault {
    /// Seals details and state anew for these origins, where they were given for fewer.
    pub(crate) async fn rebind_account(
        &self,
        write: &mut Write,
        id: &str,
        wanted: &[String],
    ) -> Result<(), VaultError> {
        let account = find(write, id).await?.ok_or(MISSING)?;
        if origins::cover(&account.origins, wanted) {
            return Ok(());
        }
        let row = sqlx::query("SELECT details FROM accounts WHERE id = $1")
            .bind(id)
            .fetch_one(&mut **write)
            .await?;
        let sealed: Vec<u8> = row.try_get("details")?;
        let seat = seat(id, &account.connection, &account.identifier, &account.origins);
        let details = self.keyring.open_text(&seat, &sealed).await?;
        self.give_state_for(write, &account.owner(), wanted).await?;
        self.write_details(write, &account, &details, wanted).await?;
        sqlx::query("UPDATE accounts SET version = version + 1, updated_at = $1 WHERE id = $2")
            .bind(self.now())
            .bind(id)
            .execute(&mut **write)
            .await?;
        Ok(())
    }

    async fn write_details(
        &self,
        write: &mut Write,
        account: &Account,
        details: &Secret,
        given: &[String],
    ) -> Result<(), VaultError> {
        write.changes(Change::Account(account.id.as_str().into()));
        let seat = seat(&account.id, &account.connection, &account.identifier, given);
        let sealed = self.keyring.seal(&seat, details.expose().as_bytes())?;
        sqlx::query("UPDATE accounts SET details = $1, sealed_by = $2, origins = $3 WHERE id = $4")
            .bind(sealed.bytes)
            .bind(sealed.by)
            .bind(origins::text(given))
            .bind(account.id.as_str())
            .execute(&mut **write)
            .await?;
        Ok(())
    }
}

pub(crate) fn seat<'a>(
    id: &'a str,
    connection: &'a str,
    identifier: &'a str,
    origins: &'a [String],
) -> Seat<'a> {
    Seat { table: "accounts", column: "details", row: vec![id, connection, identifier], origins }
}

async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Account>, VaultError> {
    let row = sqlx::query(select!("WHERE a.id = $1")).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Account, VaultError> {
    let time = |column: &str| -> Result<Option<u64>, VaultError> {
        row.try_get::<Option<i64>, _>(column)?.map(number).transpose()
    };
    let status: String = row.try_get("status")?;
    Ok(Account {
        id: row.try_get("id")?,
        connection: row.try_get("connection")?,
        connection_name: row.try_get("name")?,
        provider: row.try_get("provider")?,
        identifier: row.try_get("identifier")?,
        version: number(row.try_get("version")?)?,
        status: status
            .parse()
            .map_err(|_| VaultError::Unavailable("a status is none".to_owned()))?,
        auth_type: row.try_get("auth_type")?,
        origins: origins::read(row)?,
        expires_at: time("expires_at")?,
        created_at: number(row.try_get("created_at")?)?,
        updated_at: number(row.try_get("updated_at")?)?,
        last_used_at: time("last_used_at")?,
    })
}
