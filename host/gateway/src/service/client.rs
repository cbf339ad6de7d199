//! Clients: who may call, and what.
//!
//! Nobody gains by making or rotating a client: it has no role that whoever asks does not have. And
//! one client that may do everything is always left, since without it nobody could make another.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::random::{Random as _, SystemRandom};
use countersign::secret::Secret;
use countersign_vault::{self as vault, Client, Hash, NewClient, Role, VaultError};
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::fault::{Fault, FieldFault, Kind};
use crate::service::Service;
use crate::service::connection::is_name;

/// Characters of a name for people, and of an account's identifier.
const LONGEST_NAME: usize = 200;

/// Entries of one limit. Each is compared on every request.
const MOST_LIMITS: usize = 1000;

/// A client to be made.
#[derive(Clone, Debug, Default)]
pub struct ClientRequest {
    /// For people.
    pub name: String,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Names of the connections that it is limited to.
    pub connections: Option<Vec<String>>,
    /// Identifiers of the accounts that it is limited to.
    pub identifiers: Option<Vec<String>>,
}

/// A client and its secret, which is told once and kept by its hash. No `Debug`.
pub struct Issued {
    /// Its row.
    pub client: Client,
    /// `sks_…`.
    pub secret: Secret,
}

impl Service {
    /// Makes a client.
    pub async fn create_client(
        &self,
        caller: &Caller,
        new: ClientRequest,
    ) -> Result<Issued, Fault> {
        self.make_client(caller, new, Vec::new()).await
    }

    /// The same of a document that has these faults already: with any, nothing is made.
    pub(crate) async fn make_client(
        &self,
        caller: &Caller,
        new: ClientRequest,
        known: Vec<FieldFault>,
    ) -> Result<Issued, Fault> {
        may_administer(caller)?;
        for role in &new.roles {
            caller.need(*role)?;
        }
        let mut faults = known;
        for fault in limits(&new) {
            if faults.iter().all(|it| it.field != fault.field) {
                faults.push(fault);
            }
        }
        if !faults.is_empty() {
            return Err(Fault::of_fields(faults));
        }
        let ClientRequest { name, roles, connections, identifiers } = new;
        let secret = secret()?;
        let secret_hash = Hash::of(secret.expose());
        let name = name.trim().to_owned();
        let new = NewClient { id: None, name, secret_hash, roles, connections, identifiers };
        let client = self.vault.create_client(&caller.by(), &new).await?;
        Ok(Issued { client, secret })
    }

    /// The clients that are not revoked.
    pub async fn clients(&self, caller: &Caller) -> Result<Vec<Client>, Fault> {
        may_administer(caller)?;
        let mut clients = self.vault.clients().await?;
        clients.retain(|client| client.revoked_at.is_none());
        Ok(clients)
    }

    /// One client that is not revoked.
    pub async fn client(&self, caller: &Caller, id: &str) -> Result<Client, Fault> {
        may_administer(caller)?;
        let found = self.vault.client(id).await?.filter(|client| client.revoked_at.is_none());
        found.ok_or_else(|| VaultError::Missing { what: "client" }.into())
    }

    /// Gives a client another secret; its tokens end. Whoever asks learns the secret, and so has to
    /// have the client's roles.
    pub async fn rotate_client(&self, caller: &Caller, id: &str) -> Result<Issued, Fault> {
        let before = self.client(caller, id).await?;
        for role in &before.roles {
            caller.need(*role)?;
        }
        let secret = secret()?;
        let hash = Hash::of(secret.expose());
        let client = self.vault.rotate_client(&caller.by(), id, &hash).await?;
        Ok(Issued { client, secret })
    }

    /// Ends a client and its tokens.
    pub async fn revoke_client(&self, caller: &Caller, id: &str) -> Result<(), Fault> {
        let _revoking = self.revoking.lock().await;
        let client = self.client(caller, id).await?;
        if is_whole(&client) {
            let clients = self.clients(caller).await?;
            if !clients.iter().any(|other| other.id != client.id && is_whole(other)) {
                let message = "it is the last client that has all roles and no limits: make \
                               another first";
                return Err(Fault::new(Kind::Precondition, "in_use", message));
            }
        }
        self.vault.revoke_client(&caller.by(), id).await?;
        Ok(())
    }
}

fn may_administer(caller: &Caller) -> Result<(), Fault> {
    caller.need(Role::Manage)?;
    caller.need_no_limits()
}

/// Whether it may do everything.
fn is_whole(client: &vault::Client) -> bool {
    client.connections.is_none()
        && client.identifiers.is_none()
        && Role::ALL.iter().all(|role| client.roles.contains(role))
}

/// 32 random bytes, which nobody guesses.
fn secret() -> Result<Secret, Fault> {
    let mut bytes = Zeroizing::new([0; 32]);
    SystemRandom.fill(&mut *bytes).map_err(|_| Fault::from(VaultError::NoRandomness))?;
    Ok(Secret::new(format!("sks_{}", URL_SAFE_NO_PAD.encode(*bytes))))
}

fn limits(new: &ClientRequest) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    if new.name.trim().is_empty() || !is_identifier(&new.name) {
        let what = "is empty, longer than 200 characters, or holds a control character";
        faults.push(FieldFault::new("name", what, "choose a name for people"));
    }
    if new.roles.is_empty() {
        let what = "names no role";
        faults.push(FieldFault::new("roles", what, "name one of proxy, manage, reveal"));
    }
    let mut check = |field: &str, list: &Option<Vec<String>>, fits: fn(&str) -> bool| {
        let Some(list) = list else { return };
        if list.is_empty() || list.len() > MOST_LIMITS {
            let what = "is empty, or has more than 1000 entries";
            faults.push(FieldFault::new(field, what, "leave it out for no limit"));
        }
        for (nth, _) in list.iter().enumerate().filter(|(_, entry)| !fits(entry)) {
            let what = "is no name that there could be";
            faults.push(FieldFault::new(format!("{field}[{nth}]"), what, "write it as it is"));
        }
    };
    check("connections", &new.connections, is_name);
    check("identifiers", &new.identifiers, is_identifier);
    faults
}

fn is_identifier(text: &str) -> bool {
    let length = text.chars().count();
    (1..=LONGEST_NAME).contains(&length) && !text.chars().any(char::is_control)
}
