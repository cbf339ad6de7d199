//! The challenge message (MS-NLMP, section 2.2.1.2), and where a reply has it (MS-NTHT, section 2.2.1).
//!
//! On `Ok` of [`Challenge::parse`] every part lies within the message, and what the server has chosen is
//! what can be answered: Unicode, and NTLM's own kind of challenge.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_plugin::Entry;

use crate::{
    message::{self, flag},
    target::Target,
};

pub(crate) const WWW_AUTHENTICATE: &str = "www-authenticate";

/// Bytes of a challenge message: five names of a domain's, each of the longest there are, fit twice.
const LONGEST: usize = 8 << 10;

/// Bytes of all that a reply offers. Whoever answers must not choose how long a call takes to read it.
const LONGEST_OFFERS: usize = 16 << 10;

/// Where the parts of the message begin.
const TARGET_NAME: usize = 12;
const FLAGS: usize = 20;
const NONCE: usize = 24;
const TARGET: usize = 40;

/// What a server wants to see answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge<'a> {
    /// As it came: a code covers it.
    pub(crate) message: &'a [u8],
    pub(crate) flags: u32,
    pub(crate) nonce: [u8; 8],
    /// Empty where the server says nothing of itself.
    pub(crate) target: Target,
}

/// What a 401 comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is no NTLM among its challenges.
    Nothing,
    /// There is, and it cannot be answered.
    Unusable(&'static str),
    /// The message of one that can.
    Usable(Vec<u8>),
}

/// Looks for the challenge, in all headers that there are.
///
/// Lists are taken apart at every comma. One within a quoted string is part of another scheme's, and
/// at worst makes a challenge of what a server wrote there: as much its own word as the rest.
pub(crate) fn found(headers: &[Entry]) -> Found {
    let values = headers.iter().filter(|(name, _)| name == WWW_AUTHENTICATE);
    if values.clone().map(|(_, value)| value.len()).sum::<usize>() > LONGEST_OFFERS {
        return Found::Unusable("what the server offers is too long");
    }
    let mut offers = values
        .flat_map(|(_, value)| value.split(','))
        .filter_map(|offer| {
            let offer = offer.trim_matches([' ', '\t']);
            let (scheme, token) = offer.split_once(' ').unwrap_or((offer, ""));
            scheme.eq_ignore_ascii_case(message::SCHEME).then(|| token.trim_matches(' '))
        })
        .peekable();
    if offers.peek().is_none() {
        return Found::Nothing;
    }
    let mut tokens = offers.filter(|token| !token.is_empty());
    let Some(token) = tokens.next() else {
        return Found::Unusable("the server has no challenge for who begins with NTLM");
    };
    if tokens.next().is_some() {
        return Found::Unusable("the server sends two challenges at once");
    }
    if token.len() > LONGEST.div_ceil(3) * 4 {
        return Found::Unusable("the server's challenge is too long");
    }
    let Ok(message) = STANDARD.decode(token) else {
        return Found::Unusable("the server's challenge is not Base64");
    };
    match Challenge::parse(&message).err() {
        Some(why) => Found::Unusable(why),
        None => Found::Usable(message),
    }
}

impl<'a> Challenge<'a> {
    pub(crate) fn parse(message: &'a [u8]) -> Result<Self, &'static str> {
        const SHORT: &str = "the server's challenge breaks off";
        if message.len() > LONGEST {
            return Err("the server's challenge is too long");
        }
        if !message.starts_with(&message::start(2)) {
            return Err("the server's challenge is no challenge message");
        }
        let flags = u32::from_le_bytes(at(message, FLAGS).ok_or(SHORT)?);
        let nonce = at(message, NONCE).ok_or(SHORT)?;
        if flags & flag::UNICODE == 0 {
            return Err("the server does not speak Unicode");
        }
        if flags & flag::NTLM == 0 {
            return Err("the server does not agree to NTLM");
        }
        // Not needed, but a message whose parts lie outside of it is none.
        part(message, TARGET_NAME)?;
        let target = if flags & flag::TARGET_INFO == 0 {
            Target::default()
        } else {
            Target::parse(part(message, TARGET)?)?
        };
        Ok(Self { message, flags, nonce, target })
    }
}

/// The part whose length and place stand here.
fn part(message: &[u8], field: usize) -> Result<&[u8], &'static str> {
    const OUTSIDE: &str = "a part of the server's challenge lies outside of it";
    let length = u16::from_le_bytes(at(message, field).ok_or(OUTSIDE)?);
    let place = u32::from_le_bytes(at(message, field + 4).ok_or(OUTSIDE)?);
    if length == 0 {
        return Ok(&[]);
    }
    let place = usize::try_from(place).map_err(|_| OUTSIDE)?;
    let rest = message.get(place..).ok_or(OUTSIDE)?;
    rest.get(..usize::from(length)).ok_or(OUTSIDE)
}

fn at<const N: usize>(message: &[u8], place: usize) -> Option<[u8; N]> {
    message.get(place..)?.first_chunk().copied()
}

#[cfg(test)]
pub(crate) mod tests;
