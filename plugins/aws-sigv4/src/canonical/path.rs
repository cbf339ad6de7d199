//! The path, by one of two rules.

use super::{decoded, encoded};
use crate::settings::Settings;

/// Which rule a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    /// S3: a key is what it is. Nothing is normalized, and each byte is encoded once.
    Verbatim,
    /// All others: dot segments and empty segments go (RFC 3986, section 5.2.4), and what is on the
    /// wire is encoded once more.
    Normalized,
}

impl Paths {
    pub(crate) fn of(settings: &Settings<'_>) -> Self {
        if settings.is_s3() { Self::Verbatim } else { Self::Normalized }
    }

    /// The canonical path of one on the wire.
    pub(crate) fn canonical(self, path: &str) -> String {
        let mut text = String::with_capacity(path.len() + 1);
        match self {
            Self::Verbatim => encoded(&decoded(path), b"/", &mut text),
            Self::Normalized => encoded(normalized(path).as_bytes(), b"/", &mut text),
        }
        if text.is_empty() { "/".to_owned() } else { text }
    }
}

fn normalized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            other => segments.push(other),
        }
    }
    let directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    let end = if directory && !segments.is_empty() { "/" } else { "" };
    ["/", &segments.join("/"), end].concat()
}
