//! Connections.

use async_trait::async_trait;
use countersign::secret::Secret;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::error::VaultError;
use crate::page::{self, Statements};
use crate::record::{
    By, Connection, ConnectionChange, ConnectionFilter, Listed, NewConnection, Page,
};
use crate::seal::Seat;
use crate::vault::SqlVault;
use crate::{number, origins, provider};

const LIST: Statements = Statements {
    after: "SELECT * FROM connections WHERE ($1 = '' OR provider = $1) \
            AND ($2 = '' OR LOWER(name) LIKE $2 ESCAPE '\\') AND id > $3 ORDER BY id LIMIT $4",
    before: "SELECT * FROM connections WHERE ($1 = '' OR provider = $1) \
             AND ($2 = '' OR LOWER(name) LIKE $2 ESCAPE '\\') AND id < $3 \
             ORDER BY id DESC LIMIT $4",
    count: "SELECT COUNT(*) AS total, COUNT(CASE WHEN id < $3 THEN 1 END) AS ahead \
            FROM connections WHERE ($1 = '' OR provider = $1) \
            AND ($2 = '' OR LOWER(name) LIKE $2 ESCAPE '\\')",
};

const MISSING: VaultError = VaultError::Missing { what: "connection" };

/// A row whose settings are still sealed.
struct Closed {
    connection: Connection,
    settings: Vec<u8>,
}

/// Keeps connections. See the crate for what holds throughout.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Keeps a new connection.
    async fn create_connection(
        &self,
        by: &By,
        new: &NewConnection,
    ) -> Result<Connection, VaultError>;

    /// One connection, by its id.
    async fn connection(&self, id: &str) -> Result<Option<Connection>, VaultError>;

    /// One connection, by its name.
    async fn connection_named(&self, name: &str) -> Result<Option<Connection>, VaultError>;

    /// Connections.
    async fn connections(
        &self,
        filter: &ConnectionFilter,
        page: &Page,
    ) -> Result<Listed<Connection>, VaultError>;

    /// Changes a connection.
    async fn update_connection(
        &self,
        by: &By,
        id: &str,
        change: &ConnectionChange,
    ) -> Result<Connection, VaultError>;

    /// Removes a connection that has no account, and what it shared.
    async fn delete_connection(&self, by: &By, id: &str) -> Result<(), VaultError>;
}

#[async_trait]
impl Connections for SqlVault {
    async fn create_connection(
        &self,
        by: &By,
        new: &NewConnection,
    ) -> Result<Connection, VaultError> {
        let (id, now) = (self.new_id("conn")?, self.now());
        let sealed =
            self.keyring.seal(seat(&id, &new.origins), new.settings.expose().as_bytes())?;
        let mut transaction = self.database.begin().await?;
        let provider = provider::find(&mut transaction, &new.provider).await?;
        let provider = provider.ok_or(VaultError::Missing { what: "provider" })?;
        if provider.version != new.provider_version {
            return Err(VaultError::Overtaken { what: "provider" });
        }
        let written = sqlx::query(
            "INSERT INTO connections (id, name, provider, version, enabled, origins, settings, \
             sealed_by, created_at, updated_at) VALUES ($1, $2, $3, 1, 1, $4, $5, $6, $7, $7) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(new.name.as_str())
        .bind(new.provider.as_str())
        .bind(origins::text(&new.origins))
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Exists { what: "connection" });
        }
        let connection = find(&mut transaction, &id).await?.ok_or(MISSING)?;
        self.note(&mut transaction, by, "connection.create", &new.name).await?;
        transaction.commit().await?;
        self.open_connection(connection).await
    }

    async fn connection(&self, id: &str) -> Result<Option<Connection>, VaultError> {
        match find(&mut *self.database.reads().acquire().await?, id).await? {
            Some(closed) => self.open_connection(closed).await.map(Some),
            None => Ok(None),
        }
    }

    async fn connection_named(&self, name: &str) -> Result<Option<Connection>, VaultError> {
        let row = sqlx::query("SELECT * FROM connections WHERE name = $1")
            .bind(name)
            .fetch_optional(self.database.reads())
            .await?;
        match row.as_ref().map(read).transpose()? {
            Some(closed) => self.open_connection(closed).await.map(Some),
            None => Ok(None),
        }
    }

    async fn connections(
        &self,
        filter: &ConnectionFilter,
        page: &Page,
    ) -> Result<Listed<Connection>, VaultError> {
        let query = page::anywhere(filter.query.as_deref());
        let filter = [filter.provider.as_deref().unwrap_or_default(), &query];
        let reads = self.database.reads();
        let listed =
            page::list(reads, &LIST, &filter, page, read, |it: &Closed| &it.connection.id).await?;
        let Listed { rows, total, has_previous, has_next } = listed;
        let mut open = Vec::with_capacity(rows.len());
        for closed in rows {
            open.push(self.open_connection(closed).await?);
        }
        Ok(Listed { rows: open, total, has_previous, has_next })
    }

    async fn update_connection(
        &self,
        by: &By,
        id: &str,
        change: &ConnectionChange,
    ) -> Result<Connection, VaultError> {
        let mut transaction = self.database.begin().await?;
        let before = find(&mut transaction, id).await?.ok_or(MISSING)?;
        if before.connection.version != change.over {
            return Err(VaultError::Overtaken { what: "connection" });
        }
        if let Some((settings, given)) = &change.settings {
            self.write_settings(&mut transaction, id, settings, given).await?;
            let old = &before.connection.origins;
            self.rebind_state(&mut transaction, id, old, given).await?;
        }
        let enabled = change.enabled.unwrap_or(before.connection.enabled);
        sqlx::query(
            "UPDATE connections SET enabled = $1, version = version + 1, updated_at = $2 \
             WHERE id = $3",
        )
        .bind(i64::from(enabled))
        .bind(self.now())
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        let after = find(&mut transaction, id).await?.ok_or(MISSING)?;
        self.note(&mut transaction, by, "connection.update", id).await?;
        transaction.commit().await?;
        self.open_connection(after).await
    }

    async fn delete_connection(&self, by: &By, id: &str) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        let users = sqlx::query("SELECT COUNT(*) AS users FROM accounts WHERE connection = $1")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await?;
        let count: u64 = number(users.try_get("users")?)?;
        if count > 0 {
            return Err(VaultError::InUse { what: "connection", count, by: "accounts" });
        }
        self.forget_state(&mut transaction, id).await?;
        let gone = sqlx::query("DELETE FROM connections WHERE id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if gone.rows_affected() == 0 {
            return Err(MISSING);
        }
        self.note(&mut transaction, by, "connection.delete", id).await?;
        Ok(transaction.commit().await?)
    }
}

