//! Pending flows: what waits, at rest, for a user to come back.
//!
//! A flow lies under the hash of its state token. Whoever reads the database cannot make a callback of
//! it, and what it holds is sealed for its row: the hash, the account or connection and the version of
//! it that the flow was begun for, its end, and the origins that its secrets were given for. Any of these
//! changed beneath the vault, it does not open.
//!
//! It is given once, to one of all who ask in all processes, and only to those who ask before its end
//! and while its account or connection is what it was. A taking that is not acknowledged may have
//! happened: the user then begins again, which is better than a code that is redeemed twice. What
//! the vault cannot tell is that a row which was taken has been put back into the file.
//!
//! Two numbers bound what can wait, and each flow that is kept sweeps some that have ended: more than
//! it adds, so that they do not pile up, and few, so that no caller waits for all of them.

use async_trait::async_trait;
use countersign::store::Row;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::error::VaultError;
use crate::record::{Hash, PendingFlow, Taken};
use crate::seal::Seat;
use crate::vault::SqlVault;
use crate::{number, origins};

/// Flows of one account or connection that wait at the same time: a user who opens the link again, in
/// another browser or on another device, needs a few. More is a program that asks in a loop.
const MOST: u64 = 8;

/// Bytes of one: a cursor of 64 KiB has 88 in base64, a page's URL at most 8, and the rest is room.
const LONGEST: usize = 128 << 10;

/// Ended flows that one new flow sweeps away.
const SWEPT: i64 = 16;

const WHAT: &str = "pending flow";

/// Keeps flows that wait for a user. See the crate for what holds throughout.
#[async_trait]
pub trait PendingFlows: Send + Sync {
    /// Keeps a flow under the hash of its state token, which is random and was never used before.
    /// `Missing` and `Overtaken` where its row is not, or is no longer, what the flow was begun for.
    async fn put_flow(&self, token: &Hash, flow: &PendingFlow) -> Result<(), VaultError>;

    /// Takes a flow out.
    async fn take_flow(&self, token: &Hash) -> Result<Taken, VaultError>;
}

#[async_trait]
impl PendingFlows for SqlVault {
    async fn put_flow(&self, token: &Hash, flow: &PendingFlow) -> Result<(), VaultError> {
        let content = flow.content.expose().as_bytes();
        if content.len() > LONGEST {
            return Err(VaultError::TooLong { what: WHAT, most: LONGEST });
        }
        let now = self.now();
        let mut transaction = self.database.begin_unseen().await?;
        sweep(&mut transaction, now).await?;
        let owner = find_owner(&mut transaction, &flow.row.id).await?;
        let owner = owner.ok_or(VaultError::Missing { what: "account or connection" })?;
        if owner.version != flow.row.version {
            return Err(VaultError::Overtaken { what: owner.kind.name() });
        }
        if waiting(&mut transaction, &flow.row.id, now).await? >= MOST {
            return Err(VaultError::TooMany { what: WHAT, of: owner.kind.name(), most: MOST });
        }
        let place = Place::of(token, flow);
        let sealed = self.keyring.seal(&place.seat(), content)?;
        let (account, connection) = match owner.kind {
            Kind::Account => (Some(&*flow.row.id), None),
            Kind::Connection => (None, Some(&*flow.row.id)),
        };
        let written = sqlx::query(
            "INSERT INTO pending_flows (hash, account, connection, version, origins, content, \
             sealed_by, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (hash) DO NOTHING",
        )
        .bind(place.hash.as_str())
        .bind(account)
        .bind(connection)
        .bind(kept(flow.row.version))
        .bind(origins::text(&flow.origins))
        .bind(sealed.bytes)
        .bind(sealed.by)
        .bind(kept(flow.ends_at))
        .execute(&mut *transaction)
        .await?;
        if written.rows_affected() == 0 {
            return Err(VaultError::Exists { what: WHAT });
        }
        Ok(transaction.commit().await?)
    }

