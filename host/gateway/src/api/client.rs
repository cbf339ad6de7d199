//! `/clients`.

use std::collections::BTreeSet;

use axum::extract::State;
use countersign_vault::{Client, Role};
use serde_json::{Value as Json, json};

use super::Api;
use super::call::Call;
use super::members::Members;
use super::reply::{Reply, put, time};
use crate::fault::{Fault, FieldFault};
use crate::service::{ClientRequest, Issued};

pub(super) async fn create(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let body = call.document().await?;
    let new = read(body, &mut call.faults);
    let (caller, faults) = call.judged();
    let issued = api.service.make_client(&caller, new, faults).await?;
    Ok(Reply::created(with_secret(&issued)))
}

pub(super) async fn list(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    let caller = call.ready()?;
    let clients = api.service.clients(&caller).await?;
    let json: Vec<Json> = clients.iter().map(shown).collect();
    Ok(Reply::ok(json!({"clients": json, "total_size": json.len()})))
}

pub(super) async fn one(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    let id = call.name.clone();
    let caller = call.ready()?;
    let client = api.service.client(&caller, &id).await?;
    Ok(Reply::ok(json!({"client": shown(&client)})))
}

pub(super) async fn rotate(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    let id = call.name.clone();
    let caller = call.ready()?;
    let issued = api.service.rotate_client(&caller, &id).await?;
    Ok(Reply::ok(with_secret(&issued)))
}

pub(super) async fn revoke(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    let id = call.name.clone();
    let caller = call.ready()?;
    api.service.revoke_client(&caller, &id).await?;
    Ok(Reply::done())
}

fn read(body: Json, faults: &mut Vec<FieldFault>) -> ClientRequest {
    let mut members = Members::of(body, "", faults);
    let name = members.text("name", usize::MAX, faults).unwrap_or_default();
    let mut roles = BTreeSet::new();
    for (nth, role) in members.texts("roles", faults).unwrap_or_default().iter().enumerate() {
        if let Some(role) = Role::parse(role) {
            roles.insert(role);
        } else {
            let fix = "write one of proxy, manage, reveal";
            faults.push(FieldFault::new(format!("roles[{nth}]"), "is no role", fix));
        }
    }
    let connections = members.texts("connections", faults);
    let identifiers = members.texts("identifiers", faults);
    members.end(faults);
    ClientRequest { name, roles, connections, identifiers }
}

/// The one time that a secret is told.
fn with_secret(issued: &Issued) -> Json {
    json!({"client": shown(&issued.client), "client_secret": issued.secret.expose()})
}

fn shown(client: &Client) -> Json {
    let roles: Vec<&str> = client.roles.iter().map(|role| role.as_str()).collect();
    let mut json = json!({
        "id": client.id,
        "name": client.name,
        "roles": roles,
        "created_at": time(client.created_at),
        "updated_at": time(client.updated_at),
    });
    put(&mut json, "connections", client.connections.clone());
    put(&mut json, "identifiers", client.identifiers.clone());
    json
}
