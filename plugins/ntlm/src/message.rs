//! The two messages that a client sends: MS-NLMP, sections 2.2.1.1 and 2.2.1.3.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The scheme's name.
pub(crate) const SCHEME: &str = "NTLM";

const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

/// Negotiable options: section 2.2.2.5.
pub(crate) mod flag {
    pub(crate) const UNICODE: u32 = 1;
    pub(crate) const REQUEST_TARGET: u32 = 1 << 2;
    pub(crate) const NTLM: u32 = 1 << 9;
    pub(crate) const ALWAYS_SIGN: u32 = 1 << 15;
    pub(crate) const EXTENDED_SESSION_SECURITY: u32 = 1 << 19;
    pub(crate) const TARGET_INFO: u32 = 1 << 23;
    pub(crate) const KEY_128: u32 = 1 << 29;
    pub(crate) const KEY_56: u32 = 1 << 31;

    /// What is asked for. Neither signing nor sealing, which HTTP has no place for, and so no key of
    /// the client's own either.
    pub(crate) const WANTED: u32 = UNICODE
        | REQUEST_TARGET
        | NTLM
        | ALWAYS_SIGN
        | EXTENDED_SESSION_SECURITY
        | TARGET_INFO
        | KEY_128
        | KEY_56;
}

/// The negotiate message: always the same, since it says nothing of who asks.
pub(crate) const NEGOTIATE: [u8; 40] = {
    let mut message = [0; 40];
    let (start, flags) = (start(1), flag::WANTED.to_le_bytes());
    let mut at = 0;
    while at < start.len() {
        message[at] = start[at];
        at += 1;
    }
    while at < 16 {
        message[at] = flags[at - 12];
        at += 1;
    }
    // A domain and a workstation of no length, which lie at the end, and no version.
    message[20] = 40;
    message[28] = 40;
    message
};

/// How a message of this type begins.
pub(crate) const fn start(number: u8) -> [u8; 12] {
    let mut start = [0; 12];
    let mut at = 0;
    while at < SIGNATURE.len() {
        start[at] = SIGNATURE[at];
        at += 1;
    }
    start[at] = number;
    start
}

/// The value of `Authorization`.
pub(crate) fn credential(message: &[u8]) -> String {
    [SCHEME, " ", &STANDARD.encode(message)].concat()
}

/// Where the code over all messages lies: behind the fixed parts and a version that is not said.
pub(crate) const CODE: usize = 72;
const CODE_LENGTH: usize = 16;

/// What an authenticate message is made of.
pub(crate) struct Authenticate<'a> {
    pub(crate) domain: &'a [u8],
    pub(crate) user: &'a [u8],
    pub(crate) workstation: &'a [u8],
    pub(crate) response: &'a [u8],
    pub(crate) flags: u32,
}

impl Authenticate<'_> {
    /// The message, with a code of zeros; `None` where a part is too long for the two bytes of its length.
    pub(crate) fn write(&self) -> Option<Vec<u8>> {
        // For the older answer, which is not given: section 3.1.5.1.2 has zeros in its place.
        const NO_LM: [u8; 24] = [0; 24];
        // In the order of the fields, which is not that of the payload.
        let parts = [&NO_LM[..], self.response, self.domain, self.user, self.workstation, &[]];
        let mut place = CODE + CODE_LENGTH;
        let mut places = [0; 6];
        for index in [2, 3, 4, 0, 1, 5] {
            places[index] = place;
            place += parts[index].len();
        }
        let mut message = start(3).to_vec();
        for (part, place) in parts.iter().zip(places) {
            let length = u16::try_from(part.len()).ok()?.to_le_bytes();
            message.extend(length);
            message.extend(length);
            message.extend(u32::try_from(place).ok()?.to_le_bytes());
        }
        message.extend(self.flags.to_le_bytes());
        message.resize(CODE + CODE_LENGTH, 0);
        for index in [2, 3, 4, 0, 1, 5] {
            message.extend(parts[index]);
        }
        Some(message)
    }
}

#[cfg(test)]
mod tests;
