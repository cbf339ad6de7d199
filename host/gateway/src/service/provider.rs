//! Custom providers.
//!
//! An update loses nothing: a key that is left out stays as it is, a list that is given takes the
//! place of the old one. A pattern keeps its type, since its accounts were made for it.

use std::collections::BTreeMap;

use countersign::provider::Provider;
use countersign_vault::{
    self as vault, ConnectionFilter, From, Listed, NewOrigins, Page, ProviderChange, Role,
    VaultError,
};
use serde_json::{Map, Value as Json};

use crate::caller::Caller;
use crate::fault::{Fault, FieldFault, Kind};
use crate::service::{Service, opened};

/// Of the management API: characters, and pairs of `metadata`.
const LONGEST_NAME: usize = 200;
const LONGEST_URL: usize = 2048;
const MOST_METADATA: usize = 20;

/// Keys that the service answers with and does not keep.
const ANSWERED: [&str; 7] =
    ["id", "identifier", "is_custom", "is_custom_mcp", "version", "created_at", "updated_at"];

/// Connections that are read at a time.
const PAGE: u32 = 200;

impl Service {
    /// Makes a provider of a payload.
    pub async fn create_provider(
        &self,
        caller: &Caller,
        payload: &Json,
    ) -> Result<vault::Provider, Fault> {
        caller.need(Role::Manage)?;
        caller.need_no_limits()?;
        let payload = kept(payload)?;
        let provider = self.judged(&payload)?;
        let text = Json::Object(payload).to_string();
        Ok(self.vault.create_provider(&caller.by(), provider.identifier(), &text).await?)
    }

    /// Providers, of one identifier where that is given.
    pub async fn providers(
        &self,
        caller: &Caller,
        identifier: Option<&str>,
        page: &Page,
    ) -> Result<Listed<vault::Provider>, Fault> {
        caller.need(Role::Manage)?;
        Ok(self.vault.providers(identifier, page).await?)
    }

    /// Changes a provider. Where secrets would go to origins that they were not given for,
    /// `new_origins` says what then; to confirm that takes the role `reveal` as well, since it is
    /// as much as to be shown them.
    pub async fn update_provider(
        &self,
        caller: &Caller,
        identifier: &str,
        change: &Json,
        new_origins: NewOrigins,
    ) -> Result<vault::Provider, Fault> {
        caller.need(Role::Manage)?;
        caller.need_no_limits()?;
        if new_origins == NewOrigins::Confirm {
            caller.need(Role::Reveal)?;
        }
        let before = self.vault.provider(identifier).await?;
        let before = before.ok_or_else(|| Fault::not_found("provider"))?;
        let mut payload = object(&before.payload)?;
        let old = payload.clone();
        payload.extend(kept(change)?);
        let provider = self.judged(&payload)?.with_identifier(identifier);
        same_types(&old, &payload)?;
        let change = ProviderChange {
            over: before.version,
            payload: Json::Object(payload).to_string(),
            origins: self.origins_of_connections(&before, &provider).await?,
            new_origins,
        };
        Ok(self.vault.update_provider(&caller.by(), identifier, &change).await?)
    }

    /// Removes a provider that no connection uses.
    pub async fn delete_provider(&self, caller: &Caller, identifier: &str) -> Result<(), Fault> {
        caller.need(Role::Manage)?;
        caller.need_no_limits()?;
        let gone = self.vault.delete_provider(&caller.by(), identifier).await;
        gone.map_err(|error| match error {
            VaultError::InUse { count, .. } => {
                // In the words that clients of the management API know.
                let message = format!(
                    "cannot delete custom provider with existing connections: there are {count}"
                );
                Fault::new(Kind::Precondition, "in_use", message)
            }
            error => error.into(),
        })
    }

    /// A payload that can be used, with what a plugin answers to.
    fn judged(&self, payload: &Map<String, Json>) -> Result<Provider, Fault> {
        let mut faults = limits(payload);
        let known = self.host.registry().auth_types();
        match Provider::parse(&Json::Object(payload.clone())) {
            Err(problems) => faults.extend(FieldFault::of(&problems, "")),
            Ok(provider) => {
                for pattern in provider.auth_patterns() {
                    if !known.iter().any(|it| it == pattern.auth_type()) {
                        faults.push(FieldFault::new(
                            format!("{}.type", pattern.path()),
                            "is no type that a plugin answers to",
                            format!("use one of {}", known.join(", ")),
                        ));
                    }
                }
                if faults.is_empty() {
                    return Ok(provider);
                }
            }
        }
        Err(Fault::of_fields(faults))
    }

