//! The values that settings have: read from any layer, and written as TOML.
//!
//! A file gives numbers and lists as such; the environment and `--set` give text, in which the
//! items of a list are set apart by commas. A value that does not fit is refused without being
//! repeated, since it may be a secret in the wrong place.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use ::config::{Value, ValueKind};
use countersign::egress::ResolveOverride;
use countersign::sandbox::Chosen;
use countersign_vault::key::KeySource;
use ipnet::IpNet;
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::arguments::Pin;

/// A value that stands for itself.
pub(crate) trait Scalar: Sized {
    /// What it takes, for people.
    const TAKES: &'static str;
    /// Whether a file may write it without quotation marks, and whether we do.
    const BARE: (bool, bool) = (false, false);

    fn parse(text: &str) -> Option<Self>;
    fn text(&self) -> String;
}

/// What a key can be set to.
pub(crate) trait Setting: Sized {
    /// What it takes, for people.
    fn takes() -> String;
    /// `None` where it does not fit.
    fn read(value: &Value) -> Option<Self>;
    /// As TOML; `None` where nothing is set.
    fn toml(&self) -> Option<String>;
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// What is logged: directives that can all be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter(pub(crate) String);

/// Where a collector of traces is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collector(Url);

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio(pub(crate) f64);

/// What something is called, which is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) String);

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

fn scalar<T: Scalar>(value: &Value) -> Option<T> {
    match &value.kind {
        ValueKind::String(text) => T::parse(text),
        ValueKind::Boolean(_) | ValueKind::I64(_) | ValueKind::U64(_) | ValueKind::Float(_)
            if T::BARE.0 =>
        {
            T::parse(&value.kind.to_string())
        }
        _ => None,
    }
}

fn quoted<T: Scalar>(value: &T) -> String {
    let text = value.text();
    // JSON's escapes are among TOML's.
    if T::BARE.1 { text } else { serde_json::Value::String(text).to_string() }
}

macro_rules! settings {
    ($($type:ty),+) => {
        $(impl Setting for $type {
            fn takes() -> String {
                Self::TAKES.to_owned()
            }

            fn read(value: &Value) -> Option<Self> {
                scalar(value)
            }

            fn toml(&self) -> Option<String> {
                Some(quoted(self))
            }
        })+
    };
}

settings!(bool, NonZeroU32, NonZeroUsize, Size, Duration, SocketAddr, Filter, Format, Ratio, Name);

impl<T: Scalar> Setting for Option<T> {
    fn takes() -> String {
        T::TAKES.to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        scalar(value).map(Some)
    }

    fn toml(&self) -> Option<String> {
        self.as_ref().map(quoted)
    }
}

impl<T: Scalar> Setting for Vec<T> {
    fn takes() -> String {
        format!("a list, each of it {}", T::TAKES)
    }

    fn read(value: &Value) -> Option<Self> {
        match &value.kind {
            ValueKind::Array(items) => items.iter().map(scalar).collect(),
            ValueKind::String(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(T::parse).collect()
            }
            _ => None,
        }
    }

