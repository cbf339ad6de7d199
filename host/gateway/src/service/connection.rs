//! Connections: a provider made usable under a name.

use std::collections::BTreeSet;

use countersign::connection::Connection;
use countersign::secret::Secret;
use countersign_vault::{
    self as vault, ConnectionChange, ConnectionFilter, Given, Listed, Page, Role, VaultError,
};
use serde_json::{Map, Value as Json};

use crate::caller::Caller;
use crate::fault::{Fault, FieldFault, beside};
use crate::service::{Service, opened, own};

/// What makes a connection what it is, and no setting of it.
const FIXED: [&str; 3] = ["name", "auth_pattern", "type"];

/// Characters of a connection's name (the management API's own number).
const LONGEST_NAME: usize = 400;

/// A connection to be made.
#[derive(Clone, Debug, Default)]
pub struct NewConnection {
    /// The provider's identifier.
    pub provider: String,
    /// What callers name it by; one is made of the provider's where there is none.
    pub name: Option<String>,
    /// The name or the type of its auth pattern, where the provider has several.
    pub auth_pattern: Option<String>,
}

/// What a connection becomes. What is left out stays as it is.
#[derive(Default)]
pub struct ConnectionUpdate {
    /// Whether requests may go out.
    pub enabled: Option<bool>,
    /// `client_id`, `client_secret`, `scopes`, …; null takes a setting away.
    pub settings: Map<String, Json>,
}

impl Service {
    /// Makes a connection.
    pub async fn create_connection(
        &self,
        caller: &Caller,
        new: &NewConnection,
        settings: &Map<String, Json>,
    ) -> Result<vault::Connection, Fault> {
        self.make_connection(caller, new, None, settings, Vec::new()).await
    }

    /// The same, of a pattern of this type, and of a document that has these faults already: with
    /// any, nothing is made, and what else is wrong is told with them.
    pub(crate) async fn make_connection(
        &self,
        caller: &Caller,
        new: &NewConnection,
        auth_type: Option<&str>,
        settings: &Map<String, Json>,
        known: Vec<FieldFault>,
    ) -> Result<vault::Connection, Fault> {
        caller.need(Role::Manage)?;
        caller.need_no_limits()?;
        if !known.is_empty() && new.provider.is_empty() {
            return Err(Fault::of_fields(known));
        }
        let Some(row) = self.vault.provider(&new.provider).await? else {
            return beside(known, Err(Fault::not_found("provider")));
        };
        let provider = opened::provider(&row)?;
        let name = match &new.name {
            Some(name) => name.trim_matches([' ', '\t']).to_owned(),
            None => made_up(&new.provider)?,
        };
        let mut faults = known;
        if !is_name(&name) {
            let what = "is empty, longer than 400 characters, or holds more than letters, digits, \
                        spaces, `_`, `:` and `-`";
            faults.push(FieldFault::new("name", what, "choose a plain name"));
        }
        for fixed in FIXED.into_iter().filter(|fixed| settings.contains_key(*fixed)) {
            let fix = "say it beside the settings";
            faults.push(FieldFault::new(fixed, "is no setting", fix));
        }
        let mut settings = settings.clone();
        settings.insert("name".to_owned(), name.clone().into());
        let selector = new.auth_pattern.as_deref().or(auth_type);
        if let Some(pattern) = selector {
            settings.insert("auth_pattern".to_owned(), pattern.into());
        }
        let pattern = match provider.pattern(selector) {
            Ok(pattern) => {
                if auth_type.is_some_and(|it| it != pattern.auth_type()) {
                    let what = format!("is not the pattern's, which is {}", pattern.auth_type());
                    faults.push(FieldFault::new("type", what, "leave it out"));
                }
                Some(pattern)
            }
            Err(error) => {
                let fix = "name one of the provider's patterns";
                let by_type = new.auth_pattern.is_none() && auth_type.is_some();
                let field = if by_type { "type" } else { "auth_pattern" };
                faults.push(FieldFault::new(field, error.to_string(), fix));
                None
            }
        };
        if let Err(problems) = Connection::parse(&Json::Object(settings.clone())) {
            faults.extend(FieldFault::of(&problems, ""));
        }
        let Some(pattern) = pattern.filter(|_| faults.is_empty()) else {
            return Err(Fault::of_fields(faults));
        };
        let settings = Given {
            document: Secret::new(Json::Object(settings).to_string()),
            origins: provider.secret_origins(pattern),
            provider_version: row.version,
        };
        let new = vault::NewConnection { name, provider: row.identifier, settings };
        Ok(self.vault.create_connection(&caller.by(), &new).await?)
    }

    /// One connection, by its id.
    pub async fn connection(&self, caller: &Caller, id: &str) -> Result<vault::Connection, Fault> {
        caller.need(Role::Manage)?;
        let found = self.vault.connection(id).await?;
        let found = found.filter(|it| caller.reaches_connection(&it.name));
        found.ok_or_else(|| Fault::not_found("connection"))
    }

