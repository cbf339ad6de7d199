//! Renders the payload's fixed headers.
//!
//! `values` are those of [`Assembled::finish`](super::Assembled::finish). On `Ok` each header has
//! a value of printable ASCII in which no secret stands: the payload was read so, and each name is
//! looked at once more here, where the value is put in.

use http::{HeaderMap, HeaderValue};

use super::{names_a_secret, placeholder};
use crate::{
    provider::{AuthPattern, Field, Part, Provider, is_visible},
    values::{Value, Values},
};

/// A fixed header cannot be sent. Whoever connected the account, or wrote the payload, acts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyHeaderError {
    /// A placeholder has no value, or one that a fixed header may not have.
    #[error("the header `{header}` needs a value for `{field}`")]
    Missing {
        /// The header's name.
        header: String,
        /// The placeholder's name.
        field: String,
    },
    /// A value holds what no header can carry.
    #[error("the header `{header}` cannot carry the value of `{field}`: it is not printable ASCII")]
    Unprintable {
        /// The header's name.
        header: String,
        /// The placeholder's name.
        field: String,
    },
}

/// The provider's `proxy_headers` for one call.
pub fn proxy_headers(
    provider: &Provider,
    pattern: &AuthPattern,
    values: &Values,
) -> Result<HeaderMap, ProxyHeaderError> {
    let mut headers = HeaderMap::with_capacity(provider.proxy_headers().len());
    for header in provider.proxy_headers() {
        let name = header.name();
        let mut text = String::new();
        for part in header.text().parts() {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Name(field) => {
                    let value = plain(pattern, values, field).ok_or_else(|| {
                        ProxyHeaderError::Missing { header: name.to_string(), field: field.clone() }
                    })?;
                    if !is_visible(value) {
                        return Err(ProxyHeaderError::Unprintable {
                            header: name.to_string(),
                            field: field.clone(),
                        });
                    }
                    text.push_str(value);
                }
            }
        }
        // Cannot fail: literals were checked when the payload was read, values just now.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name.clone(), value);
        }
    }
    Ok(headers)
}

/// The value under a placeholder's name, unless it is a secret.
fn plain<'v>(pattern: &AuthPattern, values: &'v Values, name: &str) -> Option<&'v str> {
    if names_a_secret(name) || pattern.field(name).is_some_and(Field::is_secret) {
        return None;
    }
    if !name.contains('/') {
        return placeholder(pattern, values, name);
    }
    match values.get(name) {
        Some(Value::Public(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
