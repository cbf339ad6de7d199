//! Why a request was not sent, or its reply not read to the end.
//!
//! No error holds a path, a query, a header or a body: those may hold credentials. A host is shown,
//! since without it nobody could act; a template that puts a secret into a host name shows it to
//! every resolver on the way already. Sources are kept only where they are about the connection.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy as client;

use super::connect::TooSlow;
use super::dial::{Refused, Unresolved};
use super::outgoing::BodyFault;
use super::websocket::HandshakeError;
use crate::code::Code;

/// What went wrong, by who must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The URL cannot be sent as it is written. The caller mends the path or query; where those are
    /// not the caller's, the provider's author does.
    #[error("the URL cannot be sent: {reason}")]
    Url {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The scheme is not `https`. The provider's author changes the URL, or the operator allows
    /// `http`.
    #[error("requests to {host} must use https")]
    Scheme {
        /// Where it would have gone.
        host: Arc<str>,
    },
    /// The request has a client certificate and would go out without TLS, where there is none to present
    /// it to. The provider's author changes the URL, or the auth type.
    #[error("requests to {host} have a client certificate, and so must use https")]
    CertificateWithoutTls {
        /// Where it would have gone.
        host: Arc<str>,
    },
    /// `CONNECT` opens a tunnel and `TRACE` echoes credentials (RFC 9110, section 9.3.8). The caller
    /// uses another method.
    #[error("the method is not allowed")]
    Method,
    /// The host is, or resolves to, addresses that are not public. The operator allows the network
    /// if this is meant.
    #[error("the address of {host} is not allowed")]
    AddressRefused {
        /// The name or address as given.
        host: Arc<str>,
    },
    /// The name was not resolved. The provider's author checks it, or the operator the resolver.
    #[error("the name {host} was not resolved")]
    Dns {
        /// The name.
        host: Arc<str>,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// No connection came about. The upstream's operator, or whoever runs the network, acts.
    #[error("no connection to {host}")]
    Connect {
        /// Where to.
        host: Arc<str>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The upstream could not prove who it is. Its operator acts; for a private certificate
    /// authority, this host's operator names it.
    #[error("TLS with {host} failed")]
    Tls {
        /// Where to.
        host: Arc<str>,
        /// What the handshake said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The upstream was silent for too long; it acts, or the operator raises the limit.
    #[error("{host} timed out{} ({phase})", waited(*after))]
    TimedOut {
        /// Who was silent.
        host: Arc<str>,
        /// For how long; `None` where it was the system that gave up.
        after: Option<Duration>,
        /// What was waited for.
        phase: Phase,
    },
    /// A fetched answer is longer than the limit. The upstream or the plugin's author acts.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLarge {
        /// Who answered.
        host: Arc<str>,
        /// The limit that held, in bytes.
        limit: usize,
    },
    /// The request's body is not as long as `content-length` said, or that header is malformed. The
    /// caller acts.
    #[error("the body of the request is not as long as it said")]
    BodyLength,
    /// The request's body broke off. The caller acts.
    #[error("the body of the request broke off")]
    BodyAborted,
    /// The request is marked as the handshake of a WebSocket and is not a good one. The caller acts;
    /// where it was good before the plugin's edits, the plugin's author does.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The upstream switched protocols unasked, or to another one than was asked for. The upstream
    /// acts.
    #[error("{host} switched protocols: {reason}")]
    Switch {
        /// Who did.
        host: Arc<str>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Whoever sends requests in the egress's place cannot send one in this way, and has not sent it.
    /// The operator uses the egress, or another way to authenticate.
    #[error("requests are not sent with `{edit}` here")]
    Unsupported {
        /// The edit that asks for it.
        edit: &'static str,
    },
    /// The upstream's answer is not HTTP. The upstream acts.
    #[error("{host} broke the protocol")]
    Protocol {
        /// Who did.
        host: Arc<str>,
    },
    /// The connection ended before the reply did. Whether the upstream acted on the request is not
    /// known. The upstream acts, or the caller tries again.
    #[error("{host} closed the connection early")]
    Closed {
        /// Who did.
        host: Arc<str>,
    },
}

/// What was waited for when time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// A connection: the name, TCP, TLS.
    Connect,
    /// The head of the reply.
    FirstByte,
    /// The next piece of the reply's body.
    Idle,
    /// The whole of a fetch.
    Deadline,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::FirstByte => "waiting for the reply",
            Self::Idle => "in the middle of the reply",
            Self::Deadline => "the fetch took too long as a whole",
        })
    }
}

