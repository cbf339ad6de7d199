//! Who changed what: written in the change's own transaction, so that there is no change without
//! its line and no line without its change; and who was given credentials, written before they are
//! given. No line holds a value.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::error::VaultError;
use crate::number;
use crate::page::{self, Statements};
use crate::record::{Audited, By, Listed, Page};
use crate::vault::SqlVault;

const LIST: Statements = Statements {
    after: "SELECT * FROM audit WHERE ($1 = '' OR subject = $1) AND id > $2 ORDER BY id LIMIT $3",
    before: "SELECT * FROM audit WHERE ($1 = '' OR subject = $1) AND id < $2 \
             ORDER BY id DESC LIMIT $3",
    count: "SELECT COUNT(*) AS total, COUNT(CASE WHEN id < $2 THEN 1 END) AS ahead FROM audit \
            WHERE ($1 = '' OR subject = $1)",
};

/// Tells who changed what, and who was given what.
#[async_trait]
pub trait Audits: Send + Sync {
    /// Notes that an account's credentials are about to be given out.
    async fn note_reveal(&self, by: &By, account: &str) -> Result<(), VaultError>;

    /// Changes, of one subject where that is given, the oldest first.
    async fn audited(
        &self,
        subject: Option<&str>,
        page: &Page,
    ) -> Result<Listed<Audited>, VaultError>;
}

#[async_trait]
impl Audits for SqlVault {
    async fn note_reveal(&self, by: &By, account: &str) -> Result<(), VaultError> {
        // No row changes, so no cache need be told.
        let mut transaction = self.database.begin_unseen().await?;
        self.note(&mut transaction, by, "account.reveal", account).await?;
        Ok(transaction.commit().await?)
    }

    async fn audited(
        &self,
        subject: Option<&str>,
        page: &Page,
    ) -> Result<Listed<Audited>, VaultError> {
        let filter = [subject.unwrap_or_default()];
        page::list(self.database.reads(), &LIST, &filter, page, read, |it| &it.id).await
    }
}

impl SqlVault {
    /// Notes a change in its transaction.
    pub(crate) async fn note(
        &self,
        transaction: &mut AnyConnection,
        by: &By,
        action: &'static str,
        subject: &str,
    ) -> Result<(), VaultError> {
        sqlx::query(
            "INSERT INTO audit (id, at, client, request, action, subject) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.new_id("au")?)
        .bind(self.now())
        .bind(by.client.as_str())
        .bind(by.request.as_str())
        .bind(action)
        .bind(subject)
        .execute(transaction)
        .await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Audited, VaultError> {
    Ok(Audited {
        id: row.try_get("id")?,
        at: number(row.try_get("at")?)?,
        by: By { client: row.try_get("client")?, request: row.try_get("request")? },
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
    })
}
