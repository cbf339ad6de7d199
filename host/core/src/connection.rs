//! A connection: a provider made usable, with what the operator agreed with it.
//!
//! On `Ok` every setting is a scalar under a name of its own; those that name a secret have the
//! secret's type; and no other holds a control character, so that none can break a form, a URL or
//! a header that it is put into: but for the line breaks of a certificate in PEM.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::{
    authorize::Place,
    fields::names_a_secret,
    last::Last,
    needs::Granted,
    problem::{Problems, Reader, flatten, place},
    secret::Secret,
    store::Row,
    values::{Value, Values},
};

/// A connection's name, the auth pattern that it uses, and its settings.
///
/// No `Debug`: settings hold the client secret.
#[derive(Clone, Default)]
pub struct Connection {
    name: Option<Arc<str>>,
    pattern: Option<String>,
    settings: BTreeMap<String, Value>,
    id: Option<Arc<str>>,
    version: u64,
    /// What its auth pattern's plugin has leave for.
    pub(crate) granted: Last<Granted>,
    /// Where requests go.
    pub(crate) place: Last<Place>,
}

impl Connection {
    /// Reads `{"name"?, "auth_pattern"?, "type"?, "client_id"?, "client_secret"?, "scopes"?, …}`.
    ///
    /// `auth_pattern`, or else `type`, selects the pattern. `scopes` is text, or a list that is
    /// joined with spaces (RFC 6749 section 3.3). Any other list or object is taken apart by JSON
    /// Pointer: `extra_authorize_params/prompt`.
    pub fn parse(json: &Json) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let connection = read(json, &mut problems);
        connection.filter(|_| !problems.has_errors()).ok_or(problems)
    }

    /// The same under the id of its row, where whoever stores it keeps rows; see
    /// [`Row`].
    pub fn with_id(self, id: &str) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    /// The same with another version, which whoever stores it counts up on every change.
    pub fn with_version(self, version: u64) -> Self {
        Self { version, ..self }
    }

    /// What callers name it by.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn shared_name(&self) -> Option<Arc<str>> {
        self.name.clone()
    }

    /// What it calls its auth pattern; see [`Provider::pattern`](crate::provider::Provider::pattern).
    pub fn pattern(&self) -> Option<&str> {
        self.pattern.as_deref()
    }

    /// Counted up by whoever stores it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The row that it was made of.
    pub(crate) fn row(&self) -> Option<Row> {
        Some(Row { id: self.id.clone()?, version: self.version })
    }

    /// One setting, by its name without `connection/`.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.settings.get(name)
    }

    /// Each setting under `connection/`.
    pub fn values(&self) -> Values {
        let mut values = Values::default();
        for (name, value) in &self.settings {
            let name = format!("connection/{name}");
            match value {
                Value::Public(text) => values.set(name, text),
                Value::Secret(secret) => values.set_secret(name, secret.clone()),
            }
        }
        values
    }
}

fn read(json: &Json, problems: &mut Problems) -> Option<Connection> {
    let mut reader = Reader::open(json, String::new(), problems)?;
    let name = reader.text("name");
    let pattern = reader.text("auth_pattern");
    let auth_type = reader.text("type");
    let scopes = match reader.json("scopes") {
        Some(Json::String(text)) => Some(text.clone()),
        Some(_) => Some(reader.texts("scopes").join(" ")),
        None => None,
    };
    let mut settings = BTreeMap::new();
    settings.extend(scopes.map(|scopes| ("scopes".to_owned(), Value::Public(scopes))));
    for (key, json) in reader.rest() {
        flatten(&key.replace('~', "~0").replace('/', "~1"), json, &mut |name, text| {
            let value = if names_a_secret(&name) {
                Value::Secret(Secret::new(text))
            } else {
                Value::Public(text)
            };
            settings.insert(name, value);
        });
    }
    // A list of them would be kept under names that nobody asks for.
    if json.get("client_secret").is_some_and(|secret| !secret.is_string() && !secret.is_null()) {
        problems.error(place("", "client_secret"), "is no text", "write it in quotation marks");
    }
    for (name, value) in &settings {
        check(name, value, problems);
    }
    Some(Connection {
        name: name.map(Into::into),
        pattern: pattern.or(auth_type).map(str::to_owned),
        settings,
        id: None,
        version: 0,
        granted: Last::default(),
        place: Last::default(),
    })
}

/// How a certificate begins, which is no secret and is kept as it is.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

fn is_no_line_break(c: char) -> bool {
    c.is_control() && !matches!(c, '\r' | '\n')
}

/// PEM has line breaks; nothing else that a connection holds does.
fn check(name: &str, value: &Value, problems: &mut Problems) {
    let bad = match value {
        Value::Secret(secret) if name != "client_secret" => secret.expose().contains('\0'),
        Value::Public(text) if text.starts_with(CERTIFICATE) => text.contains(is_no_line_break),
        value => value.expose().chars().any(char::is_control),
    };
    if bad {
        problems.error(
            place("", &name.replace('/', ".")),
            "holds a control character",
            "write it on one line",
        );
    }
}

#[cfg(test)]
mod tests;
