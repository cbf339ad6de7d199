//! `countersign connection`.

use std::process::ExitCode;

use http::Method;
use serde_json::{Value as Json, json};

use super::gateway::Gateway;
use super::{document, table, text};
use crate::arguments::{One, RemoteConnection as Wanted};
use crate::codes;
use crate::confirm;
use crate::failure::Failure;
use crate::output::Output;

/// Rows of a page, the most that a gateway gives.
const PAGE: &str = "100";

pub(super) async fn run(connection: &Wanted, output: &Output) -> Result<ExitCode, Failure> {
    match connection {
        Wanted::List { gateway, provider, json } => {
            let gateway = Gateway::open(gateway).await?;
            let provider = provider.as_deref().unwrap_or_default();
            let rows = gateway.all("connections", &[("provider", provider)], PAGE).await?;
            if *json {
                output.json(&json!({"connections": rows}))?;
            } else {
                output.text(&table(&rows.iter().map(row).collect::<Vec<_>>()))?;
            }
        }
        Wanted::Show(one) => {
            let gateway = Gateway::open(&one.gateway).await?;
            let id = id(&gateway, &one.name).await?;
            let answer = gateway.call(Method::GET, &["connections", &id], &[], None).await?;
            output.json(&answer["connection"])?;
        }
        Wanted::Create { gateway, provider, name, auth_pattern, settings, json } => {
            let mut body = document(settings)?;
            let named = [("provider_key", Some(provider)), ("key_id", name.as_ref())];
            for (member, value) in
                named.into_iter().chain([("auth_pattern", auth_pattern.as_ref())])
            {
                if let Some(value) = value {
                    body.insert(member.to_owned(), value.as_str().into());
                }
            }
            let body = json!({"connection": body});
            let gateway = Gateway::open(gateway).await?;
            let made = gateway.call(Method::POST, &["connections"], &[], Some(&body)).await?;
            told("created", &made["connection"], *json, output)?;
        }
        Wanted::Update { one, settings } => {
            let body = Json::Object(document(settings)?);
            let gateway = Gateway::open(&one.gateway).await?;
            let id = id(&gateway, &one.name).await?;
            let path = ["connections", &id];
            let changed = gateway.call(Method::PATCH, &path, &[], Some(&body)).await?;
            told("updated", &changed["connection"], one.json, output)?;
        }
        Wanted::Delete { one, yes } => {
            let gateway = Gateway::open(&one.gateway).await?;
            let id = id(&gateway, &one.name).await?;
            let name = &one.name;
            let question = format!("Delete the connection {name} at {}?", gateway.host());
            confirm::demand(*yes, &question, &format!("the connection {name} was not deleted"))?;
            gateway.call(Method::DELETE, &["connections", &id], &[], None).await?;
            output.done(&format!("deleted {name}"), &json!({"deleted": id}), one.json)?;
        }
        Wanted::Enable(one) => toggle(one, "enable", "enabled", output).await?,
        Wanted::Disable(one) => toggle(one, "disable", "disabled", output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn toggle(one: &One, verb: &str, done: &str, output: &Output) -> Result<(), Failure> {
    let gateway = Gateway::open(&one.gateway).await?;
    let id = id(&gateway, &one.name).await?;
    let path = ["connections", &format!("{id}:{verb}")];
    let answer = gateway.call(Method::PATCH, &path, &[], None).await?;
    told(done, &answer["connection"], one.json, output)
}

/// The id of a connection that is named.
async fn id(gateway: &Gateway, name: &str) -> Result<String, Failure> {
    let rows = gateway.all("connections", &[], PAGE).await?;
    let found = rows.iter().find(|it| it["key_id"] == name);
    let found = found.or_else(|| rows.iter().find(|it| it["id"] == name));
    found.map(|it| text(it, "id")).ok_or_else(|| {
        let what = format!("there is no connection {name}, or this client does not see it");
        Failure::new(codes::NAME_UNKNOWN, what)
    })
}

fn told(done: &str, connection: &Json, json: bool, output: &Output) -> Result<(), Failure> {
    let (name, id) = (text(connection, "key_id"), text(connection, "id"));
    output.done(&format!("{done} {name} ({id})"), connection, json)
}

fn row(connection: &Json) -> Vec<String> {
    let member = |name| text(connection, name);
    let enabled = if connection["enabled"] == false { "disabled" } else { "enabled" };
    let (name, provider) = (member("key_id"), member("provider_key"));
    vec![name, provider, member("type"), enabled.to_owned(), member("id")]
}
