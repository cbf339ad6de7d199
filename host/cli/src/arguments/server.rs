//! The command line of what has to do with a server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ::config::Value;
use clap::{Args, Subcommand, ValueEnum};

use super::{Egress, Global, Narrowing};
use crate::config::Layers;

pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  countersign serve
      On http://127.0.0.1:8087. The first start makes the data folder and a first client, whose
      secret is shown once.

  countersign serve --listen 0.0.0.0:8443 --data /var/lib/countersign \\
      --tls-certificate cert.pem --tls-key key.pem --public-url https://gateway.example.com

  countersign serve --listen 0.0.0.0:8087 --insecure-listen
      Behind a server that speaks TLS.

  COUNTERSIGN_CLIENT_ID=ops COUNTERSIGN_CLIENT_SECRET=\"$SECRET\" countersign serve
      With a client of your own choosing.

  countersign serve --set limits.deadline=30s --set log.format=json

Every setting can stand in a file (--config, or countersign.toml in the data folder), in the
environment (COUNTERSIGN_LIMITS__DEADLINE) and in --set; `countersign config print --defaults` shows
them all, and docs/configuration.md explains them.

One line on standard output says that it is ready: `listening on http://127.0.0.1:8087`.
SIGTERM and SIGINT let requests under way finish, a second one ends at once. SIGHUP reads plugins, the
certificate and the configuration anew.";

const CHECK_EXAMPLES: &str = "\
Examples:
  countersign config check --config countersign.toml
  countersign config check --data /var/lib/countersign --set limits.deadline=30s

Exit code 1 where anything is wrong; all that is wrong is shown.";

const PRINT_EXAMPLES: &str = "\
Examples:
  countersign config print --defaults > countersign.toml
  countersign config print --data /var/lib/countersign";

const CREATE_EXAMPLES: &str = "\
Examples:
  countersign client create --name agent --role proxy
  countersign client create --name agent --connection github --identifier user-1
  countersign client create --name backend --role proxy --role manage --json

Give an agent the role `proxy` alone: it can then send requests, and see no secret.";

const ROTATE_EXAMPLES: &str = "\
Examples:
  countersign vault key new.key
  countersign vault rotate --set master_keys=file:new.key,file:old.key

To replace a master key: start every server with the new key first and the old one after it, and
rotate; then start every server with the new key alone, and rotate again.";

/// Where a server's settings come from.
#[derive(Args, Clone)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct Sources {
    /// Configuration file; `countersign.toml` in the data folder where nothing is said
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    /// Data folder; `$XDG_DATA_HOME/countersign` or `~/.local/share/countersign` where nothing is said
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Set any setting, for example `limits.deadline=30s`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Assignment>,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Address and port to listen at [default: 127.0.0.1:8087]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// What callers reach the server by
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// PEM file of the certificate
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// PEM file of the certificate's key
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Listen without TLS where others can reach it
    #[arg(long)]
    insecure_listen: bool,
    #[command(flatten)]
    narrowing: Narrowing,
    #[command(flatten)]
    egress: Egress,
}

#[derive(Subcommand)]
pub(crate) enum Config {
    /// Say all that is wrong with a configuration
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        #[command(flatten)]
        sources: Sources,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show all settings, as a TOML file that explains them
    #[command(after_help = PRINT_EXAMPLES)]
    Print {
        #[command(flatten)]
        sources: Sources,
        /// The defaults, whatever the layers say
        #[arg(long)]
        defaults: bool,
    },
}

/// What a client may do.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// Send requests through the proxy
    Proxy,
    /// Read and change providers, connections, accounts and clients; never see a secret
    Manage,
    /// Read secrets, and confirm that they go to a new place
    Reveal,
}

