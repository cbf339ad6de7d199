//! Percent-encoding, and `application/x-www-form-urlencoded`.
//!
//! Only the unreserved characters of RFC 3986 go unencoded, so one encoding serves a query, a form
//! and a path segment alike; a form's space is `+`.

/// A value for a form body, or for the client id and secret of RFC 6749, section 2.3.1.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    push(&mut encoded, text, "+");
    encoded
}

/// A value for a query or one segment of a path.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    push(&mut encoded, text, "%20");
    encoded
}

/// A whole form.
pub fn join<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut form = String::new();
    for (name, value) in pairs {
        if !form.is_empty() {
            form.push('&');
        }
        push(&mut form, name, "+");
        form.push('=');
        push(&mut form, value, "+");
    }
    form
}

/// The pairs of a form, decoded. `None` where an escape is broken or the bytes are not UTF-8.
pub fn split(form: &str) -> Option<Vec<(String, String)>> {
    let pairs = form.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

/// One name or value of a form, decoded. `None` as in [`split`].
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => nibble(rest.next()?)? << 4 | nibble(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

fn push(encoded: &mut String, text: &str, space: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push_str(space),
            _ => {
                let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
                encoded.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
