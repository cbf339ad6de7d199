//! Whom a request through the proxy is for.
//!
//! On `Ok` the caller may send for this account, the connection is enabled, the account can be used,
//! and every secret in the subject was given for all origins that the provider has now. The subject
//! holds for as long as none of its three rows changes.

use std::sync::Arc;

use countersign::Subject;
use countersign::account::Status;
use countersign_vault::{self as vault, Role, VaultError};

use crate::caller::Caller;
use crate::fault::{Fault, Kind};
use crate::service::{Service, opened};

/// Readings before a subject whose rows change all the time is given up.
const MOST_READINGS: usize = 3;

impl Service {
    /// The account of this identifier under the connection of this name.
    pub async fn subject(
        &self,
        caller: &Caller,
        connector: &str,
        identifier: &str,
    ) -> Result<Arc<Subject>, Fault> {
        caller.need(Role::Proxy)?;
        if !caller.reaches(connector, identifier) {
            return Err(Fault::not_found("account"));
        }
        for _ in 0..MOST_READINGS {
            if let Some(subject) = self.read_subject(connector, identifier).await? {
                return Ok(Arc::new(subject));
            }
        }
        Err(VaultError::Overtaken { what: "account" }.into())
    }

    /// `None` where a row changed while the others were read.
    async fn read_subject(
        &self,
        connector: &str,
        identifier: &str,
    ) -> Result<Option<Subject>, Fault> {
        let account = self.vault.account_named(connector, identifier).await?;
        let account = account.ok_or_else(|| Fault::not_found("account"))?;
        usable(&account)?;
        let row = self.vault.connection(&account.connection).await?;
        let Some(row) = row else { return Ok(None) };
        if !row.enabled {
            let message = "the connection is disabled";
            return Err(Fault::new(Kind::Precondition, "connection_disabled", message));
        }
        let Some(provider) = self.vault.provider(&row.provider).await? else { return Ok(None) };
        let provider = opened::provider(&provider)?;
        // First to know its pattern, and with that where its secrets would go.
        let Some(settings) = self.vault.settings(&row, &row.origins).await? else {
            return Ok(None);
        };
        let connection = opened::connection(&row, &settings)?;
        let pattern = provider.pattern(connection.pattern());
        let pattern = pattern.map_err(|error| {
            Fault::new(Kind::Precondition, "auth_pattern_unknown", error.to_string())
        })?;
        let wanted = provider.secret_origins(pattern);
        let given = self.vault.settings(&row, &wanted).await?;
        let details = self.vault.details(&account, &wanted).await?;
        let (Some(_), Some((details, state))) = (given, details) else { return Ok(None) };
        let account = opened::account(&account, &details, state.as_deref())?;
        let subject = Subject::new("", Arc::new(provider), Arc::new(connection), Arc::new(account));
        subject.map(Some).map_err(|error| {
            Fault::new(Kind::Precondition, "auth_pattern_unknown", error.to_string())
        })
    }
}

/// One that waits for its holder sends nothing.
fn usable(account: &vault::Account) -> Result<(), Fault> {
    let waits = match account.status {
        Status::Active => return Ok(()),
        Status::Disconnected => "the account was disconnected",
        Status::PendingVerification => "the account's user has not been verified yet",
        Status::PendingAuth | Status::Expired => {
            "the account's holder has to authorize it: obtain an authorization link"
        }
    };
    Err(Fault::new(Kind::Precondition, "account_inactive", waits))
}