    async fn take_flow(&self, token: &Hash) -> Result<Taken, VaultError> {
        // Whoever comes with a made-up token costs a read, and keeps no writer waiting.
        if !is_there(&mut *self.database.reads().acquire().await?, token).await? {
            return Ok(Taken::Nothing);
        }
        let mut transaction = self.database.begin_unseen().await?;
        // In one statement: of all who ask, one gets the row.
        let row = sqlx::query(
            "DELETE FROM pending_flows WHERE hash = $1 RETURNING hash, \
             COALESCE(account, connection) AS owner, version, origins, content, ends_at",
        )
        .bind(token.text())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(Taken::Nothing) };
        let place = Place::read(&row)?;
        let taken = if place.ends_at <= self.now() {
            Taken::Ended
        } else if find_owner(&mut transaction, &place.owner).await?.map(|it| it.version)
            != Some(place.version)
        {
            Taken::Moved
        } else {
            let sealed: Vec<u8> = row.try_get("content")?;
            let content = self.keyring.open_text(&place.seat(), &sealed).await?;
            let row = Row { id: place.owner.into(), version: place.version };
            let ends_at = number(place.ends_at)?;
            Taken::Flow(PendingFlow { row, origins: place.origins, content, ends_at })
        };
        // What was not given is gone as well; what does not open is left, for the operator to see.
        transaction.commit().await?;
        Ok(taken)
    }
}

/// Where a flow lies, and what it is bound to.
pub(crate) struct Place {
    hash: String,
    owner: String,
    version: u64,
    ends_at: i64,
    origins: Vec<String>,
    /// The version and the end, as the seat has them.
    numbers: [String; 2],
}

impl Place {
    fn of(token: &Hash, flow: &PendingFlow) -> Self {
        let (owner, origins) = (flow.row.id.to_string(), flow.origins.clone());
        Self::new(token.text(), owner, flow.row.version, kept(flow.ends_at), origins)
    }

    /// From a row with `hash`, `owner`, `version`, `ends_at` and `origins`.
    pub(crate) fn read(row: &AnyRow) -> Result<Self, VaultError> {
        Ok(Self::new(
            row.try_get("hash")?,
            row.try_get("owner")?,
            number(row.try_get("version")?)?,
            row.try_get("ends_at")?,
            origins::read(row)?,
        ))
    }

    fn new(hash: String, owner: String, version: u64, ends_at: i64, origins: Vec<String>) -> Self {
        let numbers = [version.to_string(), ends_at.to_string()];
        Self { hash, owner, version, ends_at, origins, numbers }
    }

    pub(crate) fn seat(&self) -> Seat<'_> {
        let [version, ends_at] = &self.numbers;
        let row = vec![self.hash.as_str(), &self.owner, version, ends_at];
        Seat { table: "pending_flows", column: "content", row, origins: &self.origins }
    }
}

/// What a flow may be of.
#[derive(Clone, Copy)]
enum Kind {
    Account,
    Connection,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Connection => "connection",
        }
    }
}

/// A row that flows are of, as it is now.
struct Owner {
    kind: Kind,
    version: u64,
}

/// The row of this id: no account has the id of a connection.
async fn find_owner(
    transaction: &mut AnyConnection,
    id: &str,
) -> Result<Option<Owner>, VaultError> {
    for (kind, statement) in [
        (Kind::Account, "SELECT version FROM accounts WHERE id = $1"),
        (Kind::Connection, "SELECT version FROM connections WHERE id = $1"),
    ] {
        if let Some(row) = sqlx::query(statement).bind(id).fetch_optional(&mut *transaction).await?
        {
            return Ok(Some(Owner { kind, version: number(row.try_get("version")?)? }));
        }
    }
    Ok(None)
}

/// How many flows of this row have not ended, whatever version of it they were begun for.
async fn waiting(transaction: &mut AnyConnection, id: &str, now: i64) -> Result<u64, VaultError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS waiting FROM pending_flows \
         WHERE (account = $1 OR connection = $1) AND ends_at > $2",
    )
    .bind(id)
    .bind(now)
    .fetch_one(transaction)
    .await?;
    number(row.try_get("waiting")?)
}

async fn sweep(transaction: &mut AnyConnection, now: i64) -> Result<(), VaultError> {
    sqlx::query(
        "DELETE FROM pending_flows WHERE hash IN \
         (SELECT hash FROM pending_flows WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)",
    )
    .bind(now)
    .bind(SWEPT)
    .execute(transaction)
    .await?;
    Ok(())
}

async fn is_there(connection: &mut AnyConnection, token: &Hash) -> Result<bool, VaultError> {
    // Found by its hash, which tells nothing of the token by the time that it takes.
    let row = sqlx::query("SELECT version FROM pending_flows WHERE hash = $1")
        .bind(token.text())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// As the database counts.
fn kept(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
