//! The first client, without which nobody could call.
//!
//! Where the vault has none, one is made and its secret written to standard output, once and nowhere
//! else. An operator who gives one in `COUNTERSIGN_CLIENT_ID` and `COUNTERSIGN_CLIENT_SECRET` has that
//! one instead; where it is there already with another secret, nothing is changed and nothing served.

use std::collections::BTreeSet;

use countersign::secret::Secret;
use countersign_vault::{Client, Clients as _, Hash, NewClient, Role, SqlVault};

use super::data::failed;
use crate::client::{by, new_secret};
use crate::codes;
use crate::failure::Failure;
use crate::output::Output;

const ID: &str = "COUNTERSIGN_CLIENT_ID";
const SECRET: &str = "COUNTERSIGN_CLIENT_SECRET";

/// Characters that a secret has at least: who chooses one well has 160 bits in as many.
const SHORTEST: usize = 32;
/// Characters of an id at most.
const LONGEST_ID: usize = 128;

/// Sees to it that there is a client.
pub(super) async fn see_to_one(
    vault: &SqlVault,
    url: &str,
    output: &Output,
) -> Result<(), Failure> {
    if let Some((id, secret)) = given()? {
        return keep(vault, id, &secret).await;
    }
    if !vault.clients().await.map_err(|error| failed(&error))?.is_empty() {
        return Ok(());
    }
    let (client, secret) = make(vault).await?;
    output.text(&format!(
        "The first client. Its secret is shown this once:\n\n  \
         {ID}={}\n  {SECRET}={}\n\n\
         It may do everything; for each agent make one that may not: `countersign client create \
         --help`.\nWith both in the environment, a token is had by\n\n  \
         curl {url}/oauth/token -d grant_type=client_credentials \\\n    \
         -d \"client_id=${ID}\" -d \"client_secret=${SECRET}\"\n\n",
        client.id,
        secret.expose(),
    ))
}

/// Makes one that may do everything, with a secret that nobody else has.
pub(crate) async fn make(vault: &SqlVault) -> Result<(Client, Secret), Failure> {
    let secret = new_secret()?;
    let client = vault.create_client(&by(), &first(None, &secret)).await;
    let client = client.map_err(|error| failed(&error))?;
    tracing::info!(client = client.id, "the first client was made");
    Ok((client, secret))
}

fn given() -> Result<Option<(String, Secret)>, Failure> {
    let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let refused = |what: String| Err(Failure::new(codes::CLIENT_REFUSED, what));
    let (id, secret) = match (read(ID), read(SECRET).map(Secret::new)) {
        (None, None) => return Ok(None),
        (Some(id), Some(secret)) => (id, secret),
        (Some(_), None) => return refused(format!("{ID} is given, and {SECRET} is not")),
        (None, Some(_)) => return refused(format!("{SECRET} is given, and {ID} is not")),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if id.len() > LONGEST_ID || !id.bytes().all(plain) {
        return refused(format!(
            "{ID} takes at most {LONGEST_ID} letters, digits, hyphens, underscores and dots"
        ));
    }
    if secret.expose().chars().count() < SHORTEST {
        return refused(format!(
            "{SECRET} takes at least {SHORTEST} characters; `openssl rand -base64 32` makes some"
        ));
    }
    Ok(Some((id, secret)))
}

async fn keep(vault: &SqlVault, id: String, secret: &Secret) -> Result<(), Failure> {
    let found = vault.client(&id).await.map_err(|error| failed(&error))?;
    let Some(client) = found else {
        let client = vault.create_client(&by(), &first(Some(id), secret)).await;
        let client = client.map_err(|error| failed(&error))?;
        tracing::info!(client = client.id, "the client of the environment was made");
        return Ok(());
    };
    if client.revoked_at.is_some() {
        let what = format!("the client {id} of {ID} was revoked, and stays so; choose another id");
        return Err(Failure::new(codes::CLIENT_REFUSED, what));
    }
    let hash = Hash::of(secret.expose());
    if vault.is_secret_of(&id, &hash).await.map_err(|error| failed(&error))? {
        return Ok(());
    }
    let what = format!(
        "the client {id} of {ID} is there already, with another secret than that of {SECRET}, and \
         was left as it is; give the secret that it has, choose another id, or unset both variables"
    );
    Err(Failure::new(codes::CLIENT_REFUSED, what))
}

/// The SDKs of the service whose protocol is spoken here have one client for everything.
fn first(id: Option<String>, secret: &Secret) -> NewClient {
    NewClient {
        id,
        name: "first client".to_owned(),
        secret_hash: Hash::of(secret.expose()),
        roles: BTreeSet::from(Role::ALL),
        connections: None,
        identifiers: None,
    }
}
