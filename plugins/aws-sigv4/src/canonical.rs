//! The one form of a request that both sides can come to, whatever its spelling.
//!
//! In bytes: a header's value is Latin-1 to the contract, and bytes to whoever signs.

mod path;
mod query;

pub(crate) use path::Paths;
pub(crate) use query::{is_signable, joined};

use query::canonical;

/// What is signed of a request.
pub(crate) struct Parts<'a> {
    pub(crate) method: &'a str,
    /// As it goes on the wire; empty counts as `/`.
    pub(crate) path: &'a str,
    /// As it goes on the wire, without its `?`.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a Headers<'a>,
    /// See [`crate::payload`].
    pub(crate) payload: &'a str,
}

impl Parts<'_> {
    /// The canonical request.
    pub(crate) fn canonical(&self, paths: Paths) -> Vec<u8> {
        let mut text = Vec::new();
        for line in [self.method, &paths.canonical(self.path), &canonical(self.query)] {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        self.headers.write(&mut text);
        text.push(b'\n');
        for line in [&self.headers.names(), "\n", self.payload] {
            text.extend_from_slice(line.as_bytes());
        }
        text
    }
}

/// The headers that are signed, by name, each with its values in the order in which they came.
#[derive(Default)]
pub(crate) struct Headers<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Headers<'a> {
    /// One more value; the name is in lower case.
    pub(crate) fn add(&mut self, name: &'a str, value: &'a str) {
        match self.0.binary_search_by(|(known, _)| (*known).cmp(name)) {
            Ok(at) => self.0[at].1.push(value),
            Err(at) => self.0.insert(at, (name, vec![value])),
        }
    }

    /// `host;x-amz-date`
    pub(crate) fn names(&self) -> String {
        self.0.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
    }

    fn write(&self, text: &mut Vec<u8>) {
        for (name, values) in &self.0 {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                trimmed(value, text);
            }
            text.push(b'\n');
        }
    }
}

/// Without blanks at the ends, and with one where there were several. Each character is one byte.
fn trimmed(value: &str, text: &mut Vec<u8>) {
    let words = value.split([' ', '\t']).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        text.extend(word.chars().map(|char| u8::try_from(char).unwrap_or(b'?')));
    }
}

/// Bytes with their percent-encoding undone. What is no escape stays as it is.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let nibble = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%').then(|| Some(nibble(at + 1)? << 4 | nibble(at + 2)?)).flatten();
        let unescaped = escape.and_then(|byte| u8::try_from(byte).ok());
        decoded.push(unescaped.unwrap_or(byte));
        at += if unescaped.is_some() { 3 } else { 1 };
    }
    decoded
}

/// All but the unreserved characters of RFC 3986 encoded, and those in `kept`.
fn encoded(bytes: &[u8], kept: &[u8], text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
}

#[cfg(test)]
mod tests;
