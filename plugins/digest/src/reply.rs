//! What a server says to a request: a challenge, or that the next nonce is another.
//!
//! The memo is what the newest reply made of it. A reply to a request that was sent with an older nonce
//! leaves it alone: two nonces in turn would each begin to be counted anew.

use countersign_plugin::{Entry, Next, Reaction, Refusal};

use crate::{
    challenge::{Challenge, Found, strongest},
    grammar,
    session::{Sent, Session},
};

pub(crate) const WWW_AUTHENTICATE: &str = "www-authenticate";
pub(crate) const AUTHENTICATION_INFO: &str = "authentication-info";

/// Bytes that one header's values may have together. Whoever answers must not choose how long a call
/// takes to read them.
const LONGEST: usize = 16 << 10;

/// The cursor of a request whose answer was not accepted. It makes `authorize` refuse: a refusal of
/// `replied` itself could not leave the new nonce, and the old one would be answered for ever.
pub(crate) const REFUSED: &[u8] = b"refused";

/// The cursor of one that is answered anew.
pub(crate) const CHALLENGED: &[u8] = b"challenged";

/// A 401. Without a challenge of ours it is the caller's.
pub(crate) fn challenged(
    headers: &[Entry],
    known: Option<Session>,
    sent: Option<&Sent>,
    cnonce: impl FnOnce() -> String,
) -> Result<Reaction, Refusal> {
    let (challenge, stale) = match strongest(headers) {
        Found::Nothing => return Ok(Reaction::deliver()),
        Found::Unusable(why) => return Err(Refusal::denied(why)),
        Found::Usable(challenge, stale) => (challenge, stale),
    };
    let refused = sent.is_some_and(|sent| sent.fresh && !stale && sent.realm == challenge.realm);
    let memo = match known {
        Some(known) if is_newer(&known, &challenge, sent) => None,
        _ => Some(Session::new(challenge, cnonce()).write()),
    };
    let cursor = if refused { REFUSED } else { CHALLENGED };
    Ok(Reaction { next: Next::Again(cursor.to_vec()), memo })
}

/// Whether what is known stands, whatever this challenge says: another request has learnt it since,
/// or the server gives the nonce that is being counted already.
fn is_newer(known: &Session, challenge: &Challenge, sent: Option<&Sent>) -> bool {
    let since = sent.is_none_or(|sent| sent.nonce != known.challenge.nonce);
    known.challenge.is_like(challenge) && (since || known.challenge.nonce == challenge.nonce)
}

/// Whether the values of this header are short enough to be read.
pub(crate) fn is_short(headers: &[Entry], name: &str) -> bool {
    let values = headers.iter().filter(|(header, _)| header == name);
    values.map(|(_, value)| value.len()).sum::<usize>() <= LONGEST
}

/// Any other reply, which may bring the nonce of the next request.
pub(crate) fn accepted(headers: &[Entry], known: Option<Session>, sent: Option<Sent>) -> Reaction {
    if !is_short(headers, AUTHENTICATION_INFO) {
        return Reaction::deliver();
    }
    let next = headers
        .iter()
        .filter(|(name, _)| name == AUTHENTICATION_INFO)
        .filter_map(|(_, value)| grammar::parameters(value).ok())
        .flatten()
        .find(|(name, _)| name == "nextnonce")
        .map(|(_, nonce)| nonce);
    let memo = match (next, known, sent) {
        (Some(nonce), Some(known), Some(sent))
            if known.challenge.nonce == sent.nonce && nonce != sent.nonce =>
        {
            let challenge = Challenge { nonce, ..known.challenge };
            // Too long to be kept is as if it had not been said: the server will say so again.
            challenge.fits().then(|| Session { challenge, count: 0, ..known }.write())
        }
        _ => None,
    };
    Reaction { next: Next::Deliver, memo }
}
