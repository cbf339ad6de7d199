//! Header names and values, out of strings in which each character is one byte.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::{EditError, EditName, Flaw};

/// A token of RFC 9110, in any case. Pseudo-headers are not.
pub(super) fn header_name(kind: &EditName, name: &str) -> Result<HeaderName, EditError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| EditError::Name(kind.clone()))
}

/// A value that is marked as sensitive, and overwritten in memory with its last copy.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, Flaw> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for c in text.chars() {
        bytes.push(u8::try_from(c).map_err(|_| Flaw::Wide)?);
    }
    if bytes.iter().any(u8::is_ascii_control) {
        return Err(Flaw::Control);
    }
    if bytes.first().ok_or(Flaw::Empty)? == &b' ' || bytes.last() == Some(&b' ') {
        return Err(Flaw::Blank);
    }
    sensitive(bytes).ok_or(Flaw::Control)
}

/// None where `http` would not take it.
pub(super) fn sensitive(bytes: Zeroizing<Vec<u8>>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(bytes)).ok()?;
    value.set_sensitive(true);
    Some(value)
}
