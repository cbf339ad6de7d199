//! Connected accounts.
//!
//! An account's credentials are given for where the provider sends them at that time. Whoever changes
//! what stands in a host name gives them again, or they go: a value that picks the host would
//! otherwise take them elsewhere.

use std::sync::Arc;

use countersign::account::{Account, State, Status};
use countersign::connection::Connection;
use countersign::provider::{AuthPattern, Provider};
use countersign::secret::Secret;
use countersign::{Error, Subject};
use countersign_vault::{
    self as vault, AccountChange, AccountFilter, Given, Listed, Page, Role, StateChange,
};
use serde_json::{Map, Value as Json, json};

use crate::caller::Caller;
use crate::fault::{Fault, FieldFault, Kind, beside};
use crate::service::document::{merge, put, whole, without_tokens};
use crate::service::moved::{hosts, not_given_again};
use crate::service::{Service, opened, own};

/// Which account: by its id, or by its connection's name and its identifier.
#[derive(Clone, Debug, Default)]
pub struct AccountName {
    /// `ca_` and digits.
    pub id: Option<String>,
    /// The connection's name.
    pub connector: Option<String>,
    /// Whose account it is.
    pub identifier: Option<String>,
}

/// An account to be made.
pub struct NewAccount {
    /// The connection's name.
    pub connector: String,
    /// Whose account it is.
    pub identifier: String,
    /// `{"static_auth": {"details": {…}}}` or `{"oauth_token": {…}}`; null without credentials.
    pub authorization_details: Json,
    /// Values beside the credentials; null for none.
    pub api_config: Json,
}

/// What an account becomes. What is null stays as it is.
pub struct AccountUpdate {
    /// In place of the old ones, whole.
    pub authorization_details: Json,
    /// Each in place of the old one of its name.
    pub api_config: Json,
}

/// An account with its credentials, as it was asked for under the role `reveal`. No `Debug`.
pub struct Shown {
    /// Its row.
    pub account: vault::Account,
    /// `{"static_auth": …}` or `{"oauth_token": …}`, JSON text.
    pub authorization_details: Secret,
    /// Values beside the credentials, JSON text.
    pub api_config: Secret,
}

/// Where an account is made or changed.
struct Place {
    row: vault::Connection,
    connection: Arc<Connection>,
    provider: Arc<Provider>,
    pattern: AuthPattern,
    provider_version: u64,
}

/// An account's documents, found good.
struct Judged {
    status: Status,
    details: Given,
    state: Option<State>,
}

impl Service {
    /// Makes an account.
    pub async fn create_account(
        &self,
        caller: &Caller,
        new: NewAccount,
    ) -> Result<vault::Account, Fault> {
        self.make_account(caller, new, Vec::new()).await
    }

    /// The same of a document that has these faults already: with any, nothing is made, and what
    /// else is wrong is told with them.
    pub(crate) async fn make_account(
        &self,
        caller: &Caller,
        new: NewAccount,
        mut known: Vec<FieldFault>,
    ) -> Result<vault::Account, Fault> {
        caller.need(Role::Manage)?;
        if !known.is_empty() && (new.connector.is_empty() || new.identifier.is_empty()) {
            return Err(Fault::of_fields(known));
        }
        let identifier = blanks_off(&new.identifier).to_owned();
        if identifier != identifier.trim() {
            // Two that look the same would be two accounts, or one where a reader takes them off.
            let what = "begins or ends with a blank character";
            known.push(FieldFault::new("identifier", what, "leave that out"));
        }
        let place = match self.place(caller, &new.connector, &identifier).await {
            Ok(place) => place,
            Err(fault) => return beside(known, Err(fault)),
        };
        let mut document = Map::new();
        put(&mut document, "authorization_details", whole(new.authorization_details));
        put(&mut document, "api_config", whole(new.api_config));
        let judged = self.judge_account(&place, &identifier, document, None).await;
        let judged = beside(known, judged)?;
        let new = vault::NewAccount {
            connection: place.row.id,
            identifier,
            status: judged.status,
            auth_type: place.pattern.auth_type().to_owned(),
            details: judged.details,
            state: judged.state,
        };
        Ok(self.vault.create_account(&caller.by(), &new).await?)
    }

    /// One account, without its credentials.
    pub async fn account(
        &self,
        caller: &Caller,
        name: &AccountName,
    ) -> Result<vault::Account, Fault> {
        caller.need(Role::Manage)?;
        self.find_account(caller, name).await
    }

    /// One account, with its credentials.
    pub async fn reveal_account(
        &self,
        caller: &Caller,
        name: &AccountName,
    ) -> Result<Shown, Fault> {
        caller.need(Role::Reveal)?;
        let account = self.find_account(caller, name).await?;
        let opened = self.vault.details(&account, &account.origins).await?;
        let (details, state) = opened.ok_or_else(overtaken)?;
        // Before they are given: what cannot be noted is not told.
        self.vault.note_reveal(&caller.by(), &account.id).await?;
        let mut document = opened::object(details.expose())?;
        if let Some(state) = state {
            let details = document.entry("authorization_details").or_insert_with(|| json!({}));
            if details.get("static_auth").is_none() {
                for (name, secret) in &state.secrets {
                    details["oauth_token"][name] = secret.expose().into();
                }
            }
        }
        let mut take = |key: &str| {
            let json = document.remove(key).unwrap_or_else(|| json!({}));
            Secret::new(json.to_string())
        };
        let (authorization_details, api_config) =
            (take("authorization_details"), take("api_config"));
        Ok(Shown { account, authorization_details, api_config })
    }