impl SqlVault {
    /// Seals settings and shared state anew for these origins, where they were given for fewer.
    pub(crate) async fn rebind_connection(
        &self,
        transaction: &mut AnyConnection,
        id: &str,
        wanted: &[String],
    ) -> Result<(), VaultError> {
        let before = find(transaction, id).await?.ok_or(MISSING)?;
        let given = &before.connection.origins;
        if origins::cover(given, wanted) {
            return Ok(());
        }
        let settings = self.keyring.open_text(seat(id, given), &before.settings).await?;
        self.write_settings(transaction, id, &settings, wanted).await?;
        self.give_state_for(transaction, id, given, wanted).await?;
        sqlx::query("UPDATE connections SET version = version + 1, updated_at = $1 WHERE id = $2")
            .bind(self.now())
            .bind(id)
            .execute(transaction)
            .await?;
        Ok(())
    }

    async fn write_settings(
        &self,
        transaction: &mut AnyConnection,
        id: &str,
        settings: &Secret,
        given: &[String],
    ) -> Result<(), VaultError> {
        let sealed = self.keyring.seal(seat(id, given), settings.expose().as_bytes())?;
        sqlx::query(
            "UPDATE connections SET settings = $1, sealed_by = $2, origins = $3 WHERE id = $4",
        )
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(origins::text(given))
        .bind(id)
        .execute(transaction)
        .await?;
        Ok(())
    }

    async fn open_connection(&self, closed: Closed) -> Result<Connection, VaultError> {
        let Closed { connection, settings } = closed;
        let settings =
            self.keyring.open_text(seat(&connection.id, &connection.origins), &settings).await?;
        Ok(Connection { settings, ..connection })
    }
}

fn seat<'a>(id: &'a str, origins: &'a [String]) -> Seat<'a> {
    Seat { table: "connections", row: id, column: "settings", origins }
}

async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Closed>, VaultError> {
    let row = sqlx::query("SELECT * FROM connections WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Closed, VaultError> {
    let connection = Connection {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        provider: row.try_get("provider")?,
        version: number(row.try_get("version")?)?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        origins: origins::read(row)?,
        settings: Secret::from(""),
        created_at: number(row.try_get("created_at")?)?,
        updated_at: number(row.try_get("updated_at")?)?,
    };
    Ok(Closed { connection, settings: row.try_get("settings")? })
}
