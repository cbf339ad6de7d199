//! Where a request goes: a URL that is sent exactly as it was given, or not at all.
//!
//! [`http::Uri`] and [`url::Url`] read a URL differently (the latter resolves dots, drops tabs, and
//! knows that `0x7f.1` is an address). A URL that both read the same way is safe to check with one
//! and send with the other; every other one is refused, so nothing is altered in silence.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Uri;
use url::{Host, Position, Url};

use super::address::AddressPolicy;
use super::error::EgressError;

/// Exists only for a URL whose scheme and literal address were checked and whose text is exact.
pub(crate) struct Destination {
    pub(super) uri: Uri,
    /// As errors show it: with its port, where that is not the scheme's own.
    pub(super) host: Arc<str>,
}

impl Destination {
    pub(super) fn check(
        uri: &Uri,
        allow_http: bool,
        addresses: &AddressPolicy,
    ) -> Result<Self, EgressError> {
        let given = uri.to_string();
        let url = Url::parse(&given).map_err(|_| EgressError::Url { reason: "it is malformed" })?;
        let exact = url.as_str() == given;
        let destination = Self::of(url, allow_http, addresses)?;
        if !exact {
            return Err(EgressError::Url { reason: "it would be sent differently from its text" });
        }
        Ok(destination)
    }

    /// The same of a URL that is known to be read the same way by both: a
    /// [`TargetUrl`](crate::target::TargetUrl).
    pub(super) fn of(
        url: Url,
        allow_http: bool,
        addresses: &AddressPolicy,
    ) -> Result<Self, EgressError> {
        if url.host_str().is_none_or(str::is_empty) {
            return Err(EgressError::Url { reason: "it names no host" });
        }
        let host: Arc<str> = url[Position::BeforeHost..Position::AfterPort].into();
        match url.scheme() {
            "https" => {}
            "http" if allow_http => {}
            _ => return Err(EgressError::Scheme { host }),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::Url { reason: "it holds user information" });
        }
        // A literal address is never given to the resolver, so this is where it is checked.
        if literal(&url).is_some_and(|address| !addresses.permits(address)) {
            return Err(EgressError::AddressRefused { host });
        }
        let uri = Uri::from_maybe_shared(Bytes::from(String::from(url)));
        let uri = uri.map_err(|_| EgressError::Url { reason: "it is malformed" })?;
        Ok(Self { uri, host })
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}

#[cfg(test)]
mod tests;
