//! `countersign client`: who may call a server, kept in its vault. A server that runs on the same
//! data folder takes each change with the next request.

use std::collections::BTreeSet;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::random::{Random as _, SystemRandom};
use countersign::secret::Secret;
use countersign_vault::{By, Client, Clients as _, Hash, NewClient, Role, SqlVault, VaultError};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use crate::arguments;
use crate::codes;
use crate::config::{self, Layers};
use crate::confirm;
use crate::failure::Failure;
use crate::host;
use crate::output::Output;
use crate::serve::{failed, open};

/// Runs one of the four.
pub(crate) fn run(
    layers: &Layers,
    client: arguments::Client,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let loaded = layers.load().map_err(|problems| config::refused(&problems))?;
    host::runtime()?.block_on(async {
        let vault = open(&loaded).await?;
        let done = dispatch(&vault, client, output).await;
        vault.close().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

/// Who changes something at the command line, for the audit.
pub(crate) fn by() -> By {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    By { client: user.unwrap_or_else(|| "operator".to_owned()), request: "command".to_owned() }
}

/// 32 random bytes, which nobody guesses.
pub(crate) fn new_secret() -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    let filled = SystemRandom.fill(&mut *bytes);
    filled.map_err(|error| Failure::new(codes::HOST_UNUSABLE, error.to_string()))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

async fn dispatch(
    vault: &SqlVault,
    client: arguments::Client,
    output: &Output,
) -> Result<(), Failure> {
    use arguments::Client as Wanted;
    match client {
        Wanted::Create { name, roles, connections, identifiers, json, .. } => {
            let secret = new_secret()?;
            let limit = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
            let new = NewClient {
                id: None,
                name,
                secret_hash: Hash::of(secret.expose()),
                roles: roles.into_iter().map(role).collect(),
                connections: limit(connections),
                identifiers: limit(identifiers),
            };
            let made = vault.create_client(&by(), &new).await.map_err(|error| failed(&error))?;
            show_secret(&made, &secret, json, output)
        }
        Wanted::List { json, .. } => {
            let clients = vault.clients().await.map_err(|error| failed(&error))?;
            if json {
                let list: Vec<Json> = clients.iter().map(document).collect();
                return output.json(&json!({"clients": list}));
            }
            output.text(&clients.iter().map(line).collect::<String>())
        }
        Wanted::Rotate { id, json, .. } => {
            let secret = new_secret()?;
            let rotated = vault.rotate_client(&by(), &id, &Hash::of(secret.expose())).await;
            show_secret(&rotated.map_err(|error| missing(&id, &error))?, &secret, json, output)
        }
        Wanted::Revoke { id, yes, json, .. } => {
            let found = vault.client(&id).await.map_err(|error| failed(&error))?;
            let found =
                found.ok_or_else(|| missing(&id, &VaultError::Missing { what: "client" }))?;
            let question = format!("Revoke {} ({}) for good?", found.id, found.name);
            confirm::demand(yes, &question, &format!("the client {id} was not revoked"))?;
            let revoked = vault.revoke_client(&by(), &id).await;
            let revoked = revoked.map_err(|error| missing(&id, &error))?;
            if json {
                return output.json(&document(&revoked));
            }
            output.text(&format!("{id} is revoked, and its tokens have ended\n"))
        }
    }
}

fn role(role: arguments::Role) -> Role {
    match role {
        arguments::Role::Proxy => Role::Proxy,
        arguments::Role::Manage => Role::Manage,
        arguments::Role::Reveal => Role::Reveal,
    }
}

fn missing(id: &str, error: &VaultError) -> Failure {
    match error {
        VaultError::Missing { .. } => {
            let what = format!("there is no client {id}, or it is revoked");
            Failure::new(codes::CLIENT_UNKNOWN, what)
        }
        error => failed(error),
    }
}

fn show_secret(
    client: &Client,
    secret: &Secret,
    json: bool,
    output: &Output,
) -> Result<(), Failure> {
    if json {
        let mut document = document(client);
        document["client_secret"] = secret.expose().into();
        return output.json(&document);
    }
    output.text(&format!(
        "{}The secret is shown this once:\n\n  COUNTERSIGN_CLIENT_ID={}\n  \
         COUNTERSIGN_CLIENT_SECRET={}\n",
        line(client),
        client.id,
        secret.expose()
    ))
}

fn roles(roles: &BTreeSet<Role>) -> Vec<&'static str> {
    roles.iter().map(|role| role.as_str()).collect()
}

fn time(millis: u64) -> String {
    let time = i64::try_from(millis).ok().and_then(|it| Timestamp::from_millisecond(it).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn document(client: &Client) -> Json {
    json!({
        "client_id": client.id,
        "name": client.name,
        "roles": roles(&client.roles),
        "connections": client.connections,
        "identifiers": client.identifiers,
        "created_at": time(client.created_at),
        "updated_at": time(client.updated_at),
        "revoked_at": client.revoked_at.map(time),
    })
}

fn line(client: &Client) -> String {
    let mut line = format!("{}  {}  {}", client.id, roles(&client.roles).join(","), client.name);
    for (what, list) in [("connections", &client.connections), ("identifiers", &client.identifiers)]
    {
        if let Some(list) = list {
            line = format!("{line}  {what}: {}", list.join(","));
        }
    }
    if let Some(revoked) = client.revoked_at {
        line = format!("{line}  revoked {}", time(revoked));
    }
    line.push('\n');
    line
}
