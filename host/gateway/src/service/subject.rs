//! Whom a request through the proxy is for.
//!
//! On `Ok` the caller may send for this account, the connection is enabled, the account can be used,
//! and every secret in the subject was given for all origins that the provider has now. The subject
//! holds for as long as none of its three rows changes, and is kept in memory for as long; so are a
//! connection and its provider, which all its accounts share.

use std::sync::Arc;

use countersign::Subject;
use countersign::account::Status;
use countersign::connection::Connection;
use countersign::provider::Provider;
use countersign_vault::cache::Cache;
use countersign_vault::{self as vault, Change, Following, Role, VaultError};

use crate::caller::Caller;
use crate::fault::{Fault, Kind};
use crate::service::{Service, opened};
use crate::usage::Mark;

/// Readings before a subject whose rows change all the time is given up.
const MOST_READINGS: usize = 3;

/// Connections that are kept: each is some ten KiB, and teams have hundreds.
const MOST_CONNECTIONS: usize = 4096;

/// Which account, as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whose {
    /// The connection's name and the account's identifier, in one piece: it is made for each request, and
    /// compared with one that lies anywhere in memory.
    names: Box<str>,
    /// Bytes of the first.
    connector: usize,
}

/// An account that was asked for, and can be used.
pub(crate) struct Found {
    subject: Arc<Subject>,
    used: Mark,
}

/// What was read for requests, while it holds.
pub(super) struct Subjects {
    found: Arc<Cache<Whose, Found>>,
    connections: Arc<Cache<String, Ready>>,
}

/// A connection that requests may go out over.
struct Ready {
    provider: Arc<Provider>,
    connection: Arc<Connection>,
    /// Where secrets go.
    origins: Vec<String>,
}

impl Subjects {
    /// Keeps at most so many subjects.
    pub(super) fn new(following: &Following, most: usize) -> Self {
        Self {
            found: Cache::new(following, most),
            connections: Cache::new(following, MOST_CONNECTIONS),
        }
    }
}

impl Whose {
    /// The account of this identifier under the connection of this name.
    pub fn new(connector: &str, identifier: &str) -> Self {
        Self { names: [connector, identifier].concat().into(), connector: connector.len() }
    }

    /// The connection's name.
    pub fn connector(&self) -> &str {
        &self.names[..self.connector]
    }

    /// The account's identifier.
    pub fn identifier(&self) -> &str {
        &self.names[self.connector..]
    }
}

impl Found {
    /// Its subject, the same one for as long as it holds.
    pub(crate) fn subject(&self) -> &Arc<Subject> {
        &self.subject
    }

    /// When it was last noted as used.
    pub(crate) fn used(&self) -> &Mark {
        &self.used
    }
}

impl Service {
    /// The account of this identifier under the connection of this name.
    pub async fn subject(&self, caller: &Caller, whose: &Whose) -> Result<Arc<Subject>, Fault> {
        Ok(Arc::clone(self.find(caller, whose).await?.subject()))
    }

    /// The same with what is noted of it.
    pub(crate) async fn find(&self, caller: &Caller, whose: &Whose) -> Result<Arc<Found>, Fault> {
        caller.need(Role::Proxy)?;
        if !caller.reaches(whose.connector(), whose.identifier()) {
            return Err(Fault::not_found("account"));
        }
        if let Some(found) = self.subjects.found.get(whose) {
            return Ok(found);
        }
        for _ in 0..MOST_READINGS {
            // Boxed, as hardly a request reads anything, and each would have room for it.
            if let Some(found) = Box::pin(self.read_found(whose)).await? {
                return Ok(found);
            }
        }
        Err(VaultError::Overtaken { what: "account" }.into())
    }

    /// `None` where a row changed while the others were read.
    async fn read_found(&self, whose: &Whose) -> Result<Option<Arc<Found>>, Fault> {
        let reading = self.subjects.found.begin();
        let account = self.vault.account_named(whose.connector(), whose.identifier()).await?;
        let account = account.ok_or_else(|| Fault::not_found("account"))?;
        usable(&account)?;
        let Some(ready) = self.ready(&account.connection).await? else { return Ok(None) };
        let Some((details, state)) = self.vault.details(&account, &ready.origins).await? else {
            return Ok(None);
        };
        let made_of = [
            Change::Account(account.id.as_str().into()),
            Change::Connection(account.connection.as_str().into()),
            Change::Provider(account.provider.as_str().into()),
        ];
        let account = opened::account(&account, &details, state.as_deref())?;
        let (provider, connection) = (Arc::clone(&ready.provider), Arc::clone(&ready.connection));
        let subject = Subject::new("", provider, connection, Arc::new(account));
        let subject = Arc::new(subject.map_err(|error| unknown_pattern(&error.to_string()))?);
        let found = Arc::new(Found { subject, used: Mark::default() });
        // Requests that came at once go on with one subject: what plugins note of it (a nonce's count)
        // is of the account.
        Ok(Some(self.subjects.found.keep(reading, whose.clone(), found, &made_of)))
    }

    /// The connection of this id; `None` where it is gone, or was changed while it was read.
    async fn ready(&self, id: &String) -> Result<Option<Arc<Ready>>, Fault> {
        if let Some(ready) = self.subjects.connections.get(id) {
            return Ok(Some(ready));
        }
        let reading = self.subjects.connections.begin();
        let Some(row) = self.vault.connection(id).await? else { return Ok(None) };
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
        let pattern = pattern.map_err(|error| unknown_pattern(&error.to_string()))?;
        let origins = provider.secret_origins(pattern);
        if self.vault.settings(&row, &origins).await?.is_none() {
            return Ok(None);
        }
        let made_of = [
            Change::Connection(id.as_str().into()),
            Change::Provider(row.provider.as_str().into()),
        ];
        let (provider, connection) = (Arc::new(provider), Arc::new(connection));
        let ready = Arc::new(Ready { provider, connection, origins });
        Ok(Some(self.subjects.connections.keep(reading, id.clone(), ready, &made_of)))
    }
}

fn unknown_pattern(message: &str) -> Fault {
    Fault::new(Kind::Precondition, "auth_pattern_unknown", message)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Or a request would get the credential of another account.
    #[test]
    fn names_that_are_the_same_in_one_piece_are_not_the_same_account() {
        let [one, other] = [Whose::new("crm", "eu-1"), Whose::new("crmeu", "-1")];
        assert_ne!(one, other);
        assert_eq!((other.connector(), other.identifier()), ("crmeu", "-1"));
        assert_eq!(one, Whose::new("crm", "eu-1"));
    }
}
