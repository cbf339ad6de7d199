//! The command line.

mod remote;
mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use countersign::egress::ResolveOverride;
use countersign::sandbox::Digest;
use ipnet::IpNet;
use jiff::Timestamp;

pub(crate) use remote::{
    Account as RemoteAccount, Connection as RemoteConnection, Document, Gateway, NewOrigins, One,
    OneAccount, Provider as RemoteProvider, Trust,
};
pub(crate) use server::{Client, Config, Role, Serve, Sources, Vault};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed; `error[CODE]` on standard error, see docs/errors.md
  2  the command line cannot be read";

const EXAMPLES: &str = "\
Examples:
  countersign demo
  countersign serve
  countersign inject --provider P.json --account A.json /v1/tickets
  countersign request --provider P.json --account A.json -i POST /v1/tickets --data '{}'
  countersign plugin inspect my-plugin.wasm
  countersign provider check providers/*.json";

const DEMO_EXAMPLES: &str = "\
Examples:
  countersign demo             five requests over TLS to a local upstream, secrets masked
  countersign demo --reveal    the same with the example secrets shown
  countersign demo --serve     a gateway that runs, and curl commands that work against it

With --serve a gateway of its own listens on loopback, with five connected accounts and an upstream
that answers with what it receives, so that you see the credential arrive. Paste what it prints into
another terminal. Ctrl-C ends it and throws its data away; for a gateway that keeps them there is
`countersign serve`.";

const INJECT_EXAMPLES: &str = "\
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

const REQUEST_EXAMPLES: &str = "\
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

const LIST_EXAMPLES: &str = "\
Examples:
  countersign plugin list
  countersign plugin list --plugins ./plugins --json
  countersign plugin list --policy policy.json";

const INSPECT_EXAMPLES: &str = "\
Examples:
  countersign plugin inspect my-plugin.wasm
  countersign plugin inspect my-plugin.wasm --plugins ./plugins --json
  countersign plugin inspect my-plugin.wasm --policy policy.json

Exit code 1 where this host would not accept the file.";

const CHECK_EXAMPLES: &str = "\
Examples:
  countersign provider check providers/asana.json
  countersign provider check --json providers/*.json

Exit code 1 where any file has an error; warnings alone leave it at 0.";

/// Puts the right credential on outgoing API requests.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Folder of plugins, `.wasm` files, beside the bundled ones
    #[arg(long, global = true, value_name = "DIR", env = "COUNTERSIGN_PLUGINS")]
    pub(crate) plugins: Option<PathBuf>,
    /// Give an auth type or a mutation to the component of this digest
    #[arg(long = "pin", global = true, value_name = "TYPE=SHA256")]
    pub(crate) pins: Vec<Pin>,
    /// Keep compiled plugins in this folder, which must be its owner's alone
    #[arg(long, global = true, value_name = "DIR", env = "COUNTERSIGN_CACHE")]
    pub(crate) cache: Option<PathBuf>,
    /// Say more on standard error: -v info, -vv debug, -vvv trace
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "log")]
    pub(crate) verbose: u8,
    /// What to log to standard error, for example `warn,countersign=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "COUNTERSIGN_LOG")]
    pub(crate) log: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Send five requests to a local upstream and show what it saw, or run a gateway to try things with
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
    /// Show the request that would be sent, without sending it
    #[command(after_help = INJECT_EXAMPLES)]
    Inject(Inject),
    /// Send a request with its credential, and stream the reply
    #[command(after_help = REQUEST_EXAMPLES)]
    Request(Request),
    /// Run the gateway: a server that puts credentials on the requests of its clients
    #[command(after_help = server::SERVE_EXAMPLES)]
    Serve(Box<Serve>),
    /// Look at a server's configuration
    #[command(subcommand)]
    Config(Config),
    /// Say who may call a server
    #[command(subcommand)]
    Client(Client),
    /// Keep a server's vault
    #[command(subcommand)]
    Vault(Vault),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(Plugin),
    /// Look at provider payloads, and keep those of a gateway
    #[command(subcommand)]
    Provider(Provider),
    /// Keep the connections of a gateway
    #[command(subcommand)]
    Connection(RemoteConnection),
    /// Keep the connected accounts of a gateway
    #[command(subcommand)]
    Account(RemoteAccount),
    /// Print a completion script for a shell
    #[command(after_help = "Examples:\n  countersign completions bash > \
                            ~/.local/share/bash-completion/completions/countersign")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

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
pub(crate) struct Demo {
    /// Show the example secrets
    #[arg(long, conflicts_with = "serve")]
    pub(crate) reveal: bool,
    /// Leave a gateway running, and print curl commands for it; its data is thrown away at the end
    #[arg(long)]
    pub(crate) serve: bool,
    /// Address and port of loopback to listen at; port 0 takes any that is free
    // So that it runs beside a real one, and never answers in its place.
    #[arg(long, value_name = "ADDR", requires = "serve", default_value = "127.0.0.1:0",
        value_parser = loopback)]
    pub(crate) listen: SocketAddr,
}

/// What it prints is no secret, so nobody else may reach it.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error| format!("{error}"))?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("the demo listens on loopback alone; `countersign serve` is for others".to_owned())
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

#[derive(Subcommand)]
pub(crate) enum Plugin {
    /// List what serves and what was refused
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        narrowing: Narrowing,
    },
    /// Show a component, and whether this host would accept it
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect {
        /// The component
        #[arg(value_name = "FILE.wasm")]
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        narrowing: Narrowing,
    },
}

#[derive(Subcommand)]
pub(crate) enum Provider {
    /// Show every problem of each payload, with the field and the fix
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The payloads
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Remote(RemoteProvider),
}

impl Global {
    /// What is to be logged, where something is said of it.
    pub(crate) fn filter(&self) -> Option<&str> {
        match (&self.log, self.verbose) {
            (Some(filter), _) => Some(filter),
            (None, 0) => None,
            (None, 1) => Some("info"),
            (None, 2) => Some("debug"),
            (None, _) => Some("trace"),
        }
    }
}

impl Arguments {
    /// Exits as clap does where a command lacks what it cannot do without: `inject` needs its
    /// files only where there is no batch, which a derived requirement cannot say.
    pub(crate) fn demand_inputs(&self) {
        let (name, inputs, remote) = match &self.command {
            Command::Inject(inject) if !inject.batch => ("inject", &inject.inputs, false),
            Command::Request(request) => ("request", &request.inputs, request.identifier.is_some()),
            _ => return,
        };
        let missing: Vec<&str> = [
            ("--provider <P.json>", !remote && inputs.provider.is_none()),
            ("--account <A.json>", !remote && inputs.account.is_none()),
            ("--connection <NAME>", remote && inputs.connection.is_none()),
            ("<PATH>", inputs.target.is_empty()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        if !missing.is_empty() {
            let mut command = Self::command();
            command.build();
            let command = command.find_subcommand_mut(name);
            let what = format!("these arguments are required: {}", missing.join(", "));
            // The name is one of the two above, which are there.
            if let Some(command) = command {
                command.error(ErrorKind::MissingRequiredArgument, what).exit();
            }
        }
    }
}

impl Command {
    /// Whether errors are wanted as JSON.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Inject(inject) => inject.json || inject.batch,
            Self::Plugin(Plugin::List { json, .. } | Plugin::Inspect { json, .. })
            | Self::Provider(Provider::Check { json, .. }) => *json,
            Self::Provider(Provider::Remote(remote)) => remote.wants_json(),
            Self::Connection(connection) => connection.wants_json(),
            Self::Account(account) => account.wants_json(),
            Self::Config(config) => config.wants_json(),
            Self::Client(client) => client.wants_json(),
            Self::Demo(_)
            | Self::Request(_)
            | Self::Serve(_)
            | Self::Vault(_)
            | Self::Completions { .. } => false,
        }
    }

    /// Where a server's settings come from, for the commands that have some.
    pub(crate) fn sources(&self) -> Option<&Sources> {
        match self {
            Self::Serve(serve) => Some(&serve.sources),
            Self::Config(config) => Some(config.sources()),
            Self::Client(client) => Some(client.sources()),
            Self::Vault(vault) => Some(vault.sources()),
            _ => None,
        }
    }

    /// What is logged where nothing is said. The demo maps hosts and adds an authority on purpose,
    /// which would be warned of.
    pub(crate) fn default_log(&self) -> &'static str {
        if matches!(self, Self::Demo(_)) { "error" } else { "warn" }
    }
}

/// `TYPE=SHA256`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) name: String,
    pub(crate) digest: Digest,
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, digest) = text.split_once('=').ok_or("a pin reads TYPE=SHA256")?;
        let digest = digest.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { name: name.to_owned(), digest })
    }
}
