//! Providers, and what a change of one means for the secrets under it.
//!
//! A payload is sealed too: nothing in it is secret, but it decides where secrets go.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::change::Change;
use crate::database::{changed, counted};
use crate::error::{Affected, VaultError};
use crate::page::{self, Statements};
use crate::record::{By, Listed, NewOrigins, Page, Provider, ProviderChange};
use crate::seal::Seat;
use crate::vault::SqlVault;
use crate::write::Write;
use crate::{number, origins};

const LIST: Statements = Statements {
    after: "SELECT * FROM providers WHERE ($1 = '' OR identifier = $1) AND id > $2 \
            ORDER BY id LIMIT $3",
    before: "SELECT * FROM providers WHERE ($1 = '' OR identifier = $1) AND id < $2 \
             ORDER BY id DESC LIMIT $3",
    count: "SELECT COUNT(*) AS total, COUNT(CASE WHEN id < $2 THEN 1 END) AS ahead \
            FROM providers WHERE ($1 = '' OR identifier = $1)",
};

const MISSING: VaultError = VaultError::Missing { what: "provider" };
const OVERTAKEN: VaultError = VaultError::Overtaken { what: "provider" };

/// A row whose payload is still sealed.
struct Closed {
    provider: Provider,
    payload: Vec<u8>,
}

/// What a provider's change means for what lies under it.
#[derive(Default)]
struct Consequences {
    affected: Affected,
    /// Each connection of the provider, and where its secrets go from now on.
    connections: BTreeMap<String, Vec<String>>,
    /// Each account that is affected, and its connection.
    accounts: Vec<(String, String)>,
}

/// Keeps providers. See the crate for what holds throughout.
#[async_trait]
pub trait Providers: Send + Sync {
    /// Keeps a new provider.
    async fn create_provider(
        &self,
        by: &By,
        identifier: &str,
        payload: &str,
    ) -> Result<Provider, VaultError>;

    /// One provider.
    async fn provider(&self, identifier: &str) -> Result<Option<Provider>, VaultError>;

    /// Providers, of one identifier where that is given.
    async fn providers(
        &self,
        identifier: Option<&str>,
        page: &Page,
    ) -> Result<Listed<Provider>, VaultError>;

    /// Changes a provider, and what the secrets under it are bound to, in one step.
    async fn update_provider(
        &self,
        by: &By,
        identifier: &str,
        change: &ProviderChange,
    ) -> Result<Provider, VaultError>;

    /// Removes a provider that no connection uses.
    async fn delete_provider(&self, by: &By, identifier: &str) -> Result<(), VaultError>;
}

#[async_trait]
impl Providers for SqlVault {
    async fn create_provider(
        &self,
        by: &By,
        identifier: &str,
        payload: &str,
    ) -> Result<Provider, VaultError> {
        let (id, now) = (self.new_id("prov")?, self.now());
        let sealed = self.keyring.seal(&seat(&id, identifier), payload.as_bytes())?;
        let mut write = self.write().await?;
        let written = sqlx::query(
            "INSERT INTO providers (identifier, id, version, payload, sealed_by, created_at, \
             updated_at) VALUES ($1, $2, 1, $3, $4, $5, $5) ON CONFLICT (identifier) DO NOTHING",
        )
        .bind(identifier)
        .bind(id)
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(now)
        .execute(&mut *write)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Exists { what: "provider" });
        }
        let closed = find(&mut write, identifier).await?.ok_or(MISSING)?;
        let provider = self.open_provider(closed).await?;
        self.note(&mut write, by, "provider.create", identifier).await?;
        write.commit(Change::Provider(identifier.into())).await?;
        Ok(provider)
    }

    async fn provider(&self, identifier: &str) -> Result<Option<Provider>, VaultError> {
        let found = {
            let mut connection = self.database.reads().acquire().await?;
            find(&mut connection, identifier).await?
        };
        match found {
            Some(closed) => self.open_provider(closed).await.map(Some),
            None => Ok(None),
        }
    }

    async fn providers(
        &self,
        identifier: Option<&str>,
        page: &Page,
    ) -> Result<Listed<Provider>, VaultError> {
        let filter = [identifier.unwrap_or_default()];
        let listed =
            page::list(self.database.reads(), &LIST, &filter, page, read, |it: &Closed| {
                &it.provider.id
            });
        let Listed { rows, total, has_previous, has_next } = listed.await?;
        let mut open = Vec::with_capacity(rows.len());
        for closed in rows {
            open.push(self.open_provider(closed).await?);
        }
        Ok(Listed { rows: open, total, has_previous, has_next })
    }

    async fn update_provider(
        &self,
        by: &By,
        identifier: &str,
        change: &ProviderChange,
    ) -> Result<Provider, VaultError> {
        let mut write = self.write().await?;
        let before = find(&mut write, identifier).await?.ok_or(MISSING)?;
        let consequences = consequences(&mut write, identifier, change).await?;
        match change.new_origins {
            _ if consequences.affected == Affected::default() => {}
            NewOrigins::Refuse => {
                return Err(VaultError::NewOrigins(Box::new(consequences.affected)));
            }
            NewOrigins::Confirm => self.give_for(&mut write, &consequences).await?,
            NewOrigins::Disconnect => self.disconnect(&mut write, &consequences).await?,
        }
        let seat = seat(&before.provider.id, identifier);
        let sealed = self.keyring.seal(&seat, change.payload.as_bytes())?;
        let written = sqlx::query(
            "UPDATE providers SET payload = $1, sealed_by = $2, version = version + 1, \
             updated_at = $3 WHERE identifier = $4 AND version = $5",
        )
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(self.now())
        .bind(identifier)
        .bind(i64::try_from(change.over).unwrap_or(i64::MAX))
        .execute(&mut *write)
        .await?;
        if written.rows_affected() == 0 {
            return Err(OVERTAKEN);
        }
        let closed = find(&mut write, identifier).await?.ok_or(MISSING)?;
        let after = self.open_provider(closed).await?;
        self.note(&mut write, by, "provider.update", identifier).await?;
        write.commit(Change::Provider(identifier.into())).await?;
        Ok(after)
    }

    async fn delete_provider(&self, by: &By, identifier: &str) -> Result<(), VaultError> {
        let mut write = self.write().await?;
        let users = "SELECT COUNT(*) AS users FROM connections WHERE provider = $1";
        let count = counted(&mut write, users, identifier).await?;
        if count > 0 {
            return Err(VaultError::InUse { what: "provider", count, by: "connections" });
        }
        let gone = "DELETE FROM providers WHERE identifier = $1";
        changed(&mut write, gone, identifier).await?.then_some(()).ok_or(MISSING)?;
        self.note(&mut write, by, "provider.delete", identifier).await?;
        write.commit(Change::Provider(identifier.into())).await
    }
}

