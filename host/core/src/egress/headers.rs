//! Headers that belong to one connection and not to the message (RFC 9110, section 7.6.1).

use http::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Always dropped, named in `Connection` or not.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Makes the caller's headers final: drops what belongs to the caller's own connection, with all
/// that `Connection` names, and says `accept: */*` where nothing is said.
///
/// This runs before a plugin sees the request and before anything is injected. `Connection` is
/// obeyed here and nowhere after: a caller that lists `authorization` there loses the header it
/// sent itself, never the one that is put on later. [`send`](super::Egress::send) changes nothing
/// that is left here but `host` and what frames the body.
pub fn settle(headers: &mut HeaderMap) {
    drop_nominated(headers);
    drop_hop_by_hop(headers);
    headers.remove(TRAILER);
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
}

/// The last look before sending, for an embedder who did not settle: no name that `Connection`
/// lists is touched, since by now the listed one may be ours.
pub(super) fn finish(headers: &mut HeaderMap) {
    drop_hop_by_hop(headers);
    headers.remove(TRAILER);
    // It follows from the URL, so that the two cannot differ.
    headers.remove(HOST);
}

/// The same for a reply. `trailer` stays, unless it is named in `Connection`: trailers are passed
/// on, and it announces them.
pub(super) fn settle_reply(headers: &mut HeaderMap) {
    if headers.contains_key(TRANSFER_ENCODING) {
        // RFC 9112, section 6.3: with both, the length is not to be believed.
        headers.remove(CONTENT_LENGTH);
    }
    drop_nominated(headers);
    drop_hop_by_hop(headers);
}

/// Trailers must not frame, route or authenticate (RFC 9110, section 6.5.1).
pub(super) fn settle_trailers(trailers: &mut HeaderMap) {
    drop_nominated(trailers);
    drop_hop_by_hop(trailers);
    for name in [CONTENT_LENGTH, HOST, TRAILER] {
        trailers.remove(name);
    }
}

fn drop_nominated(headers: &mut HeaderMap) {
    let nominated: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
