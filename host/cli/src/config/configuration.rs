//! Every setting: its name, its type, its default, what it means, and whether a running server
//! takes a new value.
//!
//! This is the one list. What the layers may set, what `config print` writes and what
//! docs/configuration.md shows are made of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use countersign::egress::{EgressConfig, ResolveOverride, Timeouts};
use countersign::sandbox::{Chosen, Limits as SandboxLimits};
use countersign_vault::key::KeySource;
use ipnet::IpNet;
use url::Url;

use super::reader::Reader;
use super::setting::{Collector, Filter, Format, Name, Ratio, Setting, Size, Threads};
use crate::arguments::Pin;

/// Where it listens when nothing is said.
const PORT: u16 = 8087;

/// One key, as people are told of it.
pub(crate) struct Row {
    /// With the names of its sections, `limits.deadline`.
    pub(crate) key: String,
    /// What it means: the lines of its documentation.
    pub(crate) doc: &'static [&'static str],
    /// What it takes.
    pub(crate) takes: String,
    /// Its value, as TOML.
    pub(crate) value: Option<String>,
    /// Whether a running server takes a new value.
    pub(crate) live: bool,
}

/// Some settings that belong together.
pub(crate) trait Section: Default {
    /// Its name, which is that of its table; none where they are at the top.
    const NAME: &'static str;
    /// The lines of its documentation.
    const DOC: &'static [&'static str];

    fn read(&mut self, reader: &mut Reader);
    fn rows(&self) -> Vec<Row>;
}

macro_rules! live {
    (live) => {
        true
    };
    (restart) => {
        false
    };
}

