//! What `inject` and `request` take: a request, out of files and the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign::egress::ResolveOverride;
use ipnet::IpNet;
use jiff::Timestamp;

use super::Gateway;

pub(super) const INJECT_EXAMPLES: &str = "\
Examples:
  countersign inject --provider P.json --account A.json /v1/tickets
  countersign inject --provider P.json --connection C.json --account A.json \\
      --json --now 2026-01-31T12:00:00Z --seed 7 POST '/v1/tickets?draft=1' \\
      --header 'Content-Type: application/json' --data '{\"subject\":\"x\"}'
  countersign inject --batch --reveal < cases.jsonl > answers.jsonl

The shapes of a case and an answer are in docs/inject.md.

A policy lists, by auth type, the needs that a plugin may have of those it asks for, as `plugin
inspect` prints them; a type that is not listed is not narrowed:
  {\"BEARER\": [\"read account/token\", \"write header/authorization\"]}";

pub(super) const REQUEST_EXAMPLES: &str = "\
Examples:
  countersign request --provider P.json --account A.json /v1/tickets
  countersign request --provider P.json --connection C.json --account A.json \\
      --state state.json -i POST /v1/tickets --data-file ticket.json
  countersign request --provider P.json --account A.json \\
      --resolve api.example.com:443=127.0.0.1:8443 --upstream-ca ca.pem /v1/tickets
  countersign request --provider P.json --account A.json --policy policy.json /v1/tickets
  countersign request --connection freshdesk --identifier user-1 /v1/tickets

With --identifier the request goes through the gateway of --url, which has the provider and the
account; --connection is then the connection's name.

The reply goes to standard output byte for byte, as the upstream sent it. A renewed state is kept
in the file that --state names, whose folder must be one that can be written to.

A policy lists, by auth type, the needs that a plugin may have of those it asks for, as `plugin
inspect` prints them; a type that is not listed is not narrowed:
  {\"BEARER\": [\"read account/token\", \"write header/authorization\"]}";

/// What plugins may do, beyond which they cannot ask.
#[derive(Args)]
#[command(next_help_heading = "Operator")]
pub(crate) struct Narrowing {
    /// Let plugins have of their needs only what this JSON file lists, by auth type
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_POLICY")]
    policy: Option<PathBuf>,
}

impl Narrowing {
    pub(crate) fn file(&self) -> Option<&Path> {
        self.policy.as_deref()
    }
}

#[derive(Args)]
pub(crate) struct Inject {
    /// Read one JSON case a line from standard input, and write one JSON answer a line
    #[arg(long, conflicts_with_all = ["provider", "connection", "account", "state", "target",
        "headers", "data", "data_file"])]
    pub(crate) batch: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// The answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show secrets
    #[arg(long)]
    pub(crate) reveal: bool,
    /// The time, in RFC 3339, in place of the clock's
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
    /// Random bytes fixed by this number, in place of the system's
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) narrowing: Narrowing,
    #[command(flatten)]
    pub(crate) unencrypted: Unencrypted,
}

/// One request, out of files and the command line.
#[derive(Args)]
pub(crate) struct Inputs {
    /// The provider's payload, a JSON file
    #[arg(long, value_name = "P.json")]
    pub(crate) provider: Option<PathBuf>,
    /// The connection's settings, a JSON file
    #[arg(long, value_name = "C.json")]
    pub(crate) connection: Option<PathBuf>,
    /// The connected account, a JSON file
    #[arg(long, value_name = "A.json")]
    pub(crate) account: Option<PathBuf>,
    /// The account's state, a JSON file, in place of the tokens that the account came with
    #[arg(long, value_name = "S.json")]
    pub(crate) state: Option<PathBuf>,
    /// A header of the request; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// The request's body
    #[arg(short, long, value_name = "TEXT", conflicts_with = "data_file")]
    pub(crate) data: Option<String>,
    /// The request's body, from a file; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) data_file: Option<PathBuf>,
    /// The method (GET, or POST with a body), and the path relative to `proxy_url`, query included
    #[arg(value_names = ["METHOD", "PATH"], num_args = 1..=2)]
    pub(crate) target: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Request {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Send it through a gateway, for the account of this identifier; --connection names the connection
    #[arg(long, conflicts_with_all = ["provider", "account", "state", "allow_upstream", "resolve",
        "upstream_ca", "allowed"])]
    pub(crate) identifier: Option<String>,
    #[command(flatten)]
    pub(crate) gateway: Gateway,
    /// Show the reply's status and headers before its body
    #[arg(short, long)]
    pub(crate) include: bool,
    #[command(flatten)]
    pub(crate) narrowing: Narrowing,
    #[command(flatten)]
    pub(crate) egress: Egress,
}

/// Whether a provider's URL may say http.
#[derive(Args)]
#[command(next_help_heading = "Development")]
pub(crate) struct Unencrypted {
    /// Let requests leave unencrypted, where a provider's URL says http
    #[arg(long = "allow-http-upstream")]
    pub(crate) allowed: bool,
}

/// Where a request may go, beyond the default of public addresses over TLS.
#[derive(Args)]
#[command(next_help_heading = "Development")]
pub(crate) struct Egress {
    #[command(flatten)]
    pub(crate) unencrypted: Unencrypted,
    /// Let requests go to this network, public or not
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow_upstream: Vec<IpNet>,
    /// Dial this address for this host and port
    #[arg(long, value_name = "HOST:PORT=ADDR")]
    pub(crate) resolve: Vec<ResolveOverride>,
    /// Trust these certificate authorities as well, a PEM file
    #[arg(long, value_name = "FILE")]
    pub(crate) upstream_ca: Vec<PathBuf>,
}
