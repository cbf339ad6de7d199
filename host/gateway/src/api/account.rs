//! `/connected_accounts`.
//!
//! An account is named by its id, or by its connector and its identifier; where no identifier is
//! given, it is made of `organization_id` and `user_id`.

use axum::extract::State;
use countersign_vault::{self as vault, AccountFilter, Listed, Page};
use serde_json::{Value as Json, json};

use super::Api;
use super::call::Call;
use super::members::{Members, related};
use super::page::{self, ACCOUNTS};
use super::parameters::Parameters;
use super::reply::{Reply, put, time};
use crate::fault::{Fault, FieldFault};
use crate::service::{AccountName, AccountUpdate, NewAccount};

/// Rows of a page, and of one that is searched for.
pub(super) const MOST: u32 = 99;
pub(super) const MOST_FOUND: u32 = 30;

/// Connections in one filter.
pub(super) const MOST_CONNECTIONS: usize = 20;

/// Characters, as the management API has them; an identifier is as long as the longest that any of
/// its calls takes.
pub(super) const LONGEST_ID: usize = 32;
pub(super) const LONGEST_CONNECTOR: usize = 400;
pub(super) const LONGEST_IDENTIFIER: usize = 200;
pub(super) const LONGEST_PROVIDER: usize = 255;
pub(super) const LONGEST_QUERY: usize = 100;
pub(super) const SEARCHED: std::ops::RangeInclusive<usize> = 3..=200;

/// What the SDKs know of types, where they call one otherwise.
const TYPES: [(&str, &str); 11] = [
    ("OAUTH", "OAUTH"),
    ("API_KEY", "API_KEY"),
    ("BASIC", "BASIC"),
    ("BEARER", "BEARER_TOKEN"),
    ("OAUTH_M2M", "OAUTH_M2M"),
    ("TRELLO_OAUTH1", "TRELLO_OAUTH1"),
    ("GOOGLE_DWD", "GOOGLE_DWD"),
    ("TRUSTED_IDP", "TRUSTED_IDP"),
    ("SMART_FHIR", "SMART_FHIR"),
    ("NO_AUTH", "NO_AUTH"),
    ("CUSTOM", "CUSTOM"),
];

pub(super) async fn create(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let body = call.document().await?;
    let sent = Sent::read(body.clone(), false, &mut call.faults);
    let new = NewAccount {
        connector: sent.name.connector.unwrap_or_default(),
        identifier: sent.name.identifier.unwrap_or_default(),
        authorization_details: sent.authorization_details,
        api_config: sent.api_config,
    };
    let (caller, faults) = call.judged();
    let made = api.service.make_account(&caller, new, faults).await;
    let row = made.map_err(|fault| related(fault, &body, &[]))?;
    Ok(Reply::created(json!({"connected_account": shown(&row)})))
}

pub(super) async fn update(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let body = call.document().await?;
    let Sent { name, authorization_details, api_config } =
        Sent::read(body.clone(), true, &mut call.faults);
    let update = AccountUpdate { authorization_details, api_config };
    let (caller, faults) = call.judged();
    let changed = api.service.change_account(&caller, &name, update, faults).await;
    let row = changed.map_err(|fault| related(fault, &body, &[]))?;
    Ok(Reply::ok(json!({"connected_account": shown(&row)})))
}

pub(super) async fn delete(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let body = call.document().await?;
    let mut members = Members::of(body, "", &mut call.faults);
    let name = name(&mut members, true, true, &mut call.faults);
    members.end(&mut call.faults);
    let caller = call.ready()?;
    api.service.delete_account(&caller, &name).await?;
    Ok(Reply::done())
}

pub(super) async fn details(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let name = name(&mut call.parameters, true, true, &mut call.faults);
    let caller = call.ready()?;
    let row = api.service.account(&caller, &name).await?;
    Ok(Reply::ok(json!({"connected_account": shown(&row)})))
}

pub(super) async fn auth(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let name = name(&mut call.parameters, true, true, &mut call.faults);
    let caller = call.ready()?;
    let revealed = api.service.reveal_account(&caller, &name).await?;
    let mut json = shown(&revealed.account);
    let parsed = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_else(|_| json!({}));
    json["authorization_details"] = parsed(revealed.authorization_details.expose());
    json["api_config"] = parsed(revealed.api_config.expose());
    Ok(Reply::ok(json!({"connected_account": json})))
}

pub(super) async fn list(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let Call { parameters, faults, .. } = &mut call;
    let AccountName { connector, identifier, .. } = name(parameters, false, false, faults);
    let names = parameters.texts("connection_names");
    if names.len() > MOST_CONNECTIONS {
        let what = format!("names more than {MOST_CONNECTIONS} connections");
        faults.push(FieldFault::new("connection_names", what, "name fewer"));
    }
    for name in &names {
        check_connector("connection_names", name, faults);
    }
    if connector.is_some() && !names.is_empty() {
        let what = "is given beside connector";
        faults.push(FieldFault::new("connection_names", what, "give one of the two"));
    }
    let filter = AccountFilter {
        connections: connector.into_iter().chain(names).collect(),
        provider: parameters.text("provider", LONGEST_PROVIDER, faults),
        identifier,
        query: parameters.text("query", LONGEST_QUERY, faults),
    };
    let org_wide = parameters.flag("is_org_wide_credential", faults);
    let page = page::page(ACCOUNTS, MOST, parameters, faults);
    let caller = call.ready()?;
    let mut listed = api.service.accounts(&caller, &filter, &page).await?;
    if org_wide == Some(true) {
        // Each account here is of one user.
        listed = page::empty();
    }
    Ok(reply(&listed, &page))
}