macro_rules! sections {
    ($($(#[doc = $about:literal])+ $section:ident: $name:ident = $path:literal {
        $($(#[doc = $doc:literal])+ $when:ident $field:ident: $type:ty = $default:expr;)+
    })+) => {
        $(
            $(#[doc = $about])+
            #[derive(Clone)]
            pub(crate) struct $name {
                $($(#[doc = $doc])+ pub(crate) $field: $type,)+
            }

            impl Default for $name {
                fn default() -> Self {
                    Self { $($field: $default,)+ }
                }
            }

            impl Section for $name {
                const NAME: &'static str = $path;
                const DOC: &'static [&'static str] = &[$($about),+];

                fn read(&mut self, reader: &mut Reader) {
                    $(reader.take(&key($path, stringify!($field)), &mut self.$field);)+
                }

                fn rows(&self) -> Vec<Row> {
                    vec![$(Row {
                        key: key($path, stringify!($field)),
                        doc: &[$($doc),+],
                        takes: <$type as Setting>::takes(),
                        value: self.$field.toml(),
                        live: live!($when),
                    }),+]
                }
            }
        )+

        /// All settings.
        #[derive(Clone, Default)]
        pub(crate) struct Configuration {
            $(pub(crate) $section: $name,)+
        }

        impl Configuration {
            /// Takes what the layers say; whatever they do not name stays as it is.
            pub(super) fn read(&mut self, reader: &mut Reader) {
                $(self.$section.read(reader);)+
            }

            /// All of it, in its order.
            pub(crate) fn parts(&self) -> Vec<Part> {
                vec![$(part(&self.$section)),+]
            }
        }
    };
}

fn key(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

fn gateway() -> countersign_gateway::Settings {
    countersign_gateway::Settings::default()
}

fn requests() -> countersign::Settings {
    countersign::Settings::default()
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

sections! {
    /// Where the server listens, and what it keeps where.
    server: Server = "" {
        /// Where it listens; port 0 takes any that is free. Another address than loopback needs TLS
        /// (`tls.certificate`, `tls.key`), or `insecure_listen`.
        restart listen: SocketAddr = (Ipv4Addr::LOCALHOST, PORT).into();
        /// What callers reach the server by, where that is not the address it listens at.
        restart public_url: Option<Url> = None;
        /// Listen without TLS where others can reach it: for a server behind one that speaks TLS.
        restart insecure_listen: bool = false;
        /// Folder for the database, and for whatever below has no place of its own. Where nothing is
        /// said it is `$XDG_DATA_HOME/countersign`, else `~/.local/share/countersign`.
        restart data: Option<PathBuf> = None;
        /// Where the master keys come from: the first one seals, the others still open what they
        /// sealed. With none it is the file `master.key` of the data folder, made at the first start;
        /// keep it elsewhere, because who has both has every secret.
        restart master_keys: Vec<KeySource> = Vec::new();
        /// Folder of plugins beside the bundled ones, watched for new files; `plugins` of the data
        /// folder where nothing is said.
        restart plugins: Option<PathBuf> = None;
        /// Components that an auth type or a mutation is given to, by their digest.
        live pins: Vec<Pin> = Vec::new();
        /// Folder for compiled plugins, which must be its owner's alone; `cache` of the data folder
        /// where nothing is said.
        restart cache: Option<PathBuf> = None;
        /// JSON file that lists, by auth type, what plugins may have of the needs they ask for.
        live policy: Option<PathBuf> = None;
        /// Threads that requests are served on; as many as there are cores where nothing is said.
        /// Plugins run on threads of their own, see `sandbox.concurrent_calls`.
        restart threads: Option<Threads> = None;
    }
    /// TLS. A new certificate is read from the same files at SIGHUP.
    tls: Tls = "tls" {
        /// PEM file of the certificate, with those between it and its authority.
        live certificate: Option<PathBuf> = None;
        /// PEM file of its key.
        live key: Option<PathBuf> = None;
    }
    /// The log, on standard error.
    log: Log = "log" {
        /// What is logged.
        live filter: Filter = Filter("info".to_owned());
        /// Lines for people, or one JSON object a line.
        restart format: Format = Format::Text;
    }
    /// Traces, which go to an OpenTelemetry collector. Where none is named there are none.
    traces: Traces = "traces" {
        /// Where the collector takes OTLP over HTTP; `/v1/traces` is added to it.
        restart endpoint: Option<Collector> = None;
        /// How many of the traces that begin here are kept, from none to all. One that a caller
        /// began is kept where the caller keeps it.
        restart sample: Ratio = Ratio(1.0);
        /// What this server is called there.
        restart service_name: Name = Name("countersign".to_owned());
        /// How long the collector may take for a batch, and all that is left for at the end.
        restart timeout: Duration = Duration::from_secs(5);
    }
    /// What one caller can take from the others.
    limits: Limits = "limits" {
        /// How long a token lives.
        live token_lifetime: Duration = gateway().token_lifetime;
        /// Tokens that one client gets in a minute.
        live tokens_per_minute: NonZeroU32 = number(gateway().tokens_per_minute);
        /// Attempts to get a token from one address, in a minute.
        live token_attempts_per_minute: NonZeroU32 =
            number(gateway().token_attempts_per_minute);
        /// Requests through the proxy at one time. A waiting one costs some 50 KiB.
        live most_in_flight: NonZeroUsize = count(gateway().most_in_flight);
        /// The same for one account.
        live most_in_flight_per_account: NonZeroUsize =
            count(gateway().most_in_flight_per_account);
        /// The longest body of a proxied request. It streams, and takes no memory.
        live longest_body: Size = Size(gateway().longest_body);
        /// The longest body of a request to the management API.
        live longest_document: Size = gateway().longest_document.into();
        /// From a proxied request's head to its reply's: renewals, and the upstream's own time.
        live deadline: Duration = gateway().deadline;
        /// How long neither side of a WebSocket may be silent.
        live tunnel_idle: Duration = gateway().tunnel_idle;
        /// Accounts that are kept in memory, with what was remembered for them. One costs some 8 KiB.
        restart cached_accounts: NonZeroUsize = count(gateway().cached_accounts);
        /// Whether cookies pass between callers and upstreams. A caller that keeps them by host would
        /// send those of one account with the next one's requests.
        live pass_cookies: bool = gateway().pass_cookies;
    }
    /// How a request is authorized and sent.
    requests: Requests = "requests" {
        /// How much of a body is kept for a plugin that must see it.
        live spool_bytes: Size = requests().spool_bytes.into();
        /// The longest body that is kept so that it can be sent again after a renewal.
        live resend_bytes: Size = Size(requests().resend_bytes);
        /// How long all the fetches of one renewal may take together.
        live flow_deadline: Duration = requests().flow_deadline;
        /// How long a reply is held for a plugin that watches it.
        live longest_hold: Duration = requests().longest_hold;
        /// The least time between two renewals of one account that replies forced.
        live forced_renewal_gap: Duration = requests().forced_renewal_gap;
    }
    /// Where requests may go, beyond the default of public addresses over TLS.
    egress: Egress = "egress" {
        /// Networks that may be dialled although they are not public.
        restart allow_upstream: Vec<IpNet> = Vec::new();
        /// Let requests leave unencrypted, where a provider's URL says http.
        restart allow_http_upstream: bool = false;
        /// Addresses to dial for some hosts and ports.
        restart resolve: Vec<ResolveOverride> = Vec::new();
        /// PEM files of certificate authorities that are trusted as well.
        restart upstream_ca: Vec<PathBuf> = Vec::new();
        /// From the start of a dial to a finished TLS handshake.
        restart connect_timeout: Duration = Timeouts::default().connect;
        /// From a request that is sent to the head of its reply.
        restart first_byte_timeout: Duration = Timeouts::default().first_byte;
        /// Between two pieces of a reply.
        restart idle_timeout: Duration = Timeouts::default().idle;
        /// The longest answer to a fetch of a renewal.
        restart max_fetched_bytes: Size = EgressConfig::default().max_fetched_bytes.into();
    }
    /// What plugins may use up.
    sandbox: Sandbox = "sandbox" {
        /// Calls that run at one time; twice the cores where nothing is said, and at least 4.
        restart concurrent_calls: Option<NonZeroUsize> = None;
        /// The same of one plugin; half of all where nothing is said.
        restart concurrent_calls_per_plugin: Option<NonZeroUsize> = None;
        /// Calls of one plugin that wait before more are turned away; 500 for each that runs where
        /// nothing is said.
        restart waiting_calls_per_plugin: Option<NonZeroUsize> = None;
        /// CPU time for a request.
        restart request_budget: Duration = SandboxLimits::default().request_budget;
        /// CPU time for a step of a renewal.
        restart flow_budget: Duration = SandboxLimits::default().flow_budget;
        /// Memory of one call.
        restart memory_bytes: Size = SandboxLimits::default().memory_bytes.into();
        /// The longest component file.
        restart component_bytes: Size = SandboxLimits::default().component_bytes.into();
    }
    /// What plugins that carry an interpreter may use up, as those in JavaScript and Python do.
    interpreted: Interpreted = "interpreted" {
        /// Which these are, by the names of their files without `.wasm`, or by their digests. All others
        /// have what `sandbox` says.
        live plugins: Vec<Chosen> = Vec::new();
        /// Calls that run at one time; as many as there are cores where nothing is said, and at least 2.
        restart concurrent_calls: Option<NonZeroUsize> = None;
        /// The same of one plugin; half of all where nothing is said.
        restart concurrent_calls_per_plugin: Option<NonZeroUsize> = None;
        /// CPU time for a request.
        restart request_budget: Duration = SandboxLimits::interpreted().request_budget;
        /// CPU time for a step of a renewal.
        restart flow_budget: Duration = SandboxLimits::interpreted().flow_budget;
        /// Memory of one call.
        restart memory_bytes: Size = SandboxLimits::interpreted().memory_bytes.into();
    }
    /// The end.
    drain: Drain = "drain" {
        /// How long requests that are under way may take once the server is told to stop.
        restart grace: Duration = Duration::from_secs(30);
    }
}

/// A section, as people are told of it.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) rows: Vec<Row>,
}

fn part<S: Section>(section: &S) -> Part {
    Part { name: S::NAME, doc: S::DOC, rows: section.rows() }
}

impl Configuration {
    /// Every key.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.parts().into_iter().flat_map(|part| part.rows).collect()
    }
}