    fn toml(&self) -> Option<String> {
        let items: Vec<String> = self.iter().map(quoted).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

impl Scalar for bool {
    const TAKES: &'static str = "true or false";
    const BARE: (bool, bool) = (true, true);

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Scalar for NonZeroU32 {
    const TAKES: &'static str = "a whole number, 1 or more";
    const BARE: (bool, bool) = (true, true);

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Scalar for NonZeroUsize {
    const TAKES: &'static str = NonZeroU32::TAKES;
    const BARE: (bool, bool) = (true, true);

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// How many threads a server has. Where it is far more than any machine has cores, it is a mistake, and
/// the system could not start them.
#[derive(Clone, Copy)]
pub(crate) struct Threads(pub(crate) NonZeroUsize);

impl Threads {
    const MOST: usize = 1024;
}

impl Scalar for Threads {
    const TAKES: &'static str = "a whole number from 1 to 1024";
    const BARE: (bool, bool) = (true, true);

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= Self::MOST).map(Self)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

impl Size {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];

    /// For what counts in memory.
    pub(crate) fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<usize> for Size {
    fn from(bytes: usize) -> Self {
        Self(bytes as u64)
    }
}

impl Scalar for Size {
    const TAKES: &'static str = "a size such as \"64KiB\", \"8MiB\" or a number of bytes, not 0";
    const BARE: (bool, bool) = (true, false);

    fn parse(text: &str) -> Option<Self> {
        let unit = Self::UNITS.iter().find_map(|&(unit, shift)| {
            text.strip_suffix(unit).map(|number| (number.trim_end(), shift))
        });
        let (number, shift) = unit.unwrap_or((text, 0));
        let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
        number.checked_mul(1 << shift).map(Self)
    }

    fn text(&self) -> String {
        let whole = Self::UNITS.iter().find(|(_, shift)| self.0.is_multiple_of(1 << shift));
        match whole {
            Some((unit, shift)) => format!("{}{unit}", self.0 >> shift),
            None => self.0.to_string(),
        }
    }
}

impl Scalar for Duration {
    const TAKES: &'static str = "a time such as \"500ms\", \"30s\", \"5m\" or \"24h\", not 0";

    fn parse(text: &str) -> Option<Self> {
        let signed: SignedDuration = text.parse().ok()?;
        Self::try_from(signed).ok().filter(|time| !time.is_zero())
    }

    fn text(&self) -> String {
        let (seconds, millis) = (self.as_secs(), self.subsec_millis());
        match seconds {
            _ if millis > 0 => format!("{}ms", self.as_millis()),
            _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
            _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
            _ => format!("{seconds}s"),
        }
    }
}

impl Scalar for SocketAddr {
    const TAKES: &'static str = "an address and a port, such as \"127.0.0.1:8087\" or \"[::]:443\"";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Scalar for PathBuf {
    const TAKES: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }

    fn text(&self) -> String {
        self.display().to_string()
    }
}

impl Scalar for Url {
    const TAKES: &'static str =
        "a URL of a scheme and a host, such as \"https://gateway.example.com\"";

    fn parse(text: &str) -> Option<Self> {
        let url: Self = text.parse().ok()?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        (matches!(url.scheme(), "http" | "https") && bare).then_some(url)
    }

    fn text(&self) -> String {
        self.as_str().trim_end_matches('/').to_owned()
    }
}

impl Scalar for IpNet {
    const TAKES: &'static str = "a network such as \"10.0.0.0/8\"";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Scalar for ResolveOverride {
    const TAKES: &'static str = "\"HOST:PORT=ADDR\", where ADDR may have a port of its own";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        format!("{}:{}={}", self.host(), self.port(), self.address())
    }
}

impl Scalar for Pin {
    const TAKES: &'static str = "\"TYPE=SHA256\"";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        format!("{}={}", self.name, self.digest)
    }
}

impl Scalar for Chosen {
    const TAKES: &'static str = "the name of a plugin's file without .wasm, or its SHA-256";

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() { None } else { text.parse().ok() }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Scalar for KeySource {
    const TAKES: &'static str = "\"file:PATH\", \"env:NAME\" or \"command:PROGRAM ARGUMENTS\"";

    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        if rest.trim().is_empty() {
            return None;
        }
        match kind {
            "file" => Some(Self::File(rest.into())),
            "env" => Some(Self::Environment(rest.to_owned())),
            "command" => Some(Self::Command(rest.split_whitespace().map(Into::into).collect())),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::File(path) => format!("file:{}", path.display()),
            Self::Environment(name) => format!("env:{name}"),
            Self::Command(words) => format!("command:{}", words.join(" ")),
        }
    }
}

impl Scalar for Filter {
    const TAKES: &'static str = "directives such as \"info\" or \"warn,countersign=debug\"";

    fn parse(text: &str) -> Option<Self> {
        EnvFilter::builder().parse(text).ok().map(|_| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Collector {
    /// Where it takes traces (OTLP 1.0, "OTLP/HTTP Request").
    pub(crate) fn traces(&self) -> String {
        format!("{}/v1/traces", self.text())
    }
}

impl Scalar for Collector {
    const TAKES: &'static str =
        "a URL without a user or a query, such as \"http://127.0.0.1:4318\"";

    fn parse(text: &str) -> Option<Self> {
        let url: Url = text.parse().ok()?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        (matches!(url.scheme(), "http" | "https") && bare).then_some(Self(url))
    }

    fn text(&self) -> String {
        self.0.as_str().trim_end_matches('/').to_owned()
    }
}

impl Scalar for Ratio {
    const TAKES: &'static str = "a number from 0 to 1";
    const BARE: (bool, bool) = (true, true);

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).map(Self)
    }

    fn text(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl Scalar for Name {
    const TAKES: &'static str = "a name";

    fn parse(text: &str) -> Option<Self> {
        let plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
        plain.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Scalar for Format {
    const TAKES: &'static str = "\"text\" or \"json\"";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn text(&self) -> String {
        if *self == Self::Json { "json".to_owned() } else { "text".to_owned() }
    }
}