impl SqlVault {
    async fn open_provider(&self, closed: Closed) -> Result<Provider, VaultError> {
        let Closed { provider, payload } = closed;
        let seat = seat(&provider.id, &provider.identifier);
        let payload = self.keyring.open_text(&seat, &payload).await?.expose().to_owned();
        Ok(Provider { payload, ..provider })
    }

    /// Seals anew, for the new origins, whatever was given for fewer.
    async fn give_for(
        &self,
        write: &mut Write,
        consequences: &Consequences,
    ) -> Result<(), VaultError> {
        for (connection, wanted) in &consequences.connections {
            self.rebind_connection(write, connection, wanted).await?;
        }
        for (account, connection) in &consequences.accounts {
            let wanted = &consequences.connections[connection];
            self.rebind_account(write, account, wanted).await?;
        }
        Ok(())
    }

    /// The accounts wait for their holders, and flows that are under way for them come to nothing.
    /// Their secrets stay bound to what they were given for, so that they do not open for more.
    async fn disconnect(
        &self,
        write: &mut Write,
        consequences: &Consequences,
    ) -> Result<(), VaultError> {
        for (account, _) in &consequences.accounts {
            sqlx::query(
                "UPDATE accounts SET status = 'PENDING_AUTH', version = version + 1, \
                 updated_at = $1 WHERE id = $2",
            )
            .bind(self.now())
            .bind(account.as_str())
            .execute(&mut **write)
            .await?;
            write.changes(Change::Account(account.as_str().into()));
            self.empty_state(write, account).await?;
        }
        Ok(())
    }
}

/// A connection that the change does not know of was made meanwhile.
async fn consequences(
    transaction: &mut AnyConnection,
    identifier: &str,
    change: &ProviderChange,
) -> Result<Consequences, VaultError> {
    let rows = sqlx::query("SELECT id, name, origins FROM connections WHERE provider = $1")
        .bind(identifier)
        .fetch_all(&mut *transaction)
        .await?;
    let mut consequences = Consequences::default();
    for row in rows {
        let id: String = row.try_get("id")?;
        let name: String = row.try_get("name")?;
        let wanted = change.origins.get(&id).ok_or(OVERTAKEN)?;
        if !origins::cover(&origins::read(&row)?, wanted) {
            consequences.affected.connections.push(name.clone());
        }
        let accounts = "SELECT id, identifier, origins FROM accounts WHERE connection = $1";
        for row in sqlx::query(accounts).bind(id.as_str()).fetch_all(&mut *transaction).await? {
            if !origins::cover(&origins::read(&row)?, wanted) {
                let account: String = row.try_get("identifier")?;
                consequences.affected.accounts.push((name.clone(), account));
                consequences.accounts.push((row.try_get("id")?, id.clone()));
            }
        }
        consequences.connections.insert(id, wanted.clone());
    }
    Ok(consequences)
}

/// Refuses what was read from another version of the provider than there is now.
pub(crate) async fn same_version(
    transaction: &mut AnyConnection,
    identifier: &str,
    version: u64,
) -> Result<(), VaultError> {
    let row = sqlx::query("SELECT version FROM providers WHERE identifier = $1")
        .bind(identifier)
        .fetch_optional(transaction)
        .await?;
    let found: u64 = number(row.ok_or(MISSING)?.try_get("version")?)?;
    if found == version { Ok(()) } else { Err(OVERTAKEN) }
}

pub(crate) fn seat<'a>(id: &'a str, identifier: &'a str) -> Seat<'a> {
    Seat { table: "providers", column: "payload", row: vec![id, identifier], origins: &[] }
}

async fn find(
    connection: &mut AnyConnection,
    identifier: &str,
) -> Result<Option<Closed>, VaultError> {
    let row = sqlx::query("SELECT * FROM providers WHERE identifier = $1")
        .bind(identifier)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Closed, VaultError> {
    let provider = Provider {
        id: row.try_get("id")?,
        identifier: row.try_get("identifier")?,
        version: number(row.try_get("version")?)?,
        payload: String::new(),
        created_at: number(row.try_get("created_at")?)?,
        updated_at: number(row.try_get("updated_at")?)?,
    };
    Ok(Closed { provider, payload: row.try_get("payload")? })
}
