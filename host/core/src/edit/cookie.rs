//! Cookies, found by name in whatever `Cookie` headers the caller sent.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::{EditError, EditName, Flaw, value};
use crate::needs::header::is_token;
use crate::secret::Secret;

/// A cookie of RFC 6265, section 4.1.1.
#[derive(Clone)]
pub(super) struct CookieEdit {
    name: String,
    /// `name=value`
    pair: Secret,
}

impl CookieEdit {
    pub(super) fn parse(kind: &EditName, name: String, value: String) -> Result<Self, EditError> {
        let value = Zeroizing::new(value);
        if !is_token(&name) {
            return Err(EditError::Name(kind.clone()));
        }
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let octets = quoted.unwrap_or(&value);
        let flaw = if octets.is_empty() {
            Some(Flaw::Empty)
        } else if octets.contains(char::is_control) {
            Some(Flaw::Control)
        } else if !octets.bytes().all(is_cookie_octet) {
            Some(Flaw::Character)
        } else {
            None
        };
        if let Some(flaw) = flaw {
            return Err(EditError::Value { edit: kind.clone().on(&name), flaw });
        }
        let pair = Secret::new([&name, "=", &value].concat());
        Ok(Self { name, pair })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// All cookies in one header, these in place of every one of the same name. None without any edit.
pub(super) fn merged(
    headers: &HeaderMap,
    edits: &[&CookieEdit],
) -> Result<Option<HeaderValue>, EditError> {
    let Some(first) = edits.first() else { return Ok(None) };
    let added = edits.iter().map(|edit| edit.pair.expose().len() + 2).sum();
    let goes = |name: &str| edits.iter().any(|edit| edit.name == name);
    let (mut line, _) = without(headers, goes, added);
    for edit in edits {
        push(&mut line, edit.pair.expose().as_bytes());
    }
    let edit = || EditName::new("set-cookie", &first.name);
    let value = value::sensitive(line);
    let value = value.ok_or_else(|| EditError::Value { edit: edit(), flaw: Flaw::Control })?;
    Ok(Some(value))
}

/// Takes away the cookies whose names are to go, and the header where none is left.
pub(super) fn remove(headers: &mut HeaderMap, goes: impl Fn(&str) -> bool) {
    let (line, any_gone) = without(headers, goes, 0);
    if !any_gone {
        return;
    }
    headers.remove(COOKIE);
    if let (false, Some(value)) = (line.is_empty(), value::sensitive(line)) {
        headers.insert(COOKIE, value);
    }
}

/// The cookies that stay, in one line with room for as many bytes more, and whether any went.
fn without(
    headers: &HeaderMap,
    goes: impl Fn(&str) -> bool,
    room: usize,
) -> (Zeroizing<Vec<u8>>, bool) {
    let lines = || headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    // Each cookie may need a blank that the caller left out.
    let length = lines().map(|line| 2 * line.len() + 2).sum::<usize>();
    let (mut kept, mut any_gone) = (Zeroizing::new(Vec::with_capacity(length + room)), false);
    for part in lines().flat_map(|line| line.split(|&byte| byte == b';')) {
        let part = part.trim_ascii();
        if names(part).iter().any(|name| goes(name)) {
            any_gone = true;
        } else if !part.is_empty() {
            push(&mut kept, part);
        }
    }
    (kept, any_gone)
}

/// What servers may take for the name: as it stands, and decoded and without quotes.
fn names(cookie: &[u8]) -> [String; 2] {
    let name = cookie.split(|&byte| byte == b'=').next().unwrap_or(cookie).trim_ascii();
    let decoded = percent_decode(name).decode_utf8_lossy();
    let decoded = decoded.trim().trim_matches('"').trim().to_owned();
    [String::from_utf8_lossy(name).into_owned(), decoded]
}

fn push(line: &mut Vec<u8>, cookie: &[u8]) {
    if !line.is_empty() {
        line.extend_from_slice(b"; ");
    }
    line.extend_from_slice(cookie);
}

#[cfg(test)]
mod tests;
