//! Percent-encoding as section 3.6 has it, which is narrower than what URLs and forms are written in.
//!
//! In bytes: a form may hold any, and what is no escape is signed as it stands.

/// All but the unreserved characters of RFC 3986 encoded, in upper case.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    text
}

/// A name or value of a form, or of a query, which section 3.4.1.3.1 reads as one: `+` is a blank.
pub(crate) fn decoded(text: &[u8]) -> Vec<u8> {
    let nibble = |at: usize| text.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let (mut decoded, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(&byte) = text.get(at) {
        let escape = (byte == b'%').then(|| Some(nibble(at + 1)? << 4 | nibble(at + 2)?)).flatten();
        let unescaped = escape.and_then(|byte| u8::try_from(byte).ok());
        decoded.push(unescaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if unescaped.is_some() { 3 } else { 1 };
    }
    decoded
}
