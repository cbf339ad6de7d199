//! Base64 (RFC 4648): encoding, which is all that credentials ask for.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Section 4, with padding.
pub fn standard(bytes: &[u8]) -> String {
    encode(bytes, STANDARD, true)
}

/// Section 5, without padding, as PKCE and JWTs have it.
pub fn url_safe(bytes: &[u8]) -> String {
    encode(bytes, URL_SAFE, false)
}

/// Section 5, with padding.
pub fn url_safe_padded(bytes: &[u8]) -> String {
    encode(bytes, URL_SAFE, true)
}

fn encode(bytes: &[u8], alphabet: &[u8; 64], pad: bool) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= chunk.len() {
                let sextet = (group >> (18 - 6 * place)) & 0x3f;
                text.push(char::from(alphabet[sextet as usize]));
            } else if pad {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
