//! A scheme, a host and a port: what a credential belongs to.

use std::fmt;

use ::url::{Host, Url};

use super::error::TemplateError;
use super::template::Template;

/// The scheme of a destination. There are no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// HTTP over TLS.
    Https,
    /// HTTP in the clear, where the operator allows it.
    Http,
}

impl Scheme {
    /// As it stands before `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    /// The port that goes without saying (RFC 9110 section 4.2).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Https, Self::Http]
            .into_iter()
            .find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()))
    }
}

/// An origin (RFC 6454): the host in lower case, the port always there. Two are equal when a
/// credential for one may go to the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub(super) scheme: Scheme,
    pub(super) host: Host<String>,
    pub(super) port: u16,
}

impl Origin {
    /// Reads an origin, such as `https://files.example.com:8443`, with nothing after it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Template::parse(text)?.literal_origin().ok_or(TemplateError::NotAnOrigin)
    }

    /// The origin of a URL; none where it is neither `http` nor `https`.
    pub fn of(url: &Url) -> Option<Self> {
        let scheme = Scheme::parse(url.scheme())?;
        let host = url.host()?.to_owned();
        Some(Self { scheme, host, port: url.port().unwrap_or(scheme.default_port()) })
    }

    /// Whether the URL is of this origin.
    pub(super) fn is_of(&self, url: &Url) -> bool {
        let same_host = match (url.host(), &self.host) {
            (Some(Host::Domain(theirs)), Host::Domain(ours)) => theirs == ours,
            (Some(Host::Ipv4(theirs)), Host::Ipv4(ours)) => theirs == *ours,
            (Some(Host::Ipv6(theirs)), Host::Ipv6(ours)) => theirs == *ours,
            _ => false,
        };
        let scheme = Scheme::parse(url.scheme());
        scheme == Some(self.scheme)
            && same_host
            && url.port().unwrap_or(self.scheme.default_port()) == self.port
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// As in a URL: without the scheme's own port, IPv6 in brackets.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() {
            return Ok(());
        }
        write!(formatter, ":{}", self.port)
    }
}
