//! Rows of the vault, as the library's own types.

use countersign::account::{Account, State};
use countersign::connection::Connection;
use countersign::provider::Provider;
use countersign::secret::Secret;
use countersign_vault as vault;
use serde_json::{Map, Value as Json};

use crate::fault::{Fault, Kind};

/// What was judged when it was written reads again; where it does not, this version of the program
/// judges otherwise.
fn unreadable(what: &str, name: &str) -> Fault {
    let message = format!("the {what} {name} is kept in a form that this version does not take");
    Fault::new(Kind::Unavailable, "unreadable", message)
}

pub(super) fn object(text: &str) -> Result<Map<String, Json>, Fault> {
    serde_json::from_str(text).map_err(|_| unreadable("document", ""))
}

pub(super) fn provider(row: &vault::Provider) -> Result<Provider, Fault> {
    let provider = Provider::parse_text(&row.payload);
    let provider = provider.map_err(|_| unreadable("provider", &row.identifier))?;
    Ok(provider.with_identifier(&row.identifier))
}

pub(super) fn connection(row: &vault::Connection, settings: &Secret) -> Result<Connection, Fault> {
    let json = Json::Object(object(settings.expose())?);
    let connection = Connection::parse(&json).map_err(|_| unreadable("connection", &row.name))?;
    Ok(connection.with_id(&row.id).with_version(row.version))
}

pub(super) fn account(
    row: &vault::Account,
    details: &Secret,
    state: Option<&State>,
) -> Result<Account, Fault> {
    let mut json = object(details.expose())?;
    json.insert("identifier".to_owned(), row.identifier.clone().into());
    let account = Account::parse(&Json::Object(json));
    let account = account.map_err(|_| unreadable("account", &row.id))?;
    let account = account.with_id(&row.id).with_version(row.version);
    Ok(account.with_status(row.status).with_state(state.cloned()))
}
