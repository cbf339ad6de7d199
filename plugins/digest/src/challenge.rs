//! A Digest challenge (RFC 7616, section 3.3), as far as it can be answered.
//!
//! On `Ok` of [`Challenge::read`] all is there that an answer needs: a realm, a nonce, a known
//! algorithm, a known `qop`. A challenge without `qop`, as RFC 2069 had it, is refused: its answer holds
//! nothing of the client's own, and no count.

use countersign_plugin::Entry;

use crate::{
    algorithm::Algorithm,
    grammar::{self, Offer},
    reply,
};

/// Bytes of realm, nonce and opaque together: they are kept, and the host keeps 4 KiB.
const LONGEST: usize = 1536;

/// Parameters of one challenge: there are ten. Each is held against the others.
const MOST_PARAMETERS: usize = 64;

/// What an answer covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Method and URI.
    Auth,
    /// The body as well.
    AuthInt,
}

impl Protection {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// What a server wants to see answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// `None` where the challenge names none, and so the answer does not.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) protection: Protection,
    /// The user name is sent as its hash.
    pub(crate) userhash: bool,
    /// `charset=UTF-8`.
    pub(crate) utf8: bool,
    pub(crate) realm: String,
    pub(crate) nonce: String,
    /// Given back as it came.
    pub(crate) opaque: Option<String>,
}

/// What a 401 comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is no Digest among its challenges.
    Nothing,
    /// There is, and none that can be answered.
    Unusable(&'static str),
    /// The strongest that can, and whether the server says that only the nonce was at fault.
    Usable(Challenge, bool),
}

/// Looks for the strongest challenge, in all headers that there are; of two equals the first.
pub(crate) fn strongest(headers: &[Entry]) -> Found {
    let mut best = None::<(Challenge, bool)>;
    let mut flaw = None;
    if !reply::is_short(headers, reply::WWW_AUTHENTICATE) {
        return Found::Unusable("the server's challenges are too long");
    }
    let values = headers.iter().filter(|(name, _)| name == reply::WWW_AUTHENTICATE);
    for (_, value) in values {
        let Ok(offers) = grammar::offers(value) else {
            flaw.get_or_insert("the server's challenge is malformed");
            continue;
        };
        let digests = offers.iter().filter(|it| it.scheme.eq_ignore_ascii_case("Digest"));
        for offer in digests {
            match Challenge::read(offer) {
                Err(why) => _ = flaw.get_or_insert(why),
                Ok(read) => {
                    let stronger = |(best, _): &(Challenge, bool)| {
                        best.algorithm().hash < read.0.algorithm().hash
                    };
                    if best.as_ref().is_none_or(stronger) {
                        best = Some(read);
                    }
                }
            }
        }
    }
    match (best, flaw) {
        (Some((challenge, stale)), _) => Found::Usable(challenge, stale),
        (None, Some(why)) => Found::Unusable(why),
        (None, None) => Found::Nothing,
    }
}

impl Challenge {
    /// With whether it is stale.
    fn read(offer: &Offer) -> Result<(Self, bool), &'static str> {
        let parameters = &offer.parameters;
        if parameters.len() > MOST_PARAMETERS {
            return Err("the server's challenge has too many parameters");
        }
        let twice = |at: usize| parameters[..at].iter().any(|(name, _)| *name == parameters[at].0);
        if (0..parameters.len()).any(twice) {
            return Err("the server's challenge names a parameter twice");
        }
        let get = |wanted: &str| {
            parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        let says =
            |name: &str, word: &str| get(name).is_some_and(|it| it.eq_ignore_ascii_case(word));
        let algorithm = match get("algorithm") {
            None => None,
            Some(name) => Some(
                Algorithm::parse(name).ok_or("the server asks for a digest that is not known")?,
            ),
        };
        let offered =
            get("qop").ok_or("the server's challenge is that of RFC 2069, without qop")?;
        let offers = |wanted: Protection| {
            offered.split(',').any(|it| it.trim().eq_ignore_ascii_case(wanted.name()))
        };
        let protection = [Protection::Auth, Protection::AuthInt].into_iter().find(|it| offers(*it));
        let challenge = Self {
            algorithm,
            protection: protection.ok_or("the server asks for a qop that is not known")?,
            userhash: says("userhash", "true"),
            utf8: says("charset", "UTF-8"),
            realm: get("realm").ok_or("the server's challenge has no realm")?.to_owned(),
            nonce: get("nonce").ok_or("the server's challenge has no nonce")?.to_owned(),
            opaque: get("opaque").map(str::to_owned),
        };
        if !challenge.fits() {
            return Err("the server's challenge is too long to be kept");
        }
        Ok((challenge, says("stale", "true")))
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::UNNAMED)
    }

    /// Whether it is short enough to be kept.
    pub(crate) fn fits(&self) -> bool {
        let opaque = self.opaque.as_ref().map_or(0, String::len);
        self.realm.len() + self.nonce.len() + opaque <= LONGEST
    }

    /// Whether one stands for the other, with but another nonce.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let nonce = other.nonce.clone();
        let opaque = other.opaque.clone();
        Self { nonce, opaque, ..self.clone() } == *other
    }
}

#[cfg(test)]
mod tests;
