//! Parameters of the query: found by their decoded names, added encoded.
//!
//! The rest of the query stays byte for byte. Parts are told apart at `&` and also at `;`, as some
//! servers do, so that a copy cannot hide behind one.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::{EditError, EditName, Flaw};
use crate::secret::Secret;

/// All but the unreserved characters of RFC 3986: what every server decodes alike, and what
/// signers encode too.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Clone)]
pub(super) struct QueryEdit {
    name: String,
    empty: bool,
    /// `name=value`, encoded.
    pair: Secret,
}

impl QueryEdit {
    pub(super) fn parse(kind: EditName, name: String, value: String) -> Result<Self, EditError> {
        let value = Zeroizing::new(value);
        if name.is_empty() || name.contains(char::is_control) {
            return Err(EditError::Name(kind));
        }
        if value.contains(char::is_control) {
            return Err(EditError::Value { edit: kind.on(&name), flaw: Flaw::Control });
        }
        // At once at its full length, as growing would leave copies behind.
        let mut pair = String::with_capacity(3 * (name.len() + value.len()) + 1);
        pair.extend(utf8_percent_encode(&name, ENCODED));
        pair.push('=');
        pair.extend(utf8_percent_encode(&value, ENCODED));
        Ok(Self { name, empty: value.is_empty(), pair: Secret::new(pair) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// In place of every parameter of that name.
    pub(super) fn set(&self, url: &mut Url) {
        remove(url, |name| name == self.name);
        self.append(url);
    }

    pub(super) fn append(&self, url: &mut Url) {
        let query = match url.query() {
            None | Some("") => self.pair.expose().to_owned(),
            Some(query) => [query, "&", self.pair.expose()].concat(),
        };
        url.set_query(Some(&Zeroizing::new(query)));
    }
}

/// Takes away the parameters whose decoded names are to go; the query itself, when it was all of
/// them.
pub(super) fn remove(url: &mut Url, goes: impl Fn(&str) -> bool) {
    let Some(kept) = url.query().and_then(|query| without(query, goes)) else { return };
    url.set_query((!kept.is_empty()).then_some(kept.as_str()));
}

/// None where nothing goes.
fn without(query: &str, goes: impl Fn(&str) -> bool) -> Option<String> {
    let (mut kept, mut any_kept, mut any_gone) = (String::with_capacity(query.len()), false, false);
    let (mut separator, mut rest) = ("", query);
    loop {
        let end = rest.find(['&', ';']).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        if goes(&name(part)) {
            any_gone = true;
        } else {
            if any_kept {
                kept.push_str(separator);
            }
            kept.push_str(part);
            any_kept = true;
        }
        if after.is_empty() {
            return any_gone.then_some(kept);
        }
        (separator, rest) = after.split_at(1);
    }
}

fn name(part: &str) -> Cow<'_, str> {
    let name = part.split_once('=').map_or(part, |(name, _)| name);
    let mut pairs = form_urlencoded::parse(name.as_bytes());
    pairs.next().map_or(Cow::Borrowed(""), |(name, _)| name)
}

#[cfg(test)]
mod tests;
