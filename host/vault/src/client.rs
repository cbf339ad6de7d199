//! Clients, and the tokens that they have been given.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::change::Change;
use crate::error::VaultError;
use crate::number;
use crate::record::{By, Client, Hash, NewClient, Role};
use crate::vault::SqlVault;

const MISSING: VaultError = VaultError::Missing { what: "client" };

/// Expired tokens that one new token sweeps away: more than one, so that they do not pile up.
const SWEPT: i64 = 16;

/// Keeps clients and their tokens. See the crate for what holds throughout.
#[async_trait]
pub trait Clients: Send + Sync {
    /// Keeps a new client.
    async fn create_client(&self, by: &By, new: &NewClient) -> Result<Client, VaultError>;

    /// One client, revoked or not.
    async fn client(&self, id: &str) -> Result<Option<Client>, VaultError>;

    /// All of them.
    async fn clients(&self) -> Result<Vec<Client>, VaultError>;

    /// Gives a client another secret, and ends its tokens.
    async fn rotate_client(&self, by: &By, id: &str, hash: &Hash) -> Result<Client, VaultError>;

    /// Ends a client and its tokens.
    async fn revoke_client(&self, by: &By, id: &str) -> Result<Client, VaultError>;

    /// Whether the secret is that of this client, which is not revoked.
    async fn is_secret_of(&self, id: &str, secret: &Hash) -> Result<bool, VaultError>;

    /// Gives a client a token until `expires_at`, where the secret is its own and it is not revoked;
    /// `None` otherwise.
    async fn issue_token(
        &self,
        id: &str,
        secret: &Hash,
        token: &Hash,
        expires_at: u64,
    ) -> Result<Option<Client>, VaultError>;

    /// Whose token it is, and until when; `None` where it is nobody's, or has ended.
    async fn token(&self, token: &Hash) -> Result<Option<(Client, u64)>, VaultError>;
}

#[async_trait]
impl Clients for SqlVault {
    async fn create_client(&self, by: &By, new: &NewClient) -> Result<Client, VaultError> {
        let id = match &new.id {
            Some(id) => id.clone(),
            None => self.new_id("skc")?,
        };
        let mut write = self.write().await?;
        let written = sqlx::query(
            "INSERT INTO clients (id, name, secret_hash, roles, connections, identifiers, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(new.name.as_str())
        .bind(new.secret_hash.text())
        .bind(roles_text(&new.roles))
        .bind(new.connections.as_deref().map(list_text))
        .bind(new.identifiers.as_deref().map(list_text))
        .bind(self.now())
        .execute(&mut *write)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Exists { what: "client" });
        }
        let client = find(&mut write, &id).await?.ok_or(MISSING)?;
        self.note(&mut write, by, "client.create", &id).await?;
        write.commit(Change::Client(id.into())).await?;
        Ok(client)
    }

    async fn client(&self, id: &str) -> Result<Option<Client>, VaultError> {
        find(&mut *self.database.reads().acquire().await?, id).await
    }

    async fn clients(&self) -> Result<Vec<Client>, VaultError> {
        let rows = sqlx::query("SELECT * FROM clients ORDER BY created_at, id")
            .fetch_all(self.database.reads())
            .await?;
        rows.iter().map(read).collect()
    }

    async fn rotate_client(&self, by: &By, id: &str, hash: &Hash) -> Result<Client, VaultError> {
        let change = "UPDATE clients SET secret_hash = $3, updated_at = $2 WHERE id = $1 \
                      AND revoked_at IS NULL";
        self.end_tokens(by, "client.rotate", id, change, Some(hash)).await
    }

    async fn revoke_client(&self, by: &By, id: &str) -> Result<Client, VaultError> {
        let change = "UPDATE clients SET revoked_at = COALESCE(revoked_at, $2), updated_at = $2 \
                      WHERE id = $1";
        self.end_tokens(by, "client.revoke", id, change, None).await
    }

    async fn is_secret_of(&self, id: &str, secret: &Hash) -> Result<bool, VaultError> {
        let mut connection = self.database.reads().acquire().await?;
        Ok(with_secret(&mut connection, id, secret).await?.is_some())
    }

    async fn issue_token(
        &self,
        id: &str,
        secret: &Hash,
        token: &Hash,
        expires_at: u64,
    ) -> Result<Option<Client>, VaultError> {
        let mut transaction = self.database.begin_unseen().await?;
        let Some(client) = with_secret(&mut transaction, id, secret).await? else {
            return Ok(None);
        };
        sqlx::query(
            "DELETE FROM tokens WHERE hash IN \
             (SELECT hash FROM tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
        )
        .bind(self.now())
        .bind(SWEPT)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO tokens (hash, client, expires_at) VALUES ($1, $2, $3)")
            .bind(token.text())
            .bind(id)
            .bind(i64::try_from(expires_at).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(client))
    }

    async fn token(&self, token: &Hash) -> Result<Option<(Client, u64)>, VaultError> {
        // Found by its hash, which tells nothing of the token by the time that it takes.
        let row = sqlx::query(
            "SELECT c.*, t.expires_at AS ends FROM tokens t JOIN clients c ON c.id = t.client \
             WHERE t.hash = $1 AND t.expires_at > $2 AND c.revoked_at IS NULL",
        )
        .bind(token.text())
        .bind(self.now())
        .fetch_optional(self.database.reads())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((read(&row)?, number(row.try_get("ends")?)?)))
    }
}

