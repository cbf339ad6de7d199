//! Which door a request comes to, by its path alone.
//!
//! A path that some server could read a way up in is refused at every door: the official SDKs put a
//! caller's path behind `/proxy` and let their HTTP client resolve it, so that `/../api/v1/…` chosen
//! by a model would reach the management API with the client's own token. What such a client has
//! resolved already still carries the headers that route a proxied request, and is refused by those
//! at every other door. Nothing that a proxy on the way may have written is looked at
//! (`X-Forwarded-*`), and a host that is said twice has to be the same.

#[cfg(test)]
mod tests;

use countersign::target::climbs_to_some;
use http::header::HOST;
use http::{HeaderName, Uri, request};

use crate::fault::{Fault, Kind};

/// Names the connection of a proxied request.
pub(crate) const CONNECTION_NAME: HeaderName = HeaderName::from_static("connection_name");
/// Names the account of a proxied request.
pub(crate) const IDENTIFIER: HeaderName = HeaderName::from_static("identifier");

/// What the path of a proxied request begins with.
pub(crate) const PROXY: &str = "/proxy";

/// Where a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Through the proxy, which goes on with the path that is below [`PROXY`].
    Proxy,
    /// For a token.
    Token,
    /// To the management API.
    Api,
    /// The document that describes it.
    OpenApi,
    /// Keys that tokens are signed with, of which there are none.
    Keys,
    /// Whether the process is there.
    Health,
    /// Whether it takes requests.
    Ready,
    /// What it counts.
    Metrics,
    /// To nothing.
    None,
}

impl Door {
    /// Finds it, or refuses the request whatever it is for.
    pub(crate) fn of(parts: &request::Parts) -> Result<Self, Fault> {
        let path = parts.uri.path();
        if climbs_to_some(path) {
            let message = "the path holds a dot segment: resolve it before sending";
            return Err(Fault::new(Kind::Invalid, "path_refused", message));
        }
        says_one_host(parts)?;
        if is_proxied(path) {
            return Ok(Self::Proxy);
        }
        if parts.headers.keys().any(routes) {
            let message = "the headers of a proxied request are on one that is not under /proxy/: \
                           write the path from `/`, relative to the provider's proxy_url";
            return Err(Fault::new(Kind::Invalid, "routing_headers", message));
        }
        Ok(match path {
            "/oauth/token" => Self::Token,
            "/openapi.json" => Self::OpenApi,
            "/keys" => Self::Keys,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            path if path.starts_with("/api/v1/") => Self::Api,
            _ => Self::None,
        })
    }
}

impl Door {
    /// For metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Token => "token",
            Self::Api => "api",
            Self::OpenApi | Self::Keys | Self::Health | Self::Ready | Self::Metrics => "about",
            Self::None => "none",
        }
    }
}

/// Whether what is below [`PROXY`] is a path relative to a provider's `proxy_url`: empty, or from `/`.
fn is_proxied(path: &str) -> bool {
    path.strip_prefix(PROXY).is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// Whether a header routes proxied requests.
pub(crate) fn routes(name: &HeaderName) -> bool {
    is(name, &CONNECTION_NAME) || is(name, &IDENTIFIER)
}

/// Whether it is this one, or its spelling with hyphens: some proxies let no underscore through.
pub(crate) fn is(name: &HeaderName, wanted: &HeaderName) -> bool {
    let (name, wanted) = (name.as_str(), wanted.as_str());
    let same = |(a, b): (u8, u8)| a == b || (a == b'-' && b == b'_');
    name.len() == wanted.len() && name.bytes().zip(wanted.bytes()).all(same)
}

/// RFC 9112, section 3.2: a request with two hosts is for nobody.
fn says_one_host(parts: &request::Parts) -> Result<(), Fault> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let first = hosts.next();
    let authority = parts.uri.authority().map(|it| it.as_str().as_bytes());
    let differs = match (authority, first) {
        (Some(authority), Some(host)) => !authority.eq_ignore_ascii_case(host.as_bytes()),
        _ => false,
    };
    if hosts.next().is_some() || differs || has_user(&parts.uri) {
        let message = "the request names two hosts, or a user beside its host";
        return Err(Fault::new(Kind::Invalid, "host_refused", message));
    }
    Ok(())
}

fn has_user(uri: &Uri) -> bool {
    uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
}