    /// Accounts, without their credentials. A caller that is limited sees its own.
    pub async fn accounts(
        &self,
        caller: &Caller,
        filter: &AccountFilter,
        page: &Page,
    ) -> Result<Listed<vault::Account>, Fault> {
        caller.need(Role::Manage)?;
        let Some(filters) = own::account_filters(caller, filter) else {
            return Ok(self.vault.accounts(filter, page).await?);
        };
        let mut rows = Vec::new();
        for filter in &filters {
            let list = |page: Page| async move { self.vault.accounts(filter, &page).await };
            rows.extend(own::all(list, |it| &it.id).await?);
        }
        Ok(own::page(rows, page, |it| &it.id))
    }

    /// Changes an account.
    pub async fn update_account(
        &self,
        caller: &Caller,
        name: &AccountName,
        update: AccountUpdate,
    ) -> Result<vault::Account, Fault> {
        self.change_account(caller, name, update, Vec::new()).await
    }

    /// The same of a document that has these faults already; see [`Service::make_account`].
    pub(crate) async fn change_account(
        &self,
        caller: &Caller,
        name: &AccountName,
        update: AccountUpdate,
        known: Vec<FieldFault>,
    ) -> Result<vault::Account, Fault> {
        caller.need(Role::Manage)?;
        if !known.is_empty() && !name.is_said() {
            return Err(Fault::of_fields(known));
        }
        let before = match self.find_account(caller, name).await {
            Ok(before) => before,
            Err(fault) => return beside(known, Err(fault)),
        };
        let place = self.place(caller, &before.connection_name, &before.identifier).await?;
        let (old, kept) =
            self.vault.details(&before, &before.origins).await?.ok_or_else(overtaken)?;
        let old = opened::object(old.expose())?;
        let given = carried(update.authorization_details, update.api_config);
        let (known, given) = match given {
            Ok(given) => (known, given),
            Err(fault) => return beside(known, Err(fault)),
        };
        let given_anew = given.contains_key("authorization_details");
        let mut document = old.clone();
        for (key, value) in given.clone() {
            if key == "api_config" {
                merge(&mut document, &key, value);
            } else {
                put(&mut document, &key, value);
            }
        }
        let moved = hosts(&place.provider, &place.pattern, &old)
            != hosts(&place.provider, &place.pattern, &document);
        let origins = place.provider.secret_origins(&place.pattern);
        let covered = origins.iter().all(|origin| before.origins.contains(origin));
        if moved || !covered {
            let faults =
                not_given_again(&place.provider, &place.pattern, &given, &document, covered);
            if !faults.is_empty() {
                return beside(known, Err(Fault::of_fields(faults)));
            }
        }
        let goes_elsewhere = !given_anew && (moved || !covered);
        let stays = (!given_anew && !goes_elsewhere).then_some(before.status);
        let judged = self.judge_account(&place, &before.identifier, document, stays).await;
        let mut judged = beside(known, judged)?;
        // Without a new refresh token the old one goes on, as in RFC 6749, section 6.
        if let (Some(new), Some(kept), false) = (&mut judged.state, &kept, moved)
            && let Some(refresh) = kept.secrets.get("refresh_token").filter(|_| covered)
        {
            new.secrets.entry("refresh_token".to_owned()).or_insert_with(|| refresh.clone());
        }
        let (status, state) = match (judged.state, goes_elsewhere) {
            (Some(state), _) => (judged.status, StateChange::Replace(state)),
            (None, true) => (Status::PendingAuth, StateChange::Forget),
            (None, false) if given_anew => (judged.status, StateChange::Forget),
            (None, false) => (before.status, StateChange::Keep),
        };
        let change = AccountChange {
            over: before.version,
            over_state: Some(kept.map_or(0, |kept| kept.version)),
            status: Some(status),
            details: Some(judged.details),
            state,
        };
        Ok(self.vault.update_account(&caller.by(), &before.id, &change).await?)
    }

    /// Removes an account and all that it holds.
    pub async fn delete_account(&self, caller: &Caller, name: &AccountName) -> Result<(), Fault> {
        caller.need(Role::Manage)?;
        let account = self.find_account(caller, name).await?;
        Ok(self.vault.delete_account(&caller.by(), &account.id).await?)
    }

