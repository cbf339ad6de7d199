//! A connected account: one end user's credentials under a connection.
//!
//! On `Ok` the account has an identifier, and each value under a name of its own. Whatever an
//! account holder typed is a [`Secret`], a host name too. Nothing here prints a value: there is no
//! `Debug`, and a problem names the field only.

mod state;
mod status;

pub use state::State;
pub use status::{Status, UnknownStatus};

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::{
    problem::{Problems, Reader, kind, place, scalar},
    provider::usable_name,
    secret::Secret,
    store::Row,
};

/// The longest identifier that the management API takes.
const LONGEST_IDENTIFIER: usize = 200;

/// What is known of one account: what its holder typed, and what a flow has learnt.
#[derive(Clone)]
pub struct Account {
    identifier: Arc<str>,
    status: Status,
    values: BTreeMap<String, Secret>,
    state: Option<State>,
    id: Option<Arc<str>>,
    version: u64,
}

impl Account {
    /// Reads an account in one of the two forms of the management API:
    ///
    /// ```json
    /// {"identifier": "u1", "authorization_details": {"static_auth": {"details": {"token": "…"}}}}
    /// {"identifier": "u1", "authorization_details": {
    ///     "oauth_token": {"access_token": "…", "refresh_token": "…", "scopes": ["…"]},
    ///     "token_expires_at": "2026-01-01T00:00:00Z"
    ///  }, "api_config": {"domain": "…", "path_variables": {"tenant": "…"}}}
    /// ```
    ///
    /// Without credentials (no details, an empty `oauth_token`) it is an account whose holder has
    /// yet to authorize, and no error. `status` is taken as it is where it is given.
    pub fn parse(json: &Json) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let account = read(json, &mut problems);
        account.filter(|_| !problems.has_errors()).ok_or(problems)
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

    /// The same with another status.
    pub fn with_status(self, status: Status) -> Self {
        Self { status, ..self }
    }

    /// The same with other state.
    pub fn with_state(self, state: Option<State>) -> Self {
        Self { state, ..self }
    }

    /// Who it belongs to, in the words of the application that connected it.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    pub(crate) fn shared_identifier(&self) -> Arc<str> {
        Arc::clone(&self.identifier)
    }

    /// Whether it can be used. Of one just read: ACTIVE with credentials, PENDING_AUTH without.
    pub fn status(&self) -> Status {
        self.status
    }

    /// One value as it was typed, by its field name.
    pub fn value(&self, name: &str) -> Option<&Secret> {
        self.values.get(name)
    }

    /// All values as they were typed: details, `api_config`, and the path variables of both.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// What a flow has learnt, or the tokens that the account came with.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Counted up by whoever stores it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The row that it was made of.
    pub(crate) fn row(&self) -> Option<Row> {
        Some(Row { id: self.id.clone()?, version: self.version })
    }
}

fn read(json: &Json, problems: &mut Problems) -> Option<Account> {
    const DETAILS: &str = "give { \"static_auth\": { \"details\": { … } } } or \
                           { \"oauth_token\": { \"access_token\": … } }";
    let mut reader = Reader::open(json, String::new(), problems)?;
    let identifier = reader.needed_text("identifier", "name whose account it is");
    if identifier.is_some_and(|text| {
        text.chars().count() > LONGEST_IDENTIFIER || text.chars().any(char::is_control)
    }) {
        reader.problems.error(
            "identifier",
            "is longer than 200 characters or holds a control character",
            "use the name that your application knows the user by",
        );
    }
    let status = reader.text("status").map(|text| (text, text.parse::<Status>()));
    if let Some((_, Err(error))) = &status {
        reader.problems.error("status", error.to_string(), "leave it out to have it derived");
    }
    let outer_expiry = reader.text("token_expires_at");
    let config = reader.object("api_config");
    let details = reader.json("authorization_details");

    let mut values = BTreeMap::new();
    let mut state = None;
    let mut typed = false;
    if let Some(details) = details
        && let Some(mut reader) =
            Reader::open(details, "authorization_details".to_owned(), reader.problems)
    {
        let token = reader.json("oauth_token");
        let statics = reader.json("static_auth");
        if token.is_some() == statics.is_some() {
            let path = "authorization_details";
            reader.problems.error(path, "needs one of static_auth and oauth_token", DETAILS);
        }
        let expiry = reader.text("token_expires_at").or(outer_expiry);
        if let Some(token) = token {
            state = state::read_token(token, expiry, &mut values, reader.problems);
        }
        if let Some(statics) = statics {
            read_static(statics, &mut values, reader.problems);
            typed = !values.is_empty();
        }
    }
    if let Some(config) = config {
        collect(config, "api_config", &mut values, problems);
    }
    let credentials = state.is_some() || typed;
    let derived = if credentials { Status::Active } else { Status::PendingAuth };
    let status = status.and_then(|(_, parsed)| parsed.ok()).unwrap_or(derived);
    Some(Account { identifier: identifier?.into(), status, values, state, id: None, version: 0 })
}

fn read_static(json: &Json, values: &mut BTreeMap<String, Secret>, problems: &mut Problems) {
    let path = "authorization_details.static_auth".to_owned();
    let Some(mut reader) = Reader::open(json, path, problems) else { return };
    reader.needed("details", "write the values by field name: { \"token\": \"…\" }");
    if let Some(details) = reader.object("details") {
        let path = reader.at("details");
        collect(details, &path, values, reader.problems);
    }
}

/// Takes the scalars of `object`, and of the `path_variables` within it.
fn collect(
    object: &Map<String, Json>,
    path: &str,
    values: &mut BTreeMap<String, Secret>,
    problems: &mut Problems,
) {
    for (name, json) in object {
        let at = place(path, name);
        match json {
            Json::Object(variables) if name == "path_variables" => {
                for (name, json) in variables {
                    insert(name, json, &place(&at, name), values, problems);
                }
            }
            json => insert(name, json, &at, values, problems),
        }
    }
}

fn insert(
    name: &str,
    json: &Json,
    path: &str,
    values: &mut BTreeMap<String, Secret>,
    problems: &mut Problems,
) {
    let Some(text) = scalar(json) else {
        if !json.is_null() {
            let what = format!("is {} where text, a number or a flag is expected", kind(json));
            problems.error(path, what, "give each field one value");
        }
        return;
    };
    if !usable_name(name) {
        problems.error(path, "is not a name that a field can have", "name a field of the pattern");
    }
    if text.contains('\0') {
        problems.error(path, "holds NUL", "give the value without it");
    }
    if values.insert(name.to_owned(), Secret::new(text)).is_some() {
        problems.error(path, "is given twice", "give it once");
    }
}

#[cfg(test)]
mod tests;
