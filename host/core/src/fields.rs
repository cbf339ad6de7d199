//! The values of one call: what the payload, the connection, the account and its state give, with
//! the payload's mutations made.
//!
//! [`assemble`] takes documents that have been parsed. On `Ok` each required input has a value,
//! each value of an input is of the shape that the payload asks for, and the built-in mutations
//! are made; [`Assembled::finish`] gives the values out only once the custom ones are made as
//! well. On `Err` nothing comes out, and the error names fields, never values. A value is text and
//! stays so: `{{token}}` typed by an account holder is eleven bytes, not a placeholder.

mod assembled;
mod proxy_headers;
mod secrecy;

pub use assembled::{Assembled, MutationCall};
pub use proxy_headers::{ProxyHeaderError, proxy_headers};
pub use secrecy::names_a_secret;

use crate::{
    account::{Account, State},
    connection::Connection,
    provider::{AuthPattern, Field, FieldMutation, Provider},
    secret::Secret,
    values::{Value, Values},
};

/// The value that a state's access token is mutated into.
const TOKEN: &str = "token";
const ACCESS_TOKEN: &str = "access_token";

/// Where the values of a call come from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The upstream API.
    pub provider: &'a Provider,
    /// The provider's pattern that the connection selects.
    pub pattern: &'a AuthPattern,
    /// Its settings.
    pub connection: &'a Connection,
    /// What `setup` learnt for the whole connection.
    pub shared: Option<&'a State>,
    /// Whose request it is.
    pub account: &'a Account,
    /// What is kept for the account now; it may be newer than the account's own.
    pub state: Option<&'a State>,
}

/// The account does not have what its auth pattern asks for. Whoever connected it acts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldsError {
    /// Required inputs without a value, all of them.
    #[error("the account has no value for: {}", fields.join(", "))]
    Missing {
        /// Their field names.
        fields: Vec<String>,
    },
    /// Inputs whose value the payload refuses, all of them.
    #[error("the account's value does not match the field's pattern for: {}", fields.join(", "))]
    Mismatch {
        /// Their field names.
        fields: Vec<String>,
    },
    /// Values with a line break or another control character, where none can be, all of them.
    #[error("the account's value holds a control character for: {}", fields.join(", "))]
    Unprintable {
        /// Their field names.
        fields: Vec<String>,
    },
    /// A custom mutation gave nothing. Whoever wrote the payload acts.
    #[error("the mutation of `{field}` gave an empty value")]
    Emptied {
        /// Its target.
        field: String,
    },
    /// Custom mutations that were not made. Whoever embeds the library acts.
    #[error("custom mutations were not made for: {}", fields.join(", "))]
    Unmutated {
        /// Their targets.
        fields: Vec<String>,
    },
}

impl FieldsError {
    /// What is the matter with each of them, as the end of a sentence that begins with its name.
    pub fn flaw(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "is missing",
            Self::Mismatch { .. } => "does not match the field's pattern",
            Self::Unprintable { .. } => "holds a control character",
            Self::Emptied { .. } => "was mutated to nothing",
            Self::Unmutated { .. } => "was not mutated",
        }
    }

    /// The names of the values at fault; at least one.
    pub fn fields(&self) -> &[String] {
        match self {
            Self::Missing { fields }
            | Self::Mismatch { fields }
            | Self::Unprintable { fields }
            | Self::Unmutated { fields } => fields,
            Self::Emptied { field } => std::slice::from_ref(field),
        }
    }
}

/// All values of one call. `provider/proxy_url` and the pattern's endpoints are as written:
/// whoever renders them sets them again.
pub fn assemble(sources: &Sources<'_>) -> Result<Assembled, FieldsError> {
    let Sources { provider, pattern, connection, shared, account, state } = *sources;
    let mut values = connection_values(provider, pattern, connection, shared);
    if let Some(state) = state {
        keep(state, "state", &mut values);
        for (name, time) in [("expires-at", state.expires_at), ("renew-at", state.renew_at)] {
            if let Some(time) = time {
                values.set(format!("state/{name}"), time.to_string());
            }
        }
    }
    let token = state.and_then(|state| state.secrets.get(ACCESS_TOKEN)).filter(|t| !is_blank(t));

    check_shape(pattern, account)?;
    // The access token comes last, so that it wins over a typed value of that name.
    let given = account.values().chain(token.map(|token| (TOKEN, token)));
    for (name, value) in given.filter(|(_, value)| !is_blank(value)) {
        values.set_secret(format!("account/{name}"), value.clone());
    }
    let mut calls = Vec::new();
    for mutation in pattern.mutations() {
        mutate(mutation, &mut values, &mut calls);
    }
    let has = |field: &Field| values.get(&format!("account/{}", field.name())).is_some();
    let missing = pattern.all_fields().filter(|field| field.required() && !has(field));
    let fields = names(missing);
    if fields.is_empty() {
        Ok(Assembled::new(values, calls))
    } else {
        Err(FieldsError::Missing { fields })
    }
}

