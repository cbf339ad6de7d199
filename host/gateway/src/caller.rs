//! Who asks, and what they may.

use std::sync::Arc;

use countersign_vault::{By, Client, Role};

use crate::fault::{Fault, Kind};
use crate::request_id::RequestId;

/// A client, and the request that it makes.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Arc<Client>,
    request: RequestId,
}

/// What a caller is limited to; `None` where it is not.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    /// Names of connections.
    pub(crate) connections: Option<&'a [String]>,
    /// Identifiers of accounts.
    pub(crate) identifiers: Option<&'a [String]>,
}

impl Caller {
    /// The client that makes this request.
    pub fn new(client: Arc<Client>, request: RequestId) -> Self {
        Self { client, request }
    }

    /// The client's id.
    pub fn client(&self) -> &str {
        &self.client.id
    }

    /// The id that logs know the request by.
    pub fn request(&self) -> &RequestId {
        &self.request
    }

    /// Refuses a caller that does not have the role.
    pub(crate) fn need(&self, role: Role) -> Result<(), Fault> {
        if self.client.roles.contains(&role) {
            return Ok(());
        }
        let message = format!("this client does not have the role `{}`", role.as_str());
        Err(Fault::new(Kind::Forbidden, "forbidden", message))
    }

    /// Refuses a caller that is limited to some connections or accounts, where more than those is
    /// touched.
    pub(crate) fn need_no_limits(&self) -> Result<(), Fault> {
        if self.client.connections.is_none() && self.client.identifiers.is_none() {
            return Ok(());
        }
        let message = "this client is limited to some connections or identifiers";
        Err(Fault::new(Kind::Forbidden, "forbidden", message))
    }

    /// The same of one that is limited to some identifiers, where all of a connection are touched.
    pub(crate) fn need_all_identifiers(&self) -> Result<(), Fault> {
        if self.client.identifiers.is_none() {
            return Ok(());
        }
        let message = "this client is limited to some identifiers";
        Err(Fault::new(Kind::Forbidden, "forbidden", message))
    }

    /// The connections and identifiers that it is limited to; `None` without any limit.
    pub(crate) fn limits(&self) -> Option<Limits<'_>> {
        let (connections, identifiers) =
            (self.client.connections.as_deref(), self.client.identifiers.as_deref());
        let is_limited = connections.is_some() || identifiers.is_some();
        is_limited.then_some(Limits { connections, identifiers })
    }

    /// Whether it may touch this connection.
    pub(crate) fn reaches_connection(&self, name: &str) -> bool {
        self.client.connections.as_ref().is_none_or(|names| names.iter().any(|it| it == name))
    }

    /// Whether it may touch this account.
    pub(crate) fn reaches(&self, connection: &str, identifier: &str) -> bool {
        let own = |list: &Vec<String>| list.iter().any(|it| it == identifier);
        self.reaches_connection(connection) && self.client.identifiers.as_ref().is_none_or(own)
    }

    /// For the audit.
    pub(crate) fn by(&self) -> By {
        By { client: self.client.id.clone(), request: self.request.as_str().to_owned() }
    }
}
