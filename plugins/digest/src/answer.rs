//! The answer to a challenge: RFC 7616, section 3.4.
//!
//! User name and password count as UTF-8, whether the challenge says so or not: it is what
//! `charset` can say at most, and what other clients do. They are not normalised.

use std::fmt::Write as _;

use crate::{login::Login, session::Session};

/// What is answered for.
pub(crate) struct Message<'a> {
    pub(crate) method: &'a str,
    /// Path and query, as they go on the wire.
    pub(crate) uri: &'a str,
    /// The hash of the body, where the answer covers it.
    pub(crate) body: Option<&'a str>,
}

/// The value of `Authorization`, in the contract's Latin-1, for the `count`th use of the nonce.
pub(crate) fn credential(
    session: &Session,
    count: u32,
    cnonce: &str,
    login: &Login<'_>,
    message: &Message<'_>,
) -> String {
    let challenge = &session.challenge;
    let hash = challenge.algorithm().hash;
    let realm = latin1(&challenge.realm);
    let nonce = latin1(&challenge.nonce);
    let user = login.username.as_bytes();
    let count = format!("{count:08x}");
    let protection = challenge.protection.name();

    let mut key = hash.of(&[user, &realm, login.password.as_bytes()]);
    if let Some((prime, cnonce)) = &session.prime {
        key = hash.of(&[key.as_bytes(), &latin1(prime), cnonce.as_bytes()]);
    }
    let mut covered = vec![message.method.as_bytes(), message.uri.as_bytes()];
    covered.extend(message.body.map(str::as_bytes));
    let covered = hash.of(&covered);
    let response = hash.of(&[
        key.as_bytes(),
        &nonce,
        count.as_bytes(),
        cnonce.as_bytes(),
        protection.as_bytes(),
        covered.as_bytes(),
    ]);

    let mut text = String::from("Digest ");
    if challenge.userhash {
        quoted(&mut text, "username", &hash.of(&[user, &realm]));
    } else if challenge.utf8 && !login.username.is_ascii() {
        extended(&mut text, "username*", login.username);
    } else {
        let bytes: String = user.iter().copied().map(char::from).collect();
        quoted(&mut text, "username", &bytes);
    }
    for (name, value) in
        [("realm", &*challenge.realm), ("nonce", &*challenge.nonce), ("uri", message.uri)]
    {
        text.push_str(", ");
        quoted(&mut text, name, value);
    }
    if let Some(algorithm) = challenge.algorithm {
        // Writing to a string cannot fail.
        let _ = write!(text, ", algorithm={}", algorithm.name());
    }
    let _ = write!(text, ", qop={protection}, nc={count}, ");
    quoted(&mut text, "cnonce", cnonce);
    let _ = write!(text, ", response=\"{response}\"");
    if let Some(opaque) = &challenge.opaque {
        text.push_str(", ");
        quoted(&mut text, "opaque", opaque);
    }
    if challenge.userhash {
        text.push_str(", userhash=true");
    }
    text
}

/// The bytes that the text stood for on the wire.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

/// RFC 9110, section 5.6.4.
fn quoted(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    for c in value.chars() {
        if c == '"' || c == '\\' {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}

/// RFC 8187, section 3.2.1.
fn extended(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=UTF-8''");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