    /// One that is out of the caller's reach is not there.
    async fn find_account(
        &self,
        caller: &Caller,
        name: &AccountName,
    ) -> Result<vault::Account, Fault> {
        let found = match name {
            AccountName { id: Some(id), .. } => self.vault.account(id).await?,
            AccountName { connector: Some(connector), identifier: Some(identifier), .. } => {
                self.vault.account_named(blanks_off(connector), blanks_off(identifier)).await?
            }
            _ => {
                let what = "is not said by an id, nor by a connector and an identifier";
                return Err(Fault::field("id", what, "give one or the other"));
            }
        };
        let found = found.filter(|it| caller.reaches(&it.connection_name, &it.identifier));
        // Said twice over, both have to mean the same one.
        let agrees =
            |said: &Option<String>, it: &str| said.as_ref().is_none_or(|s| blanks_off(s) == it);
        let found = found.filter(|it| {
            agrees(&name.connector, &it.connection_name) && agrees(&name.identifier, &it.identifier)
        });
        found.ok_or_else(|| Fault::not_found("account"))
    }

    async fn place(
        &self,
        caller: &Caller,
        connector: &str,
        identifier: &str,
    ) -> Result<Place, Fault> {
        let connector = blanks_off(connector);
        let found = self.vault.connection_named(connector).await?;
        let found = found.filter(|it| caller.reaches(&it.name, identifier));
        let row = found.ok_or_else(|| Fault::not_found("connection"))?;
        let provider = self.vault.provider(&row.provider).await?;
        let provider = provider.ok_or_else(|| Fault::not_found("provider"))?;
        let provider_version = provider.version;
        let provider = Arc::new(opened::provider(&provider)?);
        let connection = Arc::new(self.open_connection(&row).await?);
        let pattern = provider.pattern(connection.pattern()).cloned();
        let pattern = pattern.map_err(|error| unusable(&error.to_string()))?;
        Ok(Place { row, connection, provider, pattern, provider_version })
    }

    /// Every problem at once: the document's own, and what the plugin says of the values. `stays` is
    /// the status of one whose tokens are not in the document.
    async fn judge_account(
        &self,
        place: &Place,
        identifier: &str,
        document: Map<String, Json>,
        stays: Option<Status>,
    ) -> Result<Judged, Fault> {
        let mut json = document.clone();
        json.insert("identifier".to_owned(), identifier.into());
        let account = Account::parse(&Json::Object(json));
        let account =
            account.map_err(|problems| Fault::of_fields(FieldFault::of(&problems, "")))?;
        let (status, state) = (account.status(), account.state().cloned());
        if stays.unwrap_or(status) == Status::Active {
            let (provider, connection) =
                (Arc::clone(&place.provider), Arc::clone(&place.connection));
            let subject = Subject::new("", provider, connection, Arc::new(account));
            let subject = subject.map_err(|error| unusable(&error.to_string()))?;
            let faults = self.faults_of(&subject).await?;
            if !faults.is_empty() {
                return Err(Fault::of_fields(faults));
            }
        }
        let details = Given {
            document: Secret::new(Json::Object(without_tokens(document)).to_string()),
            origins: place.provider.secret_origins(&place.pattern),
            provider_version: place.provider_version,
        };
        Ok(Judged { status, details, state })
    }

    /// What the plugin, or the library before it, finds wrong with the values.
    async fn faults_of(&self, subject: &Subject) -> Result<Vec<FieldFault>, Fault> {
        match self.host.validate(subject).await {
            Ok(refusals) => Ok(refusals.iter().map(FieldFault::of_refusal).collect()),
            Err(error) => {
                let its_own = ["invalid_config", "target_refused"].contains(&error.code());
                let Some(field) = error.field().filter(|_| its_own) else {
                    return Err(unusable(&error.to_string()));
                };
                if let Error::Fields(error) = &error {
                    let fix = "give it among the account's details, as the provider has it";
                    let fault = |field: &String| FieldFault::new(field, error.flaw(), fix);
                    return Ok(error.fields().iter().map(fault).collect());
                }
                let what = format!("is refused: {error}");
                Ok(vec![FieldFault::new(field, what, "give a value that fits the provider")])
            }
        }
    }
}

impl AccountName {
    /// Whether it says which account.
    pub(crate) fn is_said(&self) -> bool {
        self.id.is_some() || (self.connector.is_some() && self.identifier.is_some())
    }
}

/// Without what HTTP takes for blank around a value: names come in headers too.
fn blanks_off(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn unusable(message: &str) -> Fault {
    Fault::new(Kind::Precondition, "unusable", message)
}

fn overtaken() -> Fault {
    Fault::from(vault::VaultError::Overtaken { what: "account" })
}

/// What an update brings. Details without a credential in them, such as the SDKs send where they
/// have none, bring nothing.
fn carried(details: Json, config: Json) -> Result<Map<String, Json>, Fault> {
    let mut given = Map::new();
    put(&mut given, "authorization_details", whole(details));
    if given.contains_key("authorization_details") {
        let mut alone = given.clone();
        alone.insert("identifier".to_owned(), "any".into());
        let account = Account::parse(&Json::Object(alone));
        let account =
            account.map_err(|problems| Fault::of_fields(FieldFault::of(&problems, "")))?;
        if account.status() != Status::Active {
            given.remove("authorization_details");
        }
    }
    put(&mut given, "api_config", whole(config));
    Ok(given)
}
