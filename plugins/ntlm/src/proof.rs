//! The computations of NTLMv2: MS-NLMP, section 3.3.2.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::{Digest as _, Md4};
use md5::Md5;

/// From the first day of 1601 to that of 1970, in tenths of microseconds.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

/// What an answer is made with.
pub(crate) type Key = [u8; 16];

/// NTOWFv2.
pub(crate) fn key(user: &str, domain: &str, password: &str) -> Key {
    let password = Md4::digest(utf16(password.chars()));
    mac(&password, &[&utf16(user.chars().map(upper)), &utf16(domain.chars())])
}

/// What the client says beside its proof, and the proof covers: section 2.2.2.7, with the four zeros
/// that go behind it.
pub(crate) fn said(time: [u8; 8], nonce: [u8; 8], target: &[u8]) -> Vec<u8> {
    [&[1, 1, 0, 0, 0, 0, 0, 0], &time[..], &nonce, &[0; 4], target, &[0; 4]].concat()
}

/// NTProofStr.
pub(crate) fn proof(key: &Key, challenge: [u8; 8], said: &[u8]) -> [u8; 16] {
    mac(key, &[&challenge, said])
}

/// The session's key, which is the one that is exported too: none is exchanged.
pub(crate) fn session_key(key: &Key, proof: &[u8; 16]) -> Key {
    mac(key, &[proof])
}

/// HMAC-MD5 over the parts.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    // A key of any length will do (RFC 2104, section 2).
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else { return [0; 16] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Of Unix milliseconds: MS-DTYP, section 2.3.3.
pub(crate) fn file_time(now: u64) -> [u8; 8] {
    now.saturating_mul(10_000).saturating_add(UNIX_EPOCH).to_le_bytes()
}

/// In the order of little ends, as all text of a message is.
pub(crate) fn utf16(text: impl Iterator<Item = char>) -> Vec<u8> {
    let mut units = [0; 2];
    let mut bytes = Vec::new();
    for c in text {
        bytes.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_le_bytes()));
    }
    bytes
}

/// As Windows does it, in units of UTF-16 and for no language in particular: where one unit becomes one
/// (`ß` stays), and where it is that one's small letter (`ı` does not become an `I`, which is the capital
/// of `i`, nor `µ` a letter of Greek). A sigma at the end of a word is one all the same.
fn upper(c: char) -> char {
    const LAST_SIGMA: char = 'ς';
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None)
            if c == LAST_SIGMA || (c.len_utf16() == 1 && upper.to_lowercase().eq([c])) =>
        {
            upper
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests;