impl EgressError {
    /// The code, with who must act and how.
    pub fn kind(&self) -> Code {
        match self {
            Self::Url { .. } | Self::Method | Self::BodyLength | Self::Handshake(_) => {
                Code::INVALID_REQUEST
            }
            Self::Scheme { .. } | Self::CertificateWithoutTls { .. } => Code::TARGET_REFUSED,
            Self::AddressRefused { .. } => Code::ADDRESS_REFUSED,
            Self::TimedOut { .. } => Code::UPSTREAM_TIMEOUT,
            Self::TooLarge { .. } => Code::UPSTREAM_TOO_LARGE,
            Self::BodyAborted => Code::BODY_UNREADABLE,
            Self::Unsupported { .. } => Code::UNSUPPORTED,
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Switch { .. }
            | Self::Protocol { .. }
            | Self::Closed { .. } => Code::UPSTREAM_UNREACHABLE,
        }
    }

    /// Whether the upstream may have seen the request. Where this is `false`, sending it again is
    /// safe, even if it spends something (a refresh token, a one-time code).
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Url { .. }
            | Self::Scheme { .. }
            | Self::CertificateWithoutTls { .. }
            | Self::Method
            | Self::Handshake(_)
            | Self::Unsupported { .. }
            | Self::AddressRefused { .. }
            | Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::TimedOut { phase: Phase::Connect, .. } => false,
            Self::TimedOut { .. }
            | Self::TooLarge { .. }
            | Self::BodyLength
            | Self::BodyAborted
            | Self::Switch { .. }
            | Self::Protocol { .. }
            | Self::Closed { .. } => true,
        }
    }

    /// Reads what the client says of a request, and keeps of it only what cannot hold a secret.
    pub(super) fn from_client(error: &client::Error, host: &Arc<str>) -> Self {
        if error.is_connect() {
            return Self::from_dial(error, host);
        }
        Self::from_exchange(error, host)
    }

    /// The same of a reply's body.
    pub(super) fn from_body(error: &hyper::Error, host: &Arc<str>) -> Self {
        Self::from_exchange(error, host)
    }

    /// The same of a connection that was there.
    pub(super) fn from_exchange(error: &(dyn Error + 'static), host: &Arc<str>) -> Self {
        let host = Arc::clone(host);
        if let Some(fault) = find::<BodyFault>(error) {
            return match fault {
                BodyFault::Length => Self::BodyLength,
                BodyFault::Aborted => Self::BodyAborted,
            };
        }
        match find::<hyper::Error>(error) {
            Some(error) if error.is_parse() => Self::Protocol { host },
            Some(error) if error.is_user() => Self::BodyAborted,
            Some(error) if is_closed(error) => Self::Closed { host },
            Some(_) => Self::Protocol { host },
            None => Self::Closed { host },
        }
    }

    /// The same of one that did not come about.
    pub(super) fn from_dial(error: &(dyn Error + 'static), host: &Arc<str>) -> Self {
        let host = Arc::clone(host);
        if find::<Refused>(error).is_some() {
            return Self::AddressRefused { host };
        }
        if let Some(TooSlow(longest)) = find(error) {
            return Self::TimedOut { host, after: Some(*longest), phase: Phase::Connect };
        }
        if let Some(Unresolved(cause)) = find(error) {
            return Self::Dns { host, source: plain(Some(cause)) };
        }
        if let Some(tls) = find::<rustls::Error>(error) {
            return Self::Tls { host, source: Box::new(tls.clone()) };
        }
        match find::<io::Error>(error) {
            // The last of its addresses had no longer than its share.
            Some(io) if io.kind() == io::ErrorKind::TimedOut => {
                Self::TimedOut { host, after: None, phase: Phase::Connect }
            }
            io => Self::Connect { host, source: plain(io) },
        }
    }
}

/// In milliseconds: nobody wants to know more of it.
fn waited(after: Option<Duration>) -> String {
    let rounded = |it: Duration| Duration::new(it.as_secs(), it.subsec_millis() * 1_000_000);
    after.map(|after| format!(" after {:?}", rounded(after))).unwrap_or_default()
}

fn is_closed(error: &hyper::Error) -> bool {
    error.is_incomplete_message()
        || error.is_closed()
        || error.is_canceled()
        || find::<io::Error>(error).is_some()
}

/// The same failure, without whatever was wrapped in it.
fn plain(error: Option<&io::Error>) -> io::Error {
    match error {
        None => io::ErrorKind::Other.into(),
        Some(error) => match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => error.kind().into(),
        },
    }
}

/// The first cause of that type.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            // The source of an `io::Error` is that of the error it wraps, not the wrapped one.
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
