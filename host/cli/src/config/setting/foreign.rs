//! Values of types that others have made.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use countersign::egress::ResolveOverride;
use countersign::sandbox::Chosen;
use countersign_vault::key::KeySource;
use ipnet::IpNet;
use jiff::SignedDuration;
use url::Url;

use super::Scalar;
use crate::arguments::Pin;

/// Types that are read and written as they are.
macro_rules! plain {
    ($($type:ty: $takes:expr, $bare:literal;)+) => {
        $(impl Scalar for $type {
            const TAKES: &'static str = $takes;
            const BARE: (bool, bool) = ($bare, $bare);

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn text(&self) -> String {
                self.to_string()
            }
        })+
    };
}

plain! {
    bool: "true or false", true;
    NonZeroU32: "a whole number, 1 or more", true;
    NonZeroUsize: NonZeroU32::TAKES, true;
    SocketAddr: "an address and a port, such as \"127.0.0.1:8087\" or \"[::]:443\"", false;
    IpNet: "a network such as \"10.0.0.0/8\"", false;
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