impl SqlVault {
    /// Changes a client, and ends what was issued to it before. `change` takes the id, the time and
    /// the hash.
    async fn end_tokens(
        &self,
        by: &By,
        action: &'static str,
        id: &str,
        change: &'static str,
        hash: Option<&Hash>,
    ) -> Result<Client, VaultError> {
        let mut write = self.write().await?;
        let mut query = sqlx::query(change).bind(id).bind(self.now());
        if let Some(hash) = hash {
            query = query.bind(hash.text());
        }
        if query.execute(&mut *write).await?.rows_affected() == 0 {
            return Err(MISSING);
        }
        sqlx::query("DELETE FROM tokens WHERE client = $1").bind(id).execute(&mut *write).await?;
        let client = find(&mut write, id).await?.ok_or(MISSING)?;
        self.note(&mut write, by, action, id).await?;
        write.commit(Change::Client(id.into())).await?;
        Ok(client)
    }
}

/// The client of this id, where the secret is its own and it is not revoked.
async fn with_secret(
    connection: &mut AnyConnection,
    id: &str,
    secret: &Hash,
) -> Result<Option<Client>, VaultError> {
    let row = sqlx::query("SELECT * FROM clients WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let kept = Hash::parse(row.try_get("secret_hash")?);
    if kept.is_some_and(|kept| kept.matches(secret)) { read(&row).map(Some) } else { Ok(None) }
}

async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Client>, VaultError> {
    let row = sqlx::query("SELECT * FROM clients WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Client, VaultError> {
    let list = |column: &str| -> Result<Option<Vec<String>>, VaultError> {
        let text: Option<String> = row.try_get(column)?;
        let read = |text: String| serde_json::from_str(&text).map_err(|_| unreadable(column));
        text.map(read).transpose()
    };
    let roles = list("roles")?.unwrap_or_default();
    let roles = roles.iter().map(|role| Role::parse(role).ok_or_else(|| unreadable("roles")));
    Ok(Client {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        roles: roles.collect::<Result<_, _>>()?,
        connections: list("connections")?,
        identifiers: list("identifiers")?,
        created_at: number(row.try_get("created_at")?)?,
        updated_at: number(row.try_get("updated_at")?)?,
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(number).transpose()?,
    })
}

/// A client is refused whole rather than read without one of its limits.
fn unreadable(column: &str) -> VaultError {
    VaultError::Unavailable(format!("the {column} of a client cannot be read"))
}

fn roles_text(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role.as_str()).collect::<serde_json::Value>().to_string()
}

fn list_text(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}
