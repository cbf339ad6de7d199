//! Connections. Their settings open only for origins that they were given for.

use async_trait::async_trait;
use countersign::secret::Secret;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::change::Change;
use crate::database::{changed, counted};
use crate::error::VaultError;
use crate::page::{self, Statements};
use crate::record::{
    By, Connection, ConnectionChange, ConnectionFilter, Given, Listed, NewConnection, Page,
};
use crate::seal::Seat;
use crate::vault::SqlVault;
use crate::write::Write;
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
const OVERTAKEN: VaultError = VaultError::Overtaken { what: "connection" };

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

    /// Its settings, JSON text, for use at `wanted`. `None` where the connection is gone or has
    /// another version.
    async fn settings(
        &self,
        connection: &Connection,
        wanted: &[String],
    ) -> Result<Option<Secret>, VaultError>;

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
        // Lists of names are searched as texts.
        if new.name.chars().any(|c| c == '"' || c.is_control()) {
            return Err(VaultError::Name { what: "connection" });
        }
        let (id, now) = (self.new_id("conn")?, self.now());
        let Given { document, origins: given, provider_version } = &new.settings;
        let seat = seat(&id, &new.name, &new.provider, given);
        let sealed = self.keyring.seal(&seat, document.expose().as_bytes())?;
        let mut write = self.write().await?;
        provider::same_version(&mut write, &new.provider, *provider_version).await?;
        let written = sqlx::query(
            "INSERT INTO connections (id, name, provider, version, enabled, origins, settings, \
             sealed_by, created_at, updated_at) VALUES ($1, $2, $3, 1, 1, $4, $5, $6, $7, $7) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(new.name.as_str())
        .bind(new.provider.as_str())
        .bind(origins::text(given))
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(now)
        .execute(&mut *write)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Exists { what: "connection" });
        }
        let connection = find(&mut write, &id).await?.ok_or(MISSING)?;
        self.note(&mut write, by, "connection.create", &id).await?;
        write.commit(Change::Connection(id.into())).await?;
        Ok(connection)
    }

    async fn connection(&self, id: &str) -> Result<Option<Connection>, VaultError> {
        find(&mut *self.database.reads().acquire().await?, id).await
    }

    async fn connection_named(&self, name: &str) -> Result<Option<Connection>, VaultError> {
        let row = sqlx::query("SELECT * FROM connections WHERE name = $1")
            .bind(name)
            .fetch_optional(self.database.reads())
            .await?;
        row.as_ref().map(read).transpose()
    }

    async fn settings(
        &self,
        connection: &Connection,
        wanted: &[String],
    ) -> Result<Option<Secret>, VaultError> {
        let row = sqlx::query("SELECT * FROM connections WHERE id = $1 AND version = $2")
            .bind(connection.id.as_str())
            .bind(i64::try_from(connection.version).unwrap_or(i64::MAX))
            .fetch_optional(self.database.reads())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let found = read(&row)?;
        if !origins::cover(&found.origins, wanted) {
            return Err(VaultError::NotGiven { what: "connection" });
        }
        let sealed: Vec<u8> = row.try_get("settings")?;
        self.keyring.open_text(&found.seat(), &sealed).await.map(Some)
    }

    async fn connections(
        &self,
        filter: &ConnectionFilter,
        page: &Page,
    ) -> Result<Listed<Connection>, VaultError> {
        let query = page::anywhere(filter.query.as_deref());
        let filter = [filter.provider.as_deref().unwrap_or_default(), &query];
        page::list(self.database.reads(), &LIST, &filter, page, read, |it| &it.id).await
    }

    async fn update_connection(
        &self,
        by: &By,
        id: &str,
        change: &ConnectionChange,
    ) -> Result<Connection, VaultError> {
        let mut write = self.write().await?;
        let before = find(&mut write, id).await?.ok_or(MISSING)?;
        if let Some(Given { document, origins: given, provider_version }) = &change.settings {
            let provider = &before.provider;
            provider::same_version(&mut write, provider, *provider_version).await?;
            self.rebind_state(&mut write, &before.shared(), given).await?;
            self.write_settings(&mut write, &before, document, given).await?;
        }
        let enabled = change.enabled.unwrap_or(before.enabled);
        let written = sqlx::query(
            "UPDATE connections SET enabled = $1, version = version + 1, updated_at = $2 \
             WHERE id = $3 AND version = $4",
        )
        .bind(i64::from(enabled))
        .bind(self.now())
        .bind(id)
        .bind(i64::try_from(change.over).unwrap_or(i64::MAX))
        .execute(&mut *write)
        .await?;
        if written.rows_affected() == 0 {
            return Err(OVERTAKEN);
        }
        let after = find(&mut write, id).await?.ok_or(MISSING)?;
        self.note(&mut write, by, "connection.update", id).await?;
        write.commit(Change::Connection(id.into())).await?;
        Ok(after)
    }

    async fn delete_connection(&self, by: &By, id: &str) -> Result<(), VaultError> {
        let mut write = self.write().await?;
        let users = "SELECT COUNT(*) AS users FROM accounts WHERE connection = $1";
        let count = counted(&mut write, users, id).await?;
        if count > 0 {
            return Err(VaultError::InUse { what: "connection", count, by: "accounts" });
        }
        self.end_owner(&mut write, id).await?;
        let gone = "DELETE FROM connections WHERE id = $1";
        changed(&mut write, gone, id).await?.then_some(()).ok_or(MISSING)?;
        self.note(&mut write, by, "connection.delete", id).await?;
        write.commit(Change::Connection(id.into())).await
    }
}