/// The values of a connection alone, with no account in sight: what `setup` is shown.
pub fn connection_values(
    provider: &Provider,
    pattern: &AuthPattern,
    connection: &Connection,
    shared: Option<&State>,
) -> Values {
    let mut values = provider.values();
    for (name, value) in pattern.values().iter().chain(connection.values().iter()) {
        put(&mut values, name.to_owned(), value);
    }
    if let Some(shared) = shared {
        keep(shared, "shared", &mut values);
    }
    values
}

/// Lays values over those that were assembled. What comes from the state stays: a flow may have changed
/// it since.
pub(crate) fn lay_over(values: &mut Values, laid: &Values, state: Option<&State>) {
    let token = state.is_some_and(|state| state.secrets.contains_key(ACCESS_TOKEN));
    for (name, value) in laid.iter() {
        let is_of_state = ["state/", "shared/"].iter().any(|root| name.starts_with(root))
            || (token && name.strip_prefix("account/") == Some(TOKEN));
        if !is_of_state {
            put(values, name.to_owned(), value);
        }
    }
}

/// The same of a connection's alone.
pub(crate) fn lay_over_connection(values: &mut Values, laid: &Values) {
    let of_connection = ["provider/", "pattern/", "connection/"];
    for (name, value) in laid.iter() {
        if of_connection.iter().any(|root| name.starts_with(root)) {
            put(values, name.to_owned(), value);
        }
    }
}

/// What fills `{{name}}`: the account's value of a declared input, or else a declared attribute of
/// its state. Never a secret of the state, and never a name that the pattern does not declare.
pub fn placeholder<'v>(pattern: &AuthPattern, values: &'v Values, name: &str) -> Option<&'v str> {
    let input = || values.text(&format!("account/{name}"));
    let attribute = || match values.get(&format!("state/{name}")) {
        Some(Value::Public(text)) => Some(text.as_str()),
        Some(Value::Secret(_)) | None => None,
    };
    let is_attribute = pattern.attributes().iter().any(|known| known == name);
    pattern
        .field(name)
        .and_then(|_| input())
        .or_else(|| is_attribute.then(attribute).flatten())
        .filter(|text| !text.is_empty())
}

fn mutate(mutation: &FieldMutation, values: &mut Values, calls: &mut Vec<MutationCall>) {
    let name = format!("account/{}", mutation.target());
    let Some(mutated) = mutation.apply(values.text(&name)) else { return };
    values.set_secret(name, Secret::new(mutated));
    if let Some(custom) = mutation.custom() {
        calls.push(MutationCall::new(mutation.target(), custom));
    }
}

/// Inputs as they were typed: a prefix is the payload's, and no business of the field's pattern.
fn check_shape(pattern: &AuthPattern, account: &Account) -> Result<(), FieldsError> {
    let typed = || account.values().filter(|(_, value)| !is_blank(value));
    let unprintable: Vec<String> = typed()
        .filter(|(name, _)| !pattern.field(name).is_some_and(Field::is_multiline))
        .filter(|(_, value)| value.expose().chars().any(char::is_control))
        .map(|(name, _)| name.to_owned())
        .collect();
    if !unprintable.is_empty() {
        return Err(FieldsError::Unprintable { fields: unprintable });
    }
    let refused = |field: &&Field| {
        let value = account.value(field.name()).filter(|value| !is_blank(value));
        value.is_some_and(|value| !field.accepts(value.expose()))
    };
    let mismatched = names(pattern.all_fields().filter(refused));
    if mismatched.is_empty() { Ok(()) } else { Err(FieldsError::Mismatch { fields: mismatched }) }
}

fn keep(state: &State, under: &str, values: &mut Values) {
    for (name, text) in &state.attributes {
        values.set(format!("{under}/{name}"), text);
    }
    // After the attributes: were one name in both, it would be the secret that stays.
    for (name, secret) in &state.secrets {
        values.set_secret(format!("{under}/{name}"), secret.clone());
    }
}

fn put(values: &mut Values, name: String, value: &Value) {
    match value {
        Value::Public(text) => values.set(name, text),
        Value::Secret(secret) => values.set_secret(name, secret.clone()),
    }
}

fn names<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<String> {
    fields.map(|field| field.name().to_owned()).collect()
}

fn is_blank(secret: &Secret) -> bool {
    secret.expose().trim().is_empty()
}

#[cfg(test)]
mod tests;