    /// For each connection of the provider, where its secrets go from now on.
    async fn origins_of_connections(
        &self,
        before: &vault::Provider,
        provider: &Provider,
    ) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let before = opened::provider(before)?;
        let identifier = Some(provider.identifier().to_owned());
        let filter = ConnectionFilter { provider: identifier, ..ConnectionFilter::default() };
        let mut origins = BTreeMap::new();
        let mut page = Page { size: PAGE, from: From::Start };
        loop {
            let listed = self.vault.connections(&filter, &page).await?;
            for row in &listed.rows {
                let connection = self.open_connection(row).await?;
                let pattern = provider.pattern(connection.pattern()).map_err(|error| {
                    let what = format!("the connection {} uses another: {error}", row.name);
                    Fault::field("auth_patterns", &what, "keep the pattern under its name")
                })?;
                let old = before.pattern(connection.pattern());
                if old.is_ok_and(|old| old.auth_type() != pattern.auth_type()) {
                    let what = format!("the connection {} would get another type", row.name);
                    let fix = "keep the patterns that connections use under their names";
                    return Err(Fault::field("auth_patterns", &what, fix));
                }
                origins.insert(row.id.clone(), provider.secret_origins(pattern));
            }
            match listed.rows.last() {
                Some(last) if listed.has_next => page.from = From::After(last.id.clone()),
                _ => return Ok(origins),
            }
        }
    }
}

/// The payload without what the service adds itself.
fn kept(payload: &Json) -> Result<Map<String, Json>, Fault> {
    let Json::Object(payload) = payload else {
        return Err(Fault::field("", "is no JSON object", "send the provider's payload"));
    };
    let mut payload = payload.clone();
    payload.retain(|key, value| !ANSWERED.contains(&key.as_str()) && !value.is_null());
    Ok(payload)
}

fn object(text: &str) -> Result<Map<String, Json>, Fault> {
    let unreadable = |_| Fault::new(Kind::Unavailable, "vault_unavailable", "unreadable");
    serde_json::from_str(text).map_err(unreadable)
}

/// What the management API holds payloads to, beyond what makes them usable.
fn limits(payload: &Map<String, Json>) -> Vec<FieldFault> {
    let text = |key: &str| payload.get(key).and_then(Json::as_str);
    let mut faults = Vec::new();
    let name = text("display_name").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ';
    if name.chars().count() > LONGEST_NAME || !name.chars().all(plain) {
        let what = "is longer than 200 characters, or holds more than letters, digits and spaces";
        faults.push(FieldFault::new("display_name", what, "choose a plain name"));
    }
    if text("proxy_url").is_some_and(|url| url.len() > LONGEST_URL) {
        faults.push(FieldFault::new("proxy_url", "is longer than 2048 bytes", "shorten it"));
    }
    if text("icon_src").is_some_and(|url| !url.is_empty() && !url.starts_with("https://")) {
        let what = "does not begin with https://";
        faults.push(FieldFault::new("icon_src", what, "give an address of an image"));
    }
    faults.extend(kinds(payload));
    match payload.get("metadata") {
        None => {}
        Some(Json::Object(pairs)) => {
            let fits = |(key, value): (&String, &Json)| {
                let length = value.as_str().map_or(0, |text| text.chars().count());
                (3..=25).contains(&key.chars().count()) && (1..=256).contains(&length)
            };
            if pairs.len() > MOST_METADATA || !pairs.iter().all(fits) {
                let what = "holds more than 20 pairs, or a key that is not of 3 to 25 characters, \
                            or a value that is not text of 1 to 256";
                faults.push(FieldFault::new("metadata", what, "keep to these limits"));
            }
        }
        Some(_) => {
            faults.push(FieldFault::new("metadata", "is no object", "write {\"key\": \"value\"}"));
        }
    }
    faults
}

/// What the library does not look at, and callers are given back.
fn kinds(payload: &Map<String, Json>) -> Vec<FieldFault> {
    let fits = |key: &str, json: &Json| match key {
        "categories" => json.as_array().is_some_and(|list| list.iter().all(Json::is_string)),
        "display_priority" => json.as_i64().is_some_and(|it| i32::try_from(it).is_ok()),
        "coming_soon" => json.is_boolean(),
        _ => json.is_string(),
    };
    let kinds = [
        ("categories", "is no list of texts"),
        ("display_priority", "is no whole number of 32 bits"),
        ("coming_soon", "is neither true nor false"),
        ("icon_src", "is no text"),
    ];
    let wrong = kinds.iter().filter(|(key, _)| payload.get(*key).is_some_and(|it| !fits(key, it)));
    wrong.map(|(key, what)| FieldFault::new(*key, *what, "mend it or leave it out")).collect()
}

/// A pattern keeps its type, and whether it is of an MCP server.
fn same_types(old: &Map<String, Json>, new: &Map<String, Json>) -> Result<(), Fault> {
    let patterns = |payload: &Map<String, Json>| {
        payload.get("auth_patterns").and_then(Json::as_array).cloned().unwrap_or_default()
    };
    let mut faults = Vec::new();
    for (nth, (old, new)) in patterns(old).iter().zip(patterns(new)).enumerate() {
        for key in ["type", "is_mcp"] {
            let before = old.get(key).filter(|value| **value != Json::Bool(false));
            let after = new.get(key).filter(|value| **value != Json::Bool(false));
            if before != after {
                let field = format!("auth_patterns[{nth}].{key}");
                let what = "cannot change: there may be accounts that were made for it";
                faults.push(FieldFault::new(field, what, "make another provider"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Fault::of_fields(faults)) }
}
