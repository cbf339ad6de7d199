//! Subprotocols of a WebSocket: the one header whose caller's copy outlives a plugin's.
//!
//! `Sec-WebSocket-Protocol` is a list of offers, of which the upstream chooses one (RFC 6455, section
//! 4.1). Where a plugin *appends* a credential to it as one more offer, the caller's own offers say
//! what it wants to talk, and without them nothing would be chosen. So those come first and the
//! plugin's after, in one line.
//!
//! Of the caller's list only tokens are taken, and none that the plugin offers too, in whatever case:
//! offers are unique, and where a marker and a credential go in pairs (`access_token, T`), the only
//! marker is then ours.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use super::value;
use crate::needs::header::is_token;

/// Puts the caller's offers ahead of those that were appended.
pub(crate) fn join(headers: &mut HeaderMap, theirs: &HeaderMap) {
    let ours: Vec<&[u8]> = listed(headers).collect();
    let kept = listed(theirs).filter(|offer| {
        std::str::from_utf8(offer).is_ok_and(is_token)
            && !ours.iter().any(|our| our.eq_ignore_ascii_case(offer))
    });
    let all: Vec<&[u8]> = kept.chain(ours.iter().copied()).collect();
    let length = all.iter().map(|offer| offer.len() + 2).sum();
    // In full from the start: what grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(length));
    for offer in all {
        if !line.is_empty() {
            line.extend_from_slice(b", ");
        }
        line.extend_from_slice(offer);
    }
    if let Some(value) = value::sensitive(line) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
}

fn listed(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests;
