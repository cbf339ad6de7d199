//! One account under one pattern of one provider: whom a request is authorized for.
//!
//! A subject never changes. Whoever changes the provider, the connection or the account makes a new
//! one, and so whatever was remembered for the old one cannot be used for the new: it goes with
//! the old one. What may change beneath it is the account's state, which is read anew for each
//! request and has a version.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use url::Url;

use crate::account::{Account, Status};
use crate::connection::Connection;
use crate::facts::KnownFacts;
use crate::flow::FailedRenewals;
use crate::provider::{AuthPattern, Provider, SelectError};
use crate::remember::Answer;
use crate::sandbox::Digest;
use crate::store::StateKey;
use crate::target::Origin;
use crate::values::Values;

/// Whom a request is authorized for. Make one, and use it for as long as nothing of it changes.
pub struct Subject {
    provider: Arc<Provider>,
    pattern: AuthPattern,
    connection: Arc<Connection>,
    account: Arc<Account>,
    /// The account's, here since each request asks for it.
    pub(crate) status: Status,
    /// See [`Subject::with_values`].
    laid_over: Values,
    key: StateKey,
    shared_key: StateKey,
    listed_origins: Vec<url::Origin>,
    /// An answer that says for how long it may be used again.
    pub(crate) remembered: ArcSwapOption<Answer>,
    pub(crate) facts: ArcSwapOption<KnownFacts>,
    /// Here, so that an account or a connection that was mended is asked for at once.
    pub(crate) failed: FailedRenewals,
    /// The parts of a request that the plugin asked for last time; most ask for the same again.
    wish: ArcSwapOption<(Digest, Vec<String>)>,
}

impl Subject {
    /// Joins the three. `environment` tells apart what has the same names elsewhere; empty where
    /// there is only one.
    pub fn new(
        environment: &str,
        provider: Arc<Provider>,
        connection: Arc<Connection>,
        account: Arc<Account>,
    ) -> Result<Self, SelectError> {
        let pattern = provider.pattern(connection.pattern())?.clone();
        let key = StateKey {
            environment: environment.into(),
            connection: connection.shared_name().unwrap_or_else(|| provider.identifier().into()),
            identifier: Some(account.shared_identifier()),
            row: account.row(),
        };
        let shared_key = StateKey { identifier: None, row: connection.row(), ..key.clone() };
        let listed = provider.listed_origins().iter().chain(pattern.listed_origins().iter());
        let listed_origins = listed
            .filter_map(|origin| Url::parse(&origin.to_string()).ok())
            .map(|url| url.origin())
            .collect();
        Ok(Self {
            provider,
            pattern,
            connection,
            status: account.status(),
            account,
            laid_over: Values::default(),
            key,
            shared_key,
            listed_origins,
            facts: ArcSwapOption::empty(),
            failed: FailedRenewals::default(),
            remembered: ArcSwapOption::empty(),
            wish: ArcSwapOption::empty(),
        })
    }

    /// Lays these values over those that the three give, by their names, after mutation: for whoever
    /// tests a plugin with what no document may hold. A name that the state gives stays the state's.
    pub fn with_values(self, values: Values) -> Self {
        Self { laid_over: values, ..self }
    }

    pub(crate) fn laid_over(&self) -> &Values {
        &self.laid_over
    }

    /// The upstream API.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The way in that the connection uses.
    pub fn pattern(&self) -> &AuthPattern {
        &self.pattern
    }

    /// Its settings.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whose credentials.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Where the account's state is kept.
    pub fn state_key(&self) -> &StateKey {
        &self.key
    }

    /// Where the connection's shared state is kept.
    pub fn shared_key(&self) -> &StateKey {
        &self.shared_key
    }

    /// Whether the provider, or the pattern, lists this origin.
    pub(crate) fn lists(&self, origin: &Origin) -> bool {
        self.provider.listed_origins().contains(origin)
            || self.pattern.listed_origins().contains(origin)
    }

    /// The origins that the provider and the pattern list beside the provider's own.
    pub(crate) fn listed_origins(&self) -> &[url::Origin] {
        &self.listed_origins
    }

    /// What this plugin asked to be shown last time.
    pub(crate) fn wished(&self, digest: Digest) -> Option<Vec<String>> {
        let wish = self.wish.load();
        wish.as_deref().filter(|(owner, _)| *owner == digest).map(|(_, names)| names.clone())
    }

    /// Notes what it asks for.
    pub(crate) fn wish(&self, digest: Digest, names: &[String]) {
        self.wish.store(Some(Arc::new((digest, names.to_vec()))));
    }
}

#[cfg(test)]
mod tests;
