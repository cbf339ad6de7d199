//! What is kept between calls: the challenge that is being answered and how often it was, as the memo;
//! and what a request was sent with, as its cursor.
//!
//! Each is lines of text, which no text of a challenge can hold a break of. What cannot be read counts as
//! not there: then a request goes out bare, and the server says anew what it wants.

use crate::{
    algorithm::Algorithm,
    challenge::{Challenge, Protection},
};

/// The form of the memo.
const VERSION: &str = "1";

/// A challenge in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) challenge: Challenge,
    /// Answers that were made for its nonce; below [`u32::MAX`], so that there is a next one.
    pub(crate) count: u32,
    /// The nonce of the challenge, and ours in the first answer to it, which make the key of `-sess`
    /// as long as no other challenge comes.
    pub(crate) prime: Option<(String, String)>,
}

impl Session {
    /// One that was not answered yet; `cnonce` is ours.
    pub(crate) fn new(challenge: Challenge, cnonce: String) -> Self {
        let session = challenge.algorithm().session;
        let prime = session.then(|| (challenge.nonce.clone(), cnonce));
        Self { challenge, count: 0, prime }
    }

    pub(crate) fn read(memo: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(memo).ok()?;
        let lines: Vec<&str> = text.split('\n').collect();
        let [version, count, algorithm, protection, flags, realm, nonce, opaque, rest @ ..] =
            &lines[..]
        else {
            return None;
        };
        let protection = match *protection {
            "auth" => Protection::Auth,
            "auth-int" => Protection::AuthInt,
            _ => return None,
        };
        let prime = match rest {
            [] => None,
            [nonce, cnonce] => Some(((*nonce).to_owned(), (*cnonce).to_owned())),
            _ => return None,
        };
        let algorithm = match *algorithm {
            "" => None,
            name => Some(Algorithm::parse(name)?),
        };
        let challenge = Challenge {
            algorithm,
            protection,
            userhash: flags.contains('h'),
            utf8: flags.contains('8'),
            realm: (*realm).to_owned(),
            nonce: (*nonce).to_owned(),
            opaque: opaque.strip_prefix('=').map(str::to_owned),
        };
        let count = count.parse().ok().filter(|&count| count < u32::MAX)?;
        let whole = prime.is_some() == challenge.algorithm().session;
        (*version == VERSION && whole).then_some(Self { challenge, count, prime })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let Self { challenge, count, prime } = self;
        let opaque = challenge.opaque.as_ref().map(|it| ["=", it].concat());
        let flags = [(challenge.userhash, "h"), (challenge.utf8, "8")];
        let flags: String = flags.iter().filter(|it| it.0).map(|it| it.1).collect();
        let mut lines = vec![
            VERSION.to_owned(),
            count.to_string(),
            challenge.algorithm.map(Algorithm::name).unwrap_or_default(),
            challenge.protection.name().to_owned(),
            flags,
            challenge.realm.clone(),
            challenge.nonce.clone(),
            opaque.unwrap_or_default(),
        ];
        if let Some((nonce, cnonce)) = prime {
            lines.extend([nonce.clone(), cnonce.clone()]);
        }
        lines.join("\n").into_bytes()
    }
}

/// What a request was sent with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Whether the nonce cannot have ended without the server knowing it: it was used for the first
    /// time, or came a moment ago.
    pub(crate) fresh: bool,
    pub(crate) realm: String,
    pub(crate) nonce: String,
}

impl Sent {
    /// `None` where it was sent bare.
    pub(crate) fn read(cursor: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(cursor).ok()?.split('\n');
        let (fresh, realm, nonce) = (lines.next()?, lines.next()?, lines.next()?);
        Some(Self { fresh: fresh == "fresh", realm: realm.to_owned(), nonce: nonce.to_owned() })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let fresh = if self.fresh { "fresh" } else { "used" };
        [fresh, &self.realm, &self.nonce].join("\n").into_bytes()
    }
}

#[cfg(test)]
mod tests;
