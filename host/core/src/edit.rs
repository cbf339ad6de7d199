//! The plugin's edits: checked against its needs and the host's rules, applied all or none.
//!
//! [`CheckedEdits`] exist only once every name and value has been parsed: header names and values
//! that `http` takes, parameters already encoded, cookies of RFC 6265. On `Err` nothing has been
//! changed, neither by `check` nor by [`CheckedEdits::apply`], which asks the needs and rules
//! again each time, so that an answer that was remembered under wider ones does not outlive them.
//!
//! What a plugin sets replaces every copy that is there: headers in any spelling
//! (case, and hyphen, underscore or dot; also at the end), parameters and cookies by their decoded
//! names. [`strip`] goes further, before the plugin sees anything: it takes from the caller's
//! request all that the plugin may write, whether it will or not, so that no credential of the
//! caller's own goes along. The host strips first, adds the provider's headers, and applies last.
//!
//! The rules, beyond the needs:
//!
//! - A header value is of visible characters up to U+00FF, each one byte, and blanks between them.
//!   Control characters are refused, the tab too, and so are a blank at either end and the empty
//!   value: servers differ in what they make of these.
//! - A name is set, or removed, once, in whatever spelling; only `append` goes with `append`.
//! - A path has the characters of RFC 3986 alone and no dot segments, encoded or not.
//! - An origin is one that the provider lists.
//! - Unless `send bare` is granted, the edits put something on the request.

mod change;
mod cookie;
mod error;
mod offers;
mod place;
mod query;
mod strip;
mod value;

pub use error::{EditError, EditName, Flaw};
pub(crate) use offers::join as join_offers;
pub use strip::strip;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::contract::authorizer::Edit as Asked;
use crate::needs::Granted;
use crate::needs::header::same_spelling;
use change::{Change, HeaderEdit};

/// A request with more headers than this is not edited. Far above what servers take, and below
/// where a header map is full, so that adding to one cannot fail.
const MAX_HEADERS: usize = 4096;

/// What the host holds every plugin to, besides its needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRules {
    /// Headers that change what a request does, such as `x-http-method-override`, where the
    /// provider names them.
    pub named_headers: Vec<HeaderName>,
    /// The origins besides its own that the provider lists.
    pub origins: Vec<url::Origin>,
    /// How many edits one answer may hold. Signers need about ten.
    pub max_edits: usize,
    /// Bytes of all names and values together, but for the body. Servers take 8 to 64 KiB.
    pub max_bytes: usize,
    /// Bytes of a new body.
    pub max_body: usize,
}

impl Default for EditRules {
    fn default() -> Self {
        Self {
            named_headers: Vec::new(),
            origins: Vec::new(),
            max_edits: 64,
            max_bytes: 32 * 1024,
            max_body: 1024 * 1024,
        }
    }
}

/// The parts of a request that edits change.
///
/// The URL is where the request goes; the one within [`http::request::Parts`] is not looked at.
pub struct Outgoing<'a> {
    /// The headers as they are to be sent, but for those that the host adds on the wire.
    pub headers: &'a mut HeaderMap,
    /// Absolute.
    pub url: &'a mut Url,
    /// A body that replaces the caller's; left alone without a `set-body`.
    pub body: &'a mut Option<Bytes>,
}

/// Edits that may be applied. Has no `Debug`: it holds credentials, which are overwritten in memory
/// when the last copy is dropped.
#[derive(Clone)]
pub struct CheckedEdits {
    edits: Vec<Change>,
}

impl CheckedEdits {
    /// Parses what the plugin asked for, and holds it against what is granted.
    pub(crate) fn check(
        asked: Vec<Asked>,
        granted: &Granted,
        rules: &EditRules,
    ) -> Result<Self, EditError> {
        if asked.len() > rules.max_edits {
            return Err(EditError::TooMany { limit: rules.max_edits });
        }
        if asked.iter().map(change::size).sum::<usize>() > rules.max_bytes {
            return Err(EditError::TooLarge { limit: rules.max_bytes });
        }
        let mut edits: Vec<Change> = Vec::with_capacity(asked.len());
        for asked in asked {
            let edit = Change::parse(asked, rules)?;
            if edits.iter().any(|earlier| earlier.collides(&edit)) {
                return Err(EditError::Twice(edit.name()));
            }
            edits.push(edit);
        }
        let checked = Self { edits };
        checked.recheck(granted, rules)?;
        Ok(checked)
    }

    /// Asks the needs and the rules again, without parsing. [`apply`](Self::apply) does so itself.
    pub fn recheck(&self, granted: &Granted, rules: &EditRules) -> Result<(), EditError> {
        self.edits.iter().try_for_each(|edit| edit.permitted(granted, rules))?;
        if !granted.send_bare() && !self.edits.iter().any(Change::carries) {
            return Err(EditError::Bare);
        }
        Ok(())
    }

