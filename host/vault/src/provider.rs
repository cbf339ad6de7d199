//! Providers, and what a change of one means for the secrets under it.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::error::{Affected, VaultError};
use crate::number;
use crate::origins;
use crate::page::{self, Statements};
use crate::record::{By, Listed, NewOrigins, Page, Provider, ProviderChange};
use crate::vault::SqlVault;

const LIST: Statements = Statements {
    after: "SELECT * FROM providers WHERE ($1 = '' OR identifier = $1) AND id > $2 \
            ORDER BY id LIMIT $3",
    before: "SELECT * FROM providers WHERE ($1 = '' OR identifier = $1) AND id < $2 \
             ORDER BY id DESC LIMIT $3",
    count: "SELECT COUNT(*) AS total, COUNT(CASE WHEN id < $2 THEN 1 END) AS ahead \
            FROM providers WHERE ($1 = '' OR identifier = $1)",
};

const MISSING: VaultError = VaultError::Missing { what: "provider" };

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
        let mut transaction = self.database.begin().await?;
        let written = sqlx::query(
            "INSERT INTO providers (identifier, id, version, payload, created_at, updated_at) \
             VALUES ($1, $2, 1, $3, $4, $4) ON CONFLICT (identifier) DO NOTHING",
        )
        .bind(identifier)
        .bind(id)
        .bind(payload)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Exists { what: "provider" });
        }
        let provider = find(&mut transaction, identifier).await?.ok_or(MISSING)?;
        self.note(&mut transaction, by, "provider.create", identifier).await?;
        transaction.commit().await?;
        Ok(provider)
    }

    async fn provider(&self, identifier: &str) -> Result<Option<Provider>, VaultError> {
        find(&mut *self.database.reads().acquire().await?, identifier).await
    }

    async fn providers(
        &self,
        identifier: Option<&str>,
        page: &Page,
    ) -> Result<Listed<Provider>, VaultError> {
        let filter = [identifier.unwrap_or_default()];
        page::list(self.database.reads(), &LIST, &filter, page, read, |it| &it.id).await
    }

    async fn update_provider(
        &self,
        by: &By,
        identifier: &str,
        change: &ProviderChange,
    ) -> Result<Provider, VaultError> {
        let mut transaction = self.database.begin().await?;
        let before = find(&mut transaction, identifier).await?.ok_or(MISSING)?;
        if before.version != change.over {
            return Err(VaultError::Overtaken { what: "provider" });
        }
        let affected = self.affected(&mut transaction, identifier, change).await?;
        match change.new_origins {
            _ if affected == Affected::default() => {}
            NewOrigins::Refuse => return Err(VaultError::NewOrigins(Box::new(affected))),
            NewOrigins::Confirm => self.give_for(&mut transaction, change).await?,
            NewOrigins::Disconnect => disconnect(&mut transaction, change, self.now()).await?,
        }
        sqlx::query(
            "UPDATE providers SET payload = $1, version = version + 1, updated_at = $2 \
             WHERE identifier = $3",
        )
        .bind(change.payload.as_str())
        .bind(self.now())
        .bind(identifier)
        .execute(&mut *transaction)
        .await?;
        let after = find(&mut transaction, identifier).await?.ok_or(MISSING)?;
        self.note(&mut transaction, by, "provider.update", identifier).await?;
        transaction.commit().await?;
        Ok(after)
    }

    async fn delete_provider(&self, by: &By, identifier: &str) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        let users = sqlx::query("SELECT COUNT(*) AS users FROM connections WHERE provider = $1")
            .bind(identifier)
            .fetch_one(&mut *transaction)
            .await?;
        let count: u64 = number(users.try_get("users")?)?;
        if count > 0 {
            return Err(VaultError::InUse { what: "provider", count, by: "connections" });
        }
        let gone = sqlx::query("DELETE FROM providers WHERE identifier = $1")
            .bind(identifier)
            .execute(&mut *transaction)
            .await?;
        if gone.rows_affected() == 0 {
            return Err(MISSING);
        }
        self.note(&mut transaction, by, "provider.delete", identifier).await?;
        Ok(transaction.commit().await?)
    }
}

impl SqlVault {
    /// Whose secrets would go to origins that they were not given for. A connection that the change
    /// does not know of was made meanwhile.
    async fn affected(
        &self,
        transaction: &mut AnyConnection,
        identifier: &str,
        change: &ProviderChange,
    ) -> Result<Affected, VaultError> {
        let rows = sqlx::query("SELECT id, name, origins FROM connections WHERE provider = $1")
            .bind(identifier)
            .fetch_all(&mut *transaction)
            .await?;
        let mut affected = Affected::default();
        for row in rows {
            let id: String = row.try_get("id")?;
            let name: String = row.try_get("name")?;
            let Some(wanted) = change.origins.get(&id) else {
                return Err(VaultError::Overtaken { what: "provider" });
            };
            if !origins::cover(&origins::read(&row)?, wanted) {
                affected.connections.push(name.clone());
            }
            let accounts = "SELECT identifier, origins FROM accounts WHERE connection = $1";
            for row in sqlx::query(accounts).bind(id).fetch_all(&mut *transaction).await? {
                if !origins::cover(&origins::read(&row)?, wanted) {
                    affected.accounts.push((name.clone(), row.try_get("identifier")?));
                }
            }
        }
        Ok(affected)
    }

    /// Seals anew, for the new origins, whatever was given for fewer.
    async fn give_for(
        &self,
        transaction: &mut AnyConnection,
        change: &ProviderChange,
    ) -> Result<(), VaultError> {
        for (connection, wanted) in &change.origins {
            self.rebind_connection(transaction, connection, wanted).await?;
            let accounts = sqlx::query("SELECT id FROM accounts WHERE connection = $1")
                .bind(connection.as_str())
                .fetch_all(&mut *transaction)
                .await?;
            for row in accounts {
                self.rebind_account(transaction, row.try_get("id")?, wanted).await?;
            }
        }
        Ok(())
    }
}

/// The accounts wait for their holders. Their secrets stay bound to what they were given for, and so
/// are of no use until they are given again.
async fn disconnect(
    transaction: &mut AnyConnection,
    change: &ProviderChange,
    now: i64,
) -> Result<(), VaultError> {
    for (connection, wanted) in &change.origins {
        let accounts = sqlx::query("SELECT id, origins FROM accounts WHERE connection = $1")
            .bind(connection.as_str())
            .fetch_all(&mut *transaction)
            .await?;
        for row in accounts {
            if origins::cover(&origins::read(&row)?, wanted) {
                continue;
            }
            sqlx::query(
                "UPDATE accounts SET status = 'PENDING_AUTH', version = version + 1, \
                 updated_at = $1 WHERE id = $2",
            )
            .bind(now)
            .bind(row.try_get::<String, _>("id")?)
            .execute(&mut *transaction)
            .await?;
        }
    }
    Ok(())
}

pub(crate) async fn find(
    connection: &mut AnyConnection,
    identifier: &str,
) -> Result<Option<Provider>, VaultError> {
    let row = sqlx::query("SELECT * FROM providers WHERE identifier = $1")
        .bind(identifier)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Provider, VaultError> {
    Ok(Provider {
        id: row.try_get("id")?,
        identifier: row.try_get("identifier")?,
        version: number(row.try_get("version")?)?,
        payload: row.try_get("payload")?,
        created_at: number(row.try_get("created_at")?)?,
        updated_at: number(row.try_get("updated_at")?)?,
    })
}
