//! The grammar of host names.
//!
//! Stricter than the URL standard on purpose: that one maps full-width dots, drops soft hyphens and
//! reads `0x7f.1` as an address. Here a name is ASCII letters, digits, hyphens and dots (RFC 1123
//! section 2.1), its last label begins with a letter, and nothing is mapped but case.

use std::net::{Ipv4Addr, Ipv6Addr};

use ::url::Host;

use super::fault::HostFault;

/// The longest name (RFC 1035 section 2.3.4, without the length octets).
const MAX_NAME: usize = 253;
/// The longest label (the same section).
const MAX_LABEL: usize = 63;

/// A name of one label or more, in lower case.
pub(super) fn name(text: &str) -> Result<Host<String>, HostFault> {
    if text.is_empty() {
        return Err(HostFault::Empty);
    }
    characters(text, |byte| byte == b'.')?;
    if text.len() > MAX_NAME {
        return Err(HostFault::TooLong);
    }
    if text.ends_with('.') && text.len() > 1 {
        return Err(HostFault::TrailingDot);
    }
    text.split('.').try_for_each(label)?;
    // Every spelling that a resolver or the URL standard takes for an address ends in a label that
    // begins with a digit, and no top-level domain does.
    let last = text.rsplit('.').next().unwrap_or(text);
    if !last.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(HostFault::Address);
    }
    let lower = text.to_ascii_lowercase();
    // What is left for the URL parser to refuse is an `xn--` label that decodes to no name.
    match Host::parse(&lower) {
        Ok(Host::Domain(domain)) if domain == lower => Ok(Host::Domain(domain)),
        _ => Err(HostFault::Punycode),
    }
}

/// A name of two labels or more: what an account may choose for a whole host.
pub(super) fn full_name(text: &str) -> Result<Host<String>, HostFault> {
    let host = name(text)?;
    if text.contains('.') { Ok(host) } else { Err(HostFault::SingleLabel) }
}

/// An address in the one spelling it is printed in; IPv6 with or without brackets.
pub(super) fn address(text: &str) -> Option<Host<String>> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(Host::Ipv4(address));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<Ipv6Addr>().ok()?;
    (address.to_string() == bare).then_some(Host::Ipv6(address))
}

/// Text, not empty, that may stand within one label, of which it may be only a part.
pub(super) fn label_part(text: &str) -> Result<(), HostFault> {
    if text.contains('.') {
        return Err(HostFault::SeveralLabels);
    }
    characters(text, |_| false)
}

/// One whole label whose characters are known to be right.
fn label(text: &str) -> Result<(), HostFault> {
    if text.is_empty() {
        return Err(HostFault::EmptyLabel);
    }
    if text.len() > MAX_LABEL {
        return Err(HostFault::LabelTooLong);
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(HostFault::Hyphen);
    }
    Ok(())
}

fn characters(text: &str, also: impl Fn(u8) -> bool) -> Result<(), HostFault> {
    if !text.is_ascii() {
        return Err(HostFault::NonAscii);
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || also(byte);
    if text.bytes().all(fits) { Ok(()) } else { Err(HostFault::Character) }
}
