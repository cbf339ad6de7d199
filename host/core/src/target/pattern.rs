//! A field's own `pattern`: a regular expression that the whole value must match.
//!
//! It narrows what the grammar of the place allows, and is compiled once, when the provider is
//! read. `regex-lite` has no look-around and no back-references, and its time is bounded by the
//! sizes of pattern and value, both of which are limited.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

use super::error::TemplateError;

/// The largest compiled pattern, in bytes: a hundred times what `[a-z0-9-]{1,63}` takes is enough,
/// and matching time grows with it.
const MAX_COMPILED: usize = 256 * 1024;

/// A compiled pattern.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles the pattern. It need not hold `^` and `$`: it always stands for the whole value.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        // Alone first: `a)|(b` is no pattern, but becomes one inside the group below.
        build(text)?;
        build(&format!(r"\A(?:{text})\z")).map(Self)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        let text = self.0.as_str();
        let inner = text.strip_prefix(r"\A(?:").and_then(|text| text.strip_suffix(r")\z"));
        inner.unwrap_or(text)
    }

    /// Whether the whole value matches.
    pub fn matches(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pattern")
    }
}

fn build(text: &str) -> Result<Regex, TemplateError> {
    RegexBuilder::new(text)
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| TemplateError::Pattern { reason: error.to_string() })
}
