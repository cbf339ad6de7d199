//! The command line.

mod plugin;
mod remote;
mod request;
mod server;
mod testing;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use countersign::sandbox::{Chosen, Digest};

pub(crate) use plugin::{BuildPlugin, NewPlugin};
pub(crate) use remote::{
    Account as RemoteAccount, Connection as RemoteConnection, Document, Gateway, NewOrigins, One,
    OneAccount, Provider as RemoteProvider, Trust,
};
pub(crate) use request::{Egress, Inject, Inputs, Narrowing, Request};
pub(crate) use server::{Client, Config, Role, Serve, Sources, Vault};
pub(crate) use testing::{Bench, Cases, Test};

use request::{INJECT_EXAMPLES, REQUEST_EXAMPLES};
use testing::{BENCH_EXAMPLES, TEST_EXAMPLES};

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
  countersign plugin new my-api
  countersign plugin inspect my-plugin.wasm
  countersign plugin test my-plugin.wasm vectors/
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
    /// Let this plugin have what one with an interpreter needs (JavaScript, Python); may be given several
    /// times
    #[arg(
        long,
        global = true,
        value_name = "NAME|SHA256",
        value_delimiter = ',',
        env = "COUNTERSIGN_INTERPRETED__PLUGINS"
    )]
    pub(crate) interpreted: Vec<Chosen>,
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
    /// Write plugins, test them, and look at them
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
    /// Make a project to write a plugin in, which builds and passes its tests as it stands
    #[command(after_help = plugin::NEW_EXAMPLES)]
    New(NewPlugin),
    /// Build the plugin of a project, and load it once in the sandbox
    #[command(after_help = plugin::BUILD_EXAMPLES)]
    Build(BuildPlugin),
    /// Run a plugin's cases in the production sandbox, and check what no case asks for
    #[command(after_help = TEST_EXAMPLES)]
    Test(Test),
    /// Measure what a plugin's calls cost, beside the bundled BEARER
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(Bench),
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
            Self::Plugin(
                Plugin::List { json, .. }
                | Plugin::Inspect { json, .. }
                | Plugin::New(NewPlugin { json, .. })
                | Plugin::Build(BuildPlugin { json, .. }),
            )
            | Self::Provider(Provider::Check { json, .. }) => *json,
            Self::Plugin(Plugin::Test(test)) => test.json,
            Self::Plugin(Plugin::Bench(bench)) => bench.json,
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
        match self {
            // A component under test is reported on, not warned of.
            Self::Demo(_) | Self::Plugin(Plugin::Test(_) | Plugin::Bench(_)) => "error",
            _ => "warn",
        }
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
