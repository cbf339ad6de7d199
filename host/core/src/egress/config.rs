//! What the operator decides about outgoing requests.

mod resolve_override;

use std::time::Duration;

use ipnet::IpNet;

pub use resolve_override::{ResolveOverride, ResolveOverrideError};

/// How requests leave. The default reaches public addresses over TLS and nothing else.
#[derive(Clone, Debug)]
pub struct EgressConfig {
    /// Whether plain `http:` URLs are sent, credentials and all.
    pub allow_http: bool,
    /// Networks that may be dialled although they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// Addresses of the operator's choosing for some hosts; these may be anywhere.
    pub resolve: Vec<ResolveOverride>,
    /// Certificate authorities trusted beside the system's, each a PEM bundle.
    pub upstream_ca: Vec<Vec<u8>>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// The most that [`fetch`](super::Egress::fetch) reads of an answer, in bytes, whatever its
    /// caller asks for.
    pub max_fetched_bytes: usize,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            allow_http: false,
            allowed_networks: Vec::new(),
            resolve: Vec::new(),
            upstream_ca: Vec::new(),
            timeouts: Timeouts::default(),
            // What a token server, a metadata document or a key set needs, many times over.
            max_fetched_bytes: 256 * 1024,
        }
    }
}

/// Limits on silence. None of them bounds a whole exchange: a stream may go on for days.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the start of a dial to a finished TLS handshake, name resolution included.
    pub connect: Duration,
    /// From the start, or from the last piece of the request's body that was taken, to the head of
    /// the reply.
    pub first_byte: Duration,
    /// Between two pieces of a reply's body, while somebody waits for the next one.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            // Three SYN retransmissions (1, 3 and 7 s) and a handshake on a slow line.
            connect: Duration::from_secs(10),
            // What nginx gives an upstream (`proxy_read_timeout`), and so what many APIs keep to.
            first_byte: Duration::from_mins(1),
            // Event streams send a comment every 15 to 60 s; five silent minutes are a dead peer.
            idle: Duration::from_mins(5),
        }
    }
}

/// Why there is no egress. The operator acts on all of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressConfigError {
    /// A bundle of `upstream_ca` holds no certificate, or a broken one. The operator gives a PEM
    /// file that holds at least one.
    #[error("upstream CA bundle {index} is not a PEM file with at least one certificate")]
    UpstreamCa {
        /// Which bundle, counted from 0.
        index: usize,
    },
    /// Two overrides name the same host and port. The operator removes one.
    #[error("{host}:{port} is mapped twice")]
    MappedTwice {
        /// The host that both name.
        host: String,
        /// The port that both name.
        port: u16,
    },
    /// TLS could not be set up; most often the system has no certificate authorities. The operator
    /// installs them (on Debian the package `ca-certificates`) or names a CA.
    #[error("TLS could not be set up (are certificate authorities installed?)")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}