    /// Connections. A caller that is limited to some sees these.
    pub async fn connections(
        &self,
        caller: &Caller,
        filter: &ConnectionFilter,
        page: &Page,
    ) -> Result<Listed<vault::Connection>, Fault> {
        caller.need(Role::Manage)?;
        let Some(own) = caller.limits().and_then(|it| it.connections) else {
            return Ok(self.vault.connections(filter, page).await?);
        };
        let query = filter.query.as_deref().unwrap_or_default().to_ascii_lowercase();
        let fits = |it: &vault::Connection| {
            filter.provider.as_ref().is_none_or(|provider| *provider == it.provider)
                && it.name.to_ascii_lowercase().contains(&query)
        };
        let mut rows = Vec::new();
        for name in own.iter().collect::<BTreeSet<_>>() {
            rows.extend(self.vault.connection_named(name).await?.filter(fits));
        }
        Ok(own::page(rows, page, |it| &it.id))
    }

    /// Changes a connection. New settings are given for where the provider sends them now.
    pub async fn update_connection(
        &self,
        caller: &Caller,
        id: &str,
        update: ConnectionUpdate,
    ) -> Result<vault::Connection, Fault> {
        self.change_connection(caller, id, update, Vec::new()).await
    }

    /// The same of a document that has these faults already; see [`Service::make_connection`].
    pub(crate) async fn change_connection(
        &self,
        caller: &Caller,
        id: &str,
        update: ConnectionUpdate,
        known: Vec<FieldFault>,
    ) -> Result<vault::Connection, Fault> {
        caller.need_all_identifiers()?;
        let before = self.connection(caller, id).await?;
        let mut change = ConnectionChange { over: before.version, ..ConnectionChange::default() };
        change.enabled = update.enabled;
        if !update.settings.is_empty() {
            let settled = self.resettled(&before, update.settings).await;
            change.settings = Some(beside(known, settled)?);
        } else if !known.is_empty() {
            return Err(Fault::of_fields(known));
        }
        Ok(self.vault.update_connection(&caller.by(), id, &change).await?)
    }

    /// Removes a connection that has no account.
    pub async fn delete_connection(&self, caller: &Caller, id: &str) -> Result<(), Fault> {
        caller.need_all_identifiers()?;
        self.connection(caller, id).await?;
        Ok(self.vault.delete_connection(&caller.by(), id).await?)
    }

    /// The connection with its settings: to be judged by, and sent nowhere.
    pub(super) async fn open_connection(
        &self,
        row: &vault::Connection,
    ) -> Result<Connection, Fault> {
        opened::connection(row, &self.settings(row).await?)
    }

    async fn settings(&self, row: &vault::Connection) -> Result<Secret, Fault> {
        let settings = self.vault.settings(row, &row.origins).await?;
        settings.ok_or_else(|| VaultError::Overtaken { what: "connection" }.into())
    }

    /// The settings with these in place of theirs, and where they may go. A secret that is kept was
    /// given for no more than before, so where it would go elsewhere it has to be given again.
    async fn resettled(
        &self,
        before: &vault::Connection,
        update: Map<String, Json>,
    ) -> Result<Given, Fault> {
        let row = self.vault.provider(&before.provider).await?;
        let row = row.ok_or_else(|| Fault::not_found("provider"))?;
        let provider = opened::provider(&row)?;
        let mut settings = opened::object(self.settings(before).await?.expose())?;
        let given: Vec<String> = update.keys().cloned().collect();
        for fixed in FIXED {
            if update.contains_key(fixed) {
                return Err(Fault::field(fixed, "cannot change", "make another connection"));
            }
        }
        settings.extend(update);
        settings.retain(|_, value| !value.is_null());
        let json = Json::Object(settings);
        let connection = Connection::parse(&json);
        let connection =
            connection.map_err(|problems| Fault::of_fields(FieldFault::of(&problems, "")))?;
        let pattern = provider.pattern(connection.pattern());
        let pattern = pattern.map_err(|error| {
            Fault::field("auth_pattern", &error.to_string(), "make another connection")
        })?;
        let wanted = provider.secret_origins(pattern);
        if !wanted.iter().all(|origin| before.origins.contains(origin)) {
            let what = "was given for fewer origins than the provider now has";
            let values = connection.values();
            let secrets = values.iter().filter(|(_, value)| value.as_secret().is_some());
            let names = secrets.filter_map(|(name, _)| name.strip_prefix("connection/"));
            let kept =
                names.filter(|name| !given.iter().any(|it| name.split('/').next() == Some(it)));
            let faults: Vec<_> =
                kept.map(|name| FieldFault::new(name, what, "give it again")).collect();
            if !faults.is_empty() {
                return Err(Fault::of_fields(faults));
            }
        }
        let document = Secret::new(json.to_string());
        Ok(Given { document, origins: wanted, provider_version: row.version })
    }
}

/// A name that nobody has chosen.
fn made_up(provider: &str) -> Result<String, Fault> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 8];
    countersign::random::Random::fill(&countersign::random::SystemRandom, &mut bytes)
        .map_err(|_| Fault::from(VaultError::NoRandomness))?;
    let end: String =
        bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(format!("{provider}-{end}"))
}

pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_: -".contains(c);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(fits)
}
