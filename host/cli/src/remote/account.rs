//! `countersign account`.

use std::process::ExitCode;

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::gateway::Gateway;
use super::{document, table, text};
use crate::arguments::{Document, OneAccount, RemoteAccount as Wanted};
use crate::codes;
use crate::confirm;
use crate::failure::Failure;
use crate::output::Output;

/// Rows of a page, the most that a gateway gives.
const PAGE: &str = "99";

pub(super) async fn run(account: &Wanted, output: &Output) -> Result<ExitCode, Failure> {
    match account {
        Wanted::List { gateway, connection, identifier, json } => {
            let gateway = Gateway::open(gateway).await?;
            let query = [
                ("connector", connection.as_deref().unwrap_or_default()),
                ("identifier", identifier.as_deref().unwrap_or_default()),
            ];
            let rows = gateway.all("connected_accounts", &query, PAGE).await?;
            if *json {
                output.json(&json!({"connected_accounts": rows}))?;
            } else {
                output.text(&table(&rows.iter().map(row).collect::<Vec<_>>()))?;
            }
        }
        Wanted::Show { one, reveal } => {
            let gateway = Gateway::open(&one.gateway).await?;
            let path = ["connected_accounts", if *reveal { "auth" } else { "details" }];
            let query = [("connector", &*one.connection), ("identifier", &*one.identifier)];
            let answer = gateway.call(Method::GET, &path, &query, None).await?;
            output.json(&answer["connected_account"])?;
        }
        Wanted::Create { one, credentials } => {
            send(Method::POST, one, credentials, "created", output).await?;
        }
        Wanted::Update { one, credentials } => {
            send(Method::PUT, one, credentials, "updated", output).await?;
        }
        Wanted::Delete { one, yes } => {
            let gateway = Gateway::open(&one.gateway).await?;
            let what = format!("the account {} of {}", one.identifier, one.connection);
            let question = format!("Delete {what} at {}?", gateway.host());
            confirm::demand(*yes, &question, &format!("{what} was not deleted"))?;
            let name = name(one);
            gateway.call(Method::POST, &["connected_accounts:delete"], &[], Some(&name)).await?;
            output.done(&format!("deleted {what}"), &json!({"deleted": name}), one.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn name(one: &OneAccount) -> Json {
    json!({"connector": one.connection, "identifier": one.identifier})
}

async fn send(
    method: Method,
    one: &OneAccount,
    credentials: &Document,
    done: &str,
    output: &Output,
) -> Result<(), Failure> {
    let mut body = name(one);
    body["connected_account"] = Json::Object(for_account(document(credentials)?, one)?);
    let gateway = Gateway::open(&one.gateway).await?;
    let answer = gateway.call(method, &["connected_accounts"], &[], Some(&body)).await?;
    let account = &answer["connected_account"];
    let (identifier, connector) = (text(account, "identifier"), text(account, "connector"));
    let status = text(account, "status");
    output.done(&format!("{done} {identifier} of {connector}: {status}"), account, one.json)
}

/// A file that `inject` and `request` take names its account; the gateway has that name beside the
/// credentials, and not in them.
fn for_account(
    mut credentials: Map<String, Json>,
    one: &OneAccount,
) -> Result<Map<String, Json>, Failure> {
    match credentials.remove("identifier") {
        Some(named) if named != one.identifier.as_str() => {
            let what = "the document is another account's: its `identifier` is not --identifier";
            Err(Failure::new(codes::DOCUMENT_INVALID, what).at("identifier"))
        }
        _ => Ok(credentials),
    }
}

fn row(account: &Json) -> Vec<String> {
    ["connector", "identifier", "status", "auth_type", "id"].map(|it| text(account, it)).into()
}
