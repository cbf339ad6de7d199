//! Values that are made for settings.

use std::num::NonZeroUsize;

use tracing_subscriber::EnvFilter;
use url::Url;

use super::Scalar;

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

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

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

/// What is logged: directives that can all be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter(pub(crate) String);

impl Scalar for Filter {
    const TAKES: &'static str = "directives such as \"info\" or \"warn,countersign=debug\"";

    fn parse(text: &str) -> Option<Self> {
        EnvFilter::builder().parse(text).ok().map(|_| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// Where a collector of traces is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collector(Url);

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

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio(pub(crate) f64);

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

/// What something is called, which is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) String);

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

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
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
