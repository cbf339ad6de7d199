//! The command line of what is done at a gateway that runs.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const APPLY_EXAMPLES: &str = "\
Examples:
  countersign provider apply providers/asana.json
  countersign provider apply providers/ --json
  countersign provider apply asana.json --new-origins confirm

A payload belongs to the provider of its `identifier`, else to the one of its display name. Members
that a file leaves out stay as they are at the gateway.

An update that would send secrets to origins that they were not given for is refused, and says which
accounts it is about: `confirm` gives them for the new origins (this takes the role reveal),
`disconnect` disconnects the accounts.";

const DIFF_EXAMPLES: &str = "\
Examples:
  countersign provider diff providers/asana.json

Exit code 1 where `provider apply` would change anything.";

const PROMOTE_EXAMPLES: &str = "\
Examples:
  COUNTERSIGN_FROM_TOKEN=\"$DEV\" COUNTERSIGN_TO_TOKEN=\"$PROD\" countersign provider promote my-asana \\
      --from https://dev.example.com --to https://prod.example.com

In place of a token: COUNTERSIGN_FROM_CLIENT_ID and COUNTERSIGN_FROM_CLIENT_SECRET, and the same with TO.";

const SECRETS: &str = "\
Secrets come from a file, from standard input (`-`) or from a variable of the environment, never from
the command line, which others can see. docs/command-line.md has the shapes.";

/// Which gateway.
#[derive(Args, Clone)]
#[command(next_help_heading = "Gateway")]
pub(crate) struct Gateway {
    /// The gateway; who calls it, COUNTERSIGN_CLIENT_ID and COUNTERSIGN_CLIENT_SECRET say, or COUNTERSIGN_TOKEN
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERSIGN_URL",
        default_value = "http://127.0.0.1:8087"
    )]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// What a connection to a gateway has to be.
#[derive(Args, Clone)]
#[command(next_help_heading = "Gateway")]
pub(crate) struct Trust {
    /// Trust these certificate authorities as well, a PEM file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Send credentials unencrypted to a gateway on another machine
    #[arg(long)]
    pub(crate) insecure_http: bool,
}

/// What becomes of secrets that an update would send elsewhere.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum NewOrigins {
    /// They are given for the new origins
    Confirm,
    /// The accounts are disconnected
    Disconnect,
}

/// A JSON document that may hold secrets.
#[derive(Args)]
pub(crate) struct Document {
    /// Where the JSON is; `-` for standard input
    #[arg(long = "from-file", value_name = "FILE", conflicts_with = "variable")]
    pub(crate) file: Option<PathBuf>,
    /// The variable of the environment that holds the JSON
    #[arg(long = "from-env", value_name = "NAME")]
    pub(crate) variable: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Provider {
    /// List a gateway's providers
    List {
        #[command(flatten)]
        gateway: Gateway,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a provider's payload, as `apply` takes it
    Show {
        #[command(flatten)]
        gateway: Gateway,
        /// Its identifier, or its display name
        name: String,
        /// With all that the gateway says of it
        #[arg(long)]
        json: bool,
    },
    /// Create or update providers, so that the gateway has what the files say
    #[command(after_help = APPLY_EXAMPLES)]
    Apply {
        #[command(flatten)]
        gateway: Gateway,
        /// Payloads, or folders of them
        #[arg(value_name = "FILE|FOLDER", required = true)]
        files: Vec<PathBuf>,
        /// What becomes of secrets that would go to other origins
        #[arg(long, value_name = "HOW")]
        new_origins: Option<NewOrigins>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what `apply` would change
    #[command(after_help = DIFF_EXAMPLES)]
    Diff {
        #[command(flatten)]
        gateway: Gateway,
        /// The payload
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a provider that no connection uses
    Delete {
        #[command(flatten)]
        gateway: Gateway,
        /// Its identifier, or its display name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a provider from one gateway to another
    #[command(after_help = PROMOTE_EXAMPLES)]
    Promote {
        /// Its identifier, or its display name
        name: String,
        /// The gateway that has it
        #[arg(long, value_name = "URL")]
        from: String,
        /// The gateway that gets it
        #[arg(long, value_name = "URL")]
        to: String,
        #[command(flatten)]
        trust: Trust,
        /// What becomes of secrets that would go to other origins
        #[arg(long, value_name = "HOW")]
        new_origins: Option<NewOrigins>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum Connection {
    /// List a gateway's connections
    List {
        #[command(flatten)]
        gateway: Gateway,
        /// Those of this provider alone
        #[arg(long, value_name = "IDENTIFIER")]
        provider: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a connection; of its secret settings the names
    Show(One),
    /// Make a connection
    #[command(after_help = SECRETS)]
    Create {
        #[command(flatten)]
        gateway: Gateway,
        /// The provider's identifier
        #[arg(long, value_name = "IDENTIFIER")]
        provider: String,
        /// What callers name it by; made up where it is left out
        #[arg(long)]
        name: Option<String>,
        /// Which of the provider's auth patterns, where it has several
        #[arg(long)]
        auth_pattern: Option<String>,
        #[command(flatten)]
        settings: Document,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a connection's settings; null takes one away
    #[command(after_help = SECRETS)]
    Update {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        settings: Document,
    },
    /// Delete a connection that has no accounts
    Delete {
        #[command(flatten)]
        one: One,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Let requests through a connection again
    Enable(One),
    /// Let no request through a connection
    Disable(One),
}

/// One connection.
#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    pub(crate) gateway: Gateway,
    /// Its name, or its id
    pub(crate) name: String,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Account {
    /// List a gateway's connected accounts
    List {
        #[command(flatten)]
        gateway: Gateway,
        /// Those of this connection alone
        #[arg(long, value_name = "NAME")]
        connection: Option<String>,
        /// Those of this identifier alone
        #[arg(long)]
        identifier: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show an account
    Show {
        #[command(flatten)]
        one: OneAccount,
        /// With its secrets; takes the role reveal
        #[arg(long)]
        reveal: bool,
    },
    /// Connect an account
    #[command(after_help = SECRETS)]
    Create {
        #[command(flatten)]
        one: OneAccount,
        #[command(flatten)]
        credentials: Document,
    },
    /// Change an account's credentials or values
    #[command(after_help = SECRETS)]
    Update {
        #[command(flatten)]
        one: OneAccount,
        #[command(flatten)]
        credentials: Document,
    },
    /// Delete an account, and its credentials
    Delete {
        #[command(flatten)]
        one: OneAccount,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// One account.
#[derive(Args)]
pub(crate) struct OneAccount {
    #[command(flatten)]
    pub(crate) gateway: Gateway,
    /// The connection's name
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: String,
    /// Whose it is
    #[arg(long)]
    pub(crate) identifier: String,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl NewOrigins {
    /// As the gateway has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Disconnect => "disconnect",
        }
    }
}

impl Provider {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::List { json, .. }
            | Self::Show { json, .. }
            | Self::Apply { json, .. }
            | Self::Diff { json, .. }
            | Self::Delete { json, .. }
            | Self::Promote { json, .. } => *json,
        }
    }
}

impl Connection {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::List { json, .. } | Self::Create { json, .. } => *json,
            Self::Update { one, .. }
            | Self::Delete { one, .. }
            | Self::Show(one)
            | Self::Enable(one)
            | Self::Disable(one) => one.json,
        }
    }
}

impl Account {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::List { json, .. } => *json,
            Self::Show { one, .. }
            | Self::Create { one, .. }
            | Self::Update { one, .. }
            | Self::Delete { one, .. } => one.json,
        }
    }
}