impl SqlVault {
    /// Seals settings and shared state anew for these origins, where they were given for fewer.
    pub(crate) async fn rebind_connection(
        &self,
        write: &mut Write,
        id: &str,
        wanted: &[String],
    ) -> Result<(), VaultError> {
        let row = sqlx::query("SELECT * FROM connections WHERE id = $1")
            .bind(id)
            .fetch_one(&mut **write)
            .await?;
        let before = read(&row)?;
        if origins::cover(&before.origins, wanted) {
            return Ok(());
        }
        let sealed: Vec<u8> = row.try_get("settings")?;
        let settings = self.keyring.open_text(&before.seat(), &sealed).await?;
        let owner = before.shared();
        self.give_state_for(write, &owner, wanted).await?;
        self.write_settings(write, &before, &settings, wanted).await?;
        sqlx::query("UPDATE connections SET version = version + 1, updated_at = $1 WHERE id = $2")
            .bind(self.now())
            .bind(id)
            .execute(&mut **write)
            .await?;
        Ok(())
    }

    async fn write_settings(
        &self,
        write: &mut Write,
        connection: &Connection,
        settings: &Secret,
        given: &[String],
    ) -> Result<(), VaultError> {
        write.changes(Change::Connection(connection.id.as_str().into()));
        let seat = seat(&connection.id, &connection.name, &connection.provider, given);
        let sealed = self.keyring.seal(&seat, settings.expose().as_bytes())?;
        sqlx::query(
            "UPDATE connections SET settings = $1, sealed_by = $2, origins = $3 WHERE id = $4",
        )
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(origins::text(given))
        .bind(connection.id.as_str())
        .execute(&mut **write)
        .await?;
        Ok(())
    }
}

impl Connection {
    pub(crate) fn seat(&self) -> Seat<'_> {
        seat(&self.id, &self.name, &self.provider, &self.origins)
    }
}

fn seat<'a>(id: &'a str, name: &'a str, provider: &'a str, origins: &'a [String]) -> Seat<'a> {
    Seat { table: "connections", column: "settings", row: vec![id, name, provider], origins }
}

async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Connection>, VaultError> {
    let row = sqlx::query("SELECT * FROM connections WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn read(row: &AnyRow) -> Result<Connection, VaultError> {
    Ok(Connection {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        provider: row.try_get("provider")?,
        version: number(row.try_get("version")?)?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        origins: origins::read(row)?,
        created_at: number(row.try_get("created_at")?)?,
        updated_at: number(row.try_get("updated_at")?)?,
    })
}