#[derive(Subcommand)]
pub(crate) enum Client {
    /// Make a client; its secret is shown once
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        #[command(flatten)]
        sources: Sources,
        /// For people
        #[arg(long)]
        name: String,
        /// What it may do; may be given several times
        #[arg(long = "role", value_name = "ROLE", default_value = "proxy")]
        roles: Vec<Role>,
        /// Limit it to this connection; may be given several times
        #[arg(long = "connection", value_name = "NAME")]
        connections: Vec<String>,
        /// Limit it to accounts of this identifier; may be given several times
        #[arg(long = "identifier", value_name = "IDENTIFIER")]
        identifiers: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List all clients, without their secrets
    List {
        #[command(flatten)]
        sources: Sources,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a client a new secret, shown once; the old one and its tokens end
    Rotate {
        #[command(flatten)]
        sources: Sources,
        /// Which
        id: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// End a client and its tokens, for good
    Revoke {
        #[command(flatten)]
        sources: Sources,
        /// Which
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum Vault {
    /// Seal everything anew, under the first of the master keys
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate {
        #[command(flatten)]
        sources: Sources,
    },
    /// Make a file with a new master key
    Key {
        #[command(flatten)]
        sources: Sources,
        /// Where; nothing is replaced
        file: PathBuf,
    },
}

impl Config {
    pub(super) fn sources(&self) -> &Sources {
        match self {
            Self::Check { sources, .. } | Self::Print { sources, .. } => sources,
        }
    }

    pub(super) fn wants_json(&self) -> bool {
        matches!(self, Self::Check { json: true, .. })
    }
}

impl Client {
    pub(super) fn sources(&self) -> &Sources {
        match self {
            Self::Create { sources, .. }
            | Self::List { sources, .. }
            | Self::Rotate { sources, .. }
            | Self::Revoke { sources, .. } => sources,
        }
    }

    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::Create { json, .. }
            | Self::List { json, .. }
            | Self::Rotate { json, .. }
            | Self::Revoke { json, .. } => *json,
        }
    }
}

impl Vault {
    pub(super) fn sources(&self) -> &Sources {
        match self {
            Self::Rotate { sources } | Self::Key { sources, .. } => sources,
        }
    }
}

impl Sources {
    /// These, and what every command takes.
    pub(crate) fn layers(&self, global: &Global) -> Layers {
        let mut layers = Layers { file: self.config.clone(), ..Layers::default() };
        let mut flag = |key, value: Option<String>| {
            layers.flags.extend(value.map(|value| (key, Value::from(value))));
        };
        flag("data", self.data.as_deref().map(text));
        flag("plugins", global.plugins.as_deref().map(text));
        flag("cache", global.cache.as_deref().map(text));
        flag("log.filter", global.filter().map(ToOwned::to_owned));
        list(&mut layers, "pins", &global.pins, |pin| format!("{}={}", pin.name, pin.digest));
        list(&mut layers, "interpreted.plugins", &global.interpreted, ToString::to_string);
        layers.set = self.set.iter().map(|it| (it.key.clone(), it.value.clone())).collect();
        layers
    }
}

impl Serve {
    /// All layers that the command line knows of.
    pub(crate) fn layers(&self, global: &Global) -> Layers {
        let mut layers = self.sources.layers(global);
        let mut flag = |key, value: Option<String>| {
            layers.flags.extend(value.map(|value| (key, Value::from(value))));
        };
        flag("listen", self.listen.map(|it| it.to_string()));
        flag("public_url", self.public_url.clone());
        flag("tls.certificate", self.tls_certificate.as_deref().map(text));
        flag("tls.key", self.tls_key.as_deref().map(text));
        flag("insecure_listen", self.insecure_listen.then(|| "true".to_owned()));
        flag("policy", self.narrowing.file().map(text));
        let http = self.egress.unencrypted.allowed;
        flag("egress.allow_http_upstream", http.then(|| "true".to_owned()));
        let egress = &self.egress;
        list(&mut layers, "egress.allow_upstream", &egress.allow_upstream, ToString::to_string);
        list(&mut layers, "egress.resolve", &egress.resolve, |it| {
            format!("{}:{}={}", it.host(), it.port(), it.address())
        });
        list(&mut layers, "egress.upstream_ca", &egress.upstream_ca, |path| text(path));
        layers
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A flag that is given takes the place of the whole list.
fn list<T>(layers: &mut Layers, key: &'static str, items: &[T], text: impl Fn(&T) -> String) {
    if !items.is_empty() {
        let items: Vec<String> = items.iter().map(text).collect();
        layers.flags.push((key, items.into()));
    }
}

/// `KEY=VALUE`.
#[derive(Clone)]
struct Assignment {
    key: String,
    value: String,
}

impl FromStr for Assignment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("it reads KEY=VALUE")?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }
}
