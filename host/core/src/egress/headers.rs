//! Headers that belong to one connection and not to the message (RFC 9110, section 7.6.1).

use http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::needs::header::{ban, same_spelling};

/// Always dropped, named in `Connection` or not.
static HOP_BY_HOP: [HeaderName; 9] = [
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

/// What a request's trailers do not say beside what only the host says (RFC 9110, section 6.5.1):
/// they are read after the request has been routed, judged and begun.
const NEVER_TRAILS: [&str; 6] =
    ["authorization", "cache-control", "max-forwards", "pragma", "range", "set-cookie"];

/// The same of all names that begin so: `content-type`, `if-match`.
const NEVER_TRAILS_BELOW: [&str; 2] = ["content", "if"];

/// Makes the caller's headers final: drops what belongs to the caller's own connection, with all
/// that `Connection` names, and says `accept: */*` where nothing is said. Of `te` it leaves
/// `trailers`, and of `trailer` the names that may be sent: both are about the message too.
///
/// The answer is what `Connection` named: such fields are not to be among the trailers either
/// (RFC 9110, section 7.6.1).
///
/// This runs before a plugin sees the request and before anything is injected. `Connection` is
/// obeyed here and nowhere after: a caller that lists `authorization` there loses the header it
/// sent itself, never the one that is put on later. [`send`](super::Egress::send) changes nothing
/// that is left here but `host` and what frames the body.
pub fn settle(headers: &mut HeaderMap) -> Vec<HeaderName> {
    // The caller's own hop names `te` in `Connection`: it has to (RFC 9110, section 10.1.4).
    let takes_trailers = takes_trailers(headers);
    let nominated = drop_nominated(headers);
    drop_hop_by_hop(headers);
    say_te(headers, takes_trailers);
    announce(headers, |_| true);
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    nominated
}

/// The last look before sending, for an embedder who did not settle: no name that `Connection`
/// lists is touched, since by now the listed one may be ours.
pub(super) fn finish(headers: &mut HeaderMap) {
    let takes_trailers = takes_trailers(headers);
    drop_hop_by_hop(headers);
    say_te(headers, takes_trailers);
    announce(headers, |_| true);
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

/// Schemes by which a server that takes an answer knows the whole connection, and whatever comes on it
/// afterwards with no answer at all (RFC 4559, section 6; MS-NTHT, section 1.7): NTLM, and what NTLM or
/// Kerberos may be in.
const OF_CONNECTIONS: [&[u8]; 4] = [b"ntlm", b"negotiate", b"nego2", b"kerberos"];

/// Whether an answer is on it that may be about its connection. No request of anybody else's may then
/// come on that one.
pub(super) fn proves_connection(headers: &HeaderMap) -> bool {
    let mut answers = headers.get_all(AUTHORIZATION).iter();
    answers.any(|answer| {
        let scheme = answer.as_bytes().trim_ascii().split(u8::is_ascii_whitespace).next();
        let is_scheme = |name: &&[u8]| scheme.is_some_and(|it| it.eq_ignore_ascii_case(name));
        OF_CONNECTIONS.iter().any(is_scheme)
    })
}

/// Whether a request's trailers may hold this, whoever put it there.
pub(crate) fn may_trail(name: &HeaderName) -> bool {
    let name = name.as_str();
    let below = |prefix: &&str| {
        name.strip_prefix(*prefix).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    ban(name).is_none()
        && !NEVER_TRAILS.iter().any(|never| same_spelling(never, name))
        && !NEVER_TRAILS_BELOW.iter().any(below)
}

/// Keeps of the names that `trailer` lists those that may be sent and that `admits` admits.
pub(crate) fn announce(headers: &mut HeaderMap, admits: impl Fn(&HeaderName) -> bool) {
    if !headers.contains_key(TRAILER) {
        return;
    }
    let names = members(headers, &TRAILER).filter_map(|name| HeaderName::from_bytes(name).ok());
    let names: Vec<_> = names.filter(|name| may_trail(name) && admits(name)).collect();
    say_trailer(headers, names.iter());
}

/// Says that these trailers follow.
pub(crate) fn say_trailer<'a>(
    headers: &mut HeaderMap,
    names: impl Iterator<Item = &'a HeaderName>,
) {
    let names = names.map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
    match HeaderValue::try_from(names) {
        Ok(names) if !names.is_empty() => drop(headers.insert(TRAILER, names)),
        _ => drop(headers.remove(TRAILER)),
    }
}

/// Leaves of a request's trailers what may be sent.
pub(super) fn settle_sent_trailers(trailers: &mut HeaderMap) {
    drop_nominated(trailers);
    retain(trailers, may_trail);
}

/// Keeps the fields whose names may stay. To look at the few that are there takes less than to ask for
/// each that may not.
pub(crate) fn retain(headers: &mut HeaderMap, stays: impl Fn(&HeaderName) -> bool) {
    let gone: Vec<_> = headers.keys().filter(|name| !stays(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

/// Trailers must not frame, route or authenticate (RFC 9110, section 6.5.1).
pub(super) fn settle_trailers(trailers: &mut HeaderMap) {
    drop_nominated(trailers);
    drop_hop_by_hop(trailers);
    for name in [CONTENT_LENGTH, HOST, TRAILER] {
        trailers.remove(name);
    }
}

/// The members of a header that is a list, over all of its lines.
pub(super) fn members<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.map(<[u8]>::trim_ascii)
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    members(headers, &TE).any(|member| member.eq_ignore_ascii_case(b"trailers"))
}

/// Without a `connection: te` beside it, which HTTP/1.1 asks for and HTTP/2 forbids: which of the
/// two it will be is not known yet, and there are servers of HTTP/2 that insist on `te`.
fn say_te(headers: &mut HeaderMap, takes_trailers: bool) {
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

fn drop_nominated(headers: &mut HeaderMap) -> Vec<HeaderName> {
    let nominated: Vec<HeaderName> = members(headers, &CONNECTION)
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    for name in &nominated {
        headers.remove(name);
    }
    nominated
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    retain(headers, |name| !HOP_BY_HOP.contains(name));
}

#[cfg(test)]
mod tests;