    /// Puts the edits on the request: all of them, or on `Err` none.
    ///
    /// `admits` is shown the URL with its new path and query, and still with the origin it had:
    /// it compares that with the rendered base. A listed origin takes its place only after that.
    pub fn apply<E>(
        &self,
        granted: &Granted,
        rules: &EditRules,
        request: Outgoing<'_>,
        admits: impl FnOnce(&Url) -> Result<(), E>,
    ) -> Result<(), EditError>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let Outgoing { headers, url, body } = request;
        self.recheck(granted, rules)?;
        if headers.len() + self.edits.len() > MAX_HEADERS {
            return Err(EditError::TooManyHeaders { limit: MAX_HEADERS });
        }
        let moved = self.url(url, admits)?;
        let cookies = self.cookies(headers)?;

        // Nothing below can fail.
        if let Some(moved) = moved {
            *url = moved;
        }
        if let Some(cookies) = cookies {
            remove(headers, &COOKIE);
            headers.insert(COOKIE, cookies);
        }
        for edit in &self.edits {
            match edit {
                Change::SetHeader(HeaderEdit { name, value }) => {
                    remove(headers, name);
                    headers.insert(name, value.clone());
                }
                Change::AppendHeader(HeaderEdit { name, value }) => {
                    headers.append(name, value.clone());
                }
                Change::RemoveHeader(name) => remove(headers, name),
                Change::SetBody(new) => {
                    // The caller's length is not that of the new body.
                    remove(headers, &CONTENT_LENGTH);
                    *body = Some(new.clone());
                }
                Change::SetQuery(_)
                | Change::AppendQuery(_)
                | Change::SetCookie(_)
                | Change::SetPath(_)
                | Change::SetOrigin(_)
                | Change::ClientCertificate { .. }
                | Change::OwnConnection => {}
            }
        }
        Ok(())
    }

    /// Whether these may be used for another request: not where the path or the body is new, as
    /// either may hold something of the request it was made for.
    pub fn may_be_remembered(&self) -> bool {
        !self.edits.iter().any(|edit| matches!(edit, Change::SetPath(_) | Change::SetBody(_)))
    }

    /// Whether one more subprotocol is offered. The caller's offers then stay, though the plugin may
    /// write them: see [`join_offers`].
    pub(crate) fn append_offers(&self) -> bool {
        self.edits.iter().any(|edit| match edit {
            Change::AppendHeader(HeaderEdit { name, .. }) => name == SEC_WEBSOCKET_PROTOCOL,
            _ => false,
        })
    }

    /// The origin that takes the place of the provider's own.
    pub fn origin(&self) -> Option<url::Origin> {
        self.edits.iter().find_map(|edit| match edit {
            Change::SetOrigin(origin) => Some(origin.origin()),
            _ => None,
        })
    }

    /// The names of the values that hold a certificate's chain, and its key.
    pub fn client_certificate(&self) -> Option<[&str; 2]> {
        self.edits.iter().find_map(|edit| match edit {
            Change::ClientCertificate { chain, key } => Some([chain.as_str(), key.as_str()]),
            _ => None,
        })
    }

    /// Whether the request and its repeats want a connection to themselves.
    pub fn own_connection(&self) -> bool {
        self.edits.iter().any(|edit| matches!(edit, Change::OwnConnection))
    }

    /// How many there are. None at all only where `send bare` is granted.
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The URL after the edits, where it is another.
    fn url<E>(
        &self,
        url: &Url,
        admits: impl FnOnce(&Url) -> Result<(), E>,
    ) -> Result<Option<Url>, EditError>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let admits = |url: &Url| admits(url).map_err(|cause| EditError::OutsideBase(cause.into()));
        if !self.edits.iter().any(Change::changes_url) {
            admits(url)?;
            return Ok(None);
        }
        let mut url = url.clone();
        for edit in &self.edits {
            match edit {
                Change::SetPath(path) => path.apply(&mut url),
                Change::SetQuery(pair) => pair.set(&mut url),
                Change::AppendQuery(pair) => pair.append(&mut url),
                _ => {}
            }
        }
        admits(&url)?;
        for edit in &self.edits {
            if let Change::SetOrigin(origin) = edit {
                place::set_origin(&mut url, origin)?;
            }
        }
        Ok(Some(url))
    }

    /// The one `Cookie` header after the edits, where they set any.
    fn cookies(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, EditError> {
        let cookies = self.edits.iter().filter_map(|edit| match edit {
            Change::SetCookie(cookie) => Some(cookie),
            _ => None,
        });
        cookie::merged(headers, &cookies.collect::<Vec<_>>())
    }
}

/// Takes a header away in every spelling.
pub(crate) fn remove(headers: &mut HeaderMap, name: &HeaderName) {
    strip::remove(headers, |other| same_spelling(name.as_str(), other.as_str()));
}

#[cfg(test)]
mod tests;