pub(super) async fn search(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let Call { parameters, faults, .. } = &mut call;
    let query = parameters.text("query", usize::MAX, faults);
    if !query.as_ref().is_some_and(|query| SEARCHED.contains(&query.chars().count())) {
        let what = "is not of 3 to 200 characters";
        faults.push(FieldFault::new("query", what, "give part of an identifier"));
    }
    let connection = parameters.text("connection_id", LONGEST_ID, faults);
    let page = page::page(ACCOUNTS, MOST_FOUND, parameters, faults);
    let caller = call.ready()?;
    let mut filter = AccountFilter { query, ..AccountFilter::default() };
    if let Some(id) = connection {
        filter.connections.push(api.service.connection(&caller, &id).await?.name);
    }
    let listed = api.service.accounts(&caller, &filter, &page).await?;
    Ok(reply(&listed, &page))
}

/// An account as a caller writes it.
struct Sent {
    name: AccountName,
    authorization_details: Json,
    api_config: Json,
}

impl Sent {
    fn read(body: Json, with_id: bool, faults: &mut Vec<FieldFault>) -> Self {
        let mut members = Members::of(body, "", faults);
        let name = name(&mut members, with_id, true, faults);
        let account = members.members("connected_account", faults);
        if account.is_none() {
            let fix = "write {} where there is nothing to say";
            members.missing("connected_account", fix, faults);
        }
        members.end(faults);
        let mut sent = Self { name, authorization_details: Json::Null, api_config: Json::Null };
        if let Some(mut account) = account {
            sent.authorization_details = object(&mut account, "authorization_details", faults);
            sent.api_config = object(&mut account, "api_config", faults);
            account.end(faults);
        }
        sent
    }
}

/// An object as it is, or null.
fn object(members: &mut Members, name: &str, faults: &mut Vec<FieldFault>) -> Json {
    let place = members.at(name);
    match members.take(name) {
        None => Json::Null,
        Some(object @ Json::Object(_)) => object,
        Some(_) => {
            let fix = "write {\"key\": \"value\"}";
            faults.push(FieldFault::new(place, "is no JSON object", fix));
            Json::Null
        }
    }
}

/// What texts are read from: a body, or a query.
trait Texts {
    fn text(&mut self, name: &str, most: usize, faults: &mut Vec<FieldFault>) -> Option<String>;
}

impl Texts for Members {
    fn text(&mut self, name: &str, most: usize, faults: &mut Vec<FieldFault>) -> Option<String> {
        Members::text(self, name, most, faults)
    }
}

impl Texts for Parameters {
    fn text(&mut self, name: &str, most: usize, faults: &mut Vec<FieldFault>) -> Option<String> {
        Parameters::text(self, name, most, faults)
    }
}

/// Which account; with `needed`, one has to be said.
fn name(
    texts: &mut impl Texts,
    with_id: bool,
    needed: bool,
    faults: &mut Vec<FieldFault>,
) -> AccountName {
    let before = faults.len();
    let id = if with_id { texts.text("id", LONGEST_ID, faults) } else { None };
    let connector = texts.text("connector", LONGEST_CONNECTOR, faults);
    let identifier = texts.text("identifier", LONGEST_IDENTIFIER, faults);
    let organization = texts.text("organization_id", LONGEST_ID, faults);
    let user = texts.text("user_id", LONGEST_ID, faults);
    if let Some(connector) = &connector {
        check_connector("connector", connector, faults);
    }
    let identifier = match (identifier, organization, user) {
        (Some(identifier), ..) => Some(identifier),
        (None, Some(organization), Some(user)) => Some(format!("{organization}/{user}")),
        (None, Some(organization), None) => Some(organization),
        (None, None, Some(_)) if id.is_some() => None,
        (None, None, Some(_)) => {
            let what = "is given without organization_id";
            faults.push(FieldFault::new("user_id", what, "give identifier, or both"));
            None
        }
        (None, None, None) => None,
    };
    let name = AccountName { id, connector, identifier };
    if needed && name.id.is_none() && faults.len() == before {
        let fix = if with_id {
            "give id, or connector and identifier"
        } else {
            "give connector and identifier"
        };
        for (field, text) in [("connector", &name.connector), ("identifier", &name.identifier)] {
            if text.is_none() {
                faults.push(FieldFault::new(field, "is missing", fix));
            }
        }
    }
    name
}

fn check_connector(field: &str, name: &str, faults: &mut Vec<FieldFault>) {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_: -".contains(c);
    if !name.chars().all(fits) || name.len() > LONGEST_CONNECTOR {
        let what = "holds more than letters, digits, spaces, `_`, `:` and `-`";
        faults.push(FieldFault::new(field, what, "give a connection's name"));
    }
}

fn reply(listed: &Listed<vault::Account>, page: &Page) -> Reply {
    let json = listed.rows.iter().map(shown).collect();
    let edges = page::edges(listed, page, |it| &it.id);
    Reply::list("connected_accounts", ACCOUNTS, listed, json, edges)
}

/// Without its credentials, and without `api_config`, which may hold some.
fn shown(row: &vault::Account) -> Json {
    let known = TYPES.iter().find(|(own, _)| *own == row.auth_type);
    let mut json = json!({
        "id": row.id,
        "identifier": row.identifier,
        "provider": row.provider,
        "connector": row.connection_name,
        "connection_id": row.connection,
        "status": row.status.as_str(),
        "authorization_type": known.map_or("CUSTOM", |(_, theirs)| theirs),
        "auth_type": row.auth_type,
        "is_org_wide_credential": false,
        "version": row.version,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    });
    put(&mut json, "token_expires_at", row.expires_at.map(time));
    put(&mut json, "last_used_at", row.last_used_at.map(time));
    json
}
