//! Where the request goes: a new path, or another origin of the provider's.

use percent_encoding::percent_decode;
use url::Url;
use zeroize::Zeroizing;

use super::{EditError, EditName, Flaw};
use crate::secret::Secret;

/// A path that a URL holds as it is: absolute, encoded, with nothing in it that a server could
/// resolve to another.
#[derive(Clone)]
pub(super) struct PathEdit(Secret);

impl PathEdit {
    pub(super) fn parse(kind: &EditName, path: String) -> Result<Self, EditError> {
        let path = Secret::new(path);
        match flaw(path.expose()) {
            None => Ok(Self(path)),
            Some(flaw) => Err(EditError::Value { edit: kind.clone(), flaw }),
        }
    }

    pub(super) fn apply(&self, url: &mut Url) {
        url.set_path(self.0.expose());
    }
}

fn flaw(path: &str) -> Option<Flaw> {
    if path.contains(char::is_control) {
        return Some(Flaw::Control);
    }
    if !path.bytes().all(is_path_byte) || !escapes_are_whole(path) {
        return Some(Flaw::Character);
    }
    // Two slashes at the start are an authority to some.
    if !path.starts_with('/') || path.starts_with("//") || climbs(path) {
        return Some(Flaw::Path);
    }
    None
}

/// RFC 3986, section 3.3: `pchar`, the percent sign of an escape, and the slash.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte)
}

fn escapes_are_whole(path: &str) -> bool {
    let mut after = path.split('%').skip(1).map(str::as_bytes);
    after.all(|after| matches!(after, [one, two, ..] if one.is_ascii_hexdigit() && two.is_ascii_hexdigit()))
}

/// Whether there is a dot segment once all is decoded: behind an encoded slash or a backslash, or
/// before a path parameter, as some servers see them.
fn climbs(path: &str) -> bool {
    let decoded = Zeroizing::new(percent_decode(path.as_bytes()).collect::<Vec<_>>());
    decoded.split(|byte| b"/\\".contains(byte)).any(|segment| {
        let name = segment.split(|&byte| byte == b';').next().unwrap_or(segment);
        matches!(name, b"." | b"..")
    })
}

/// Scheme, host and port, and nothing else.
pub(super) fn origin(kind: &EditName, text: &str) -> Result<Url, EditError> {
    let flaw = || EditError::Value { edit: kind.clone(), flaw: Flaw::Origin };
    let url = Url::parse(text).map_err(|_| flaw())?;
    let origin = url.origin().ascii_serialization();
    // A default port may be left out or not; anything else has to be as the origin is written.
    let written = text.strip_suffix('/').unwrap_or(text);
    let default = url.port_or_known_default().map(|port| format!("{origin}:{port}"));
    let is_origin = written == origin || Some(written) == default.as_deref();
    if is_origin && matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(flaw()) }
}

/// Moves the URL there, path and query as they are.
pub(super) fn set_origin(url: &mut Url, origin: &Url) -> Result<(), EditError> {
    // Whether each of these was taken shows in what comes of them.
    let _ = (url.set_scheme(origin.scheme()), url.set_host(origin.host_str()));
    let _ = url.set_port(origin.port());
    if url.origin() == origin.origin() {
        return Ok(());
    }
    Err(EditError::Value { edit: EditName::kind("set-origin"), flaw: Flaw::Origin })
}

#[cfg(test)]
mod tests;
