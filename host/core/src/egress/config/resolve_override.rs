//! `HOST:PORT=ADDR`: one host at one port, dialled at an address of the operator's choosing.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use url::Host;

/// A mapping from a host and port, as they stand in a URL, to the address dialled instead.
///
/// The address is an IP address, with or without a port; without one, the port stays what it is.
///
/// ```
/// # use countersign::egress::ResolveOverride;
/// assert!("api.example.com:443=127.0.0.1:8443".parse::<ResolveOverride>().is_ok());
/// assert!("api.example.com:9000=[::1]".parse::<ResolveOverride>().is_ok());
/// assert!("api.example.com=127.0.0.1".parse::<ResolveOverride>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveOverride {
    host: String,
    port: u16,
    address: SocketAddr,
}

impl ResolveOverride {
    /// The host that is mapped, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port that is mapped.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is dialled.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Why a mapping was not understood. The operator mends its text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveOverrideError {
    /// There is no `=` between two parts, or no `:` before the port.
    #[error("a mapping reads HOST:PORT=ADDR, as in api.example.com:443=127.0.0.1:8443")]
    Shape,
    /// The left side is no DNS name: addresses are dialled as they stand and cannot be mapped.
    #[error("HOST must be a DNS name in its plain form")]
    Host,
    /// The port to map is no number from 1 to 65535.
    #[error("PORT must be a number from 1 to 65535")]
    Port,
    /// The right side is no address.
    #[error("ADDR must be an IP address, or IP:PORT ([IP]:PORT for IPv6)")]
    Address,
}

impl FromStr for ResolveOverride {
    type Err = ResolveOverrideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once('=').ok_or(ResolveOverrideError::Shape)?;
        let (host, port) = from.rsplit_once(':').ok_or(ResolveOverrideError::Shape)?;
        let host = match Host::parse(host) {
            Ok(Host::Domain(name)) if name.eq_ignore_ascii_case(host) => name,
            _ => return Err(ResolveOverrideError::Host),
        };
        let port = match port.parse() {
            Ok(port) if port != 0 => port,
            _ => return Err(ResolveOverrideError::Port),
        };
        let address = address(to, port)?;
        Ok(Self { host, port, address })
    }
}

fn address(text: &str, default_port: u16) -> Result<SocketAddr, ResolveOverrideError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, default_port));
    }
    match text.parse::<SocketAddr>() {
        // A zone has no form in a URL, which is how the address is handed on.
        Ok(SocketAddr::V6(address)) if address.scope_id() != 0 => {
            Err(ResolveOverrideError::Address)
        }
        Ok(address) if address.port() != 0 => Ok(address),
        _ => Err(ResolveOverrideError::Address),
    }
}

#[cfg(test)]
mod tests;
