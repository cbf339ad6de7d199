//! The grammar of paths and queries that come from outside.
//!
//! What is harmless passes and keeps its bytes: `//` inside a path, `%2F`, `@`, `;`. What two
//! parsers read in two ways is refused, with the spelling that is not ambiguous. Nothing is
//! repaired.

use super::fault::PathFault;

/// The longest URL that the HTTP client can carry (`http::Uri`, and so hyper).
pub(super) const MAX_URL: usize = 65_534;
/// How often text may be percent-encoded over. Twice happens; each round costs a pass over the
/// path, so a path of nothing but `%25` must not choose how many there are.
const MAX_DECODINGS: usize = 4;

/// A caller's path, relative to the base: `/v1/x`, `v1/x` or nothing.
///
/// Without a leading `/` it is what RFC 3986 section 4.2 calls `path-noscheme`: no colon in the
/// first segment, so that neither `https:` nor `:8443` is taken for a segment by mistake.
pub(super) fn relative(path: &str) -> Result<(), PathFault> {
    absolute(path)?;
    let first = path.split('/').next().unwrap_or(path);
    if first.contains(':') { Err(PathFault::SchemeLike) } else { Ok(()) }
}

/// A path from the root, or any part of one.
pub(super) fn absolute(path: &str) -> Result<(), PathFault> {
    characters(path)?;
    if path.contains('?') {
        return Err(PathFault::QuestionMark);
    }
    if path.starts_with("//") {
        return Err(PathFault::LeadingSlashes);
    }
    dots(path)
}

/// A query, without its `?`. Dots and slashes mean nothing in it.
pub(super) fn query(query: &str) -> Result<(), PathFault> {
    characters(query)
}

/// Whether some server could read a way up in `path`: dot segments, raw or encoded, once or more often.
pub fn climbs_to_some(path: &str) -> bool {
    dots(path).is_err()
}

/// Refuses a segment that is `.` or `..` to any server that may stand upstream: raw or encoded, once
/// or more often (a gateway decodes and the server behind it decodes again), before a `;parameter`
/// (which servlet containers cut off), and beside an encoded slash or backslash.
pub(super) fn dots(path: &str) -> Result<(), PathFault> {
    if !path.contains(['.', '%']) {
        return Ok(());
    }
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..=MAX_DECODINGS {
        let dotted = bytes
            .split(|byte| matches!(byte, b'/' | b'\\'))
            .filter_map(|segment| segment.split(|&byte| byte == b';').next())
            .any(|name| name == b"." || name == b"..");
        if dotted {
            return Err(PathFault::DotSegment);
        }
        let decoded: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
        if decoded == bytes {
            return Ok(());
        }
        bytes = decoded;
    }
    Err(PathFault::Nested)
}

fn characters(text: &str) -> Result<(), PathFault> {
    if text.len() > MAX_URL {
        return Err(PathFault::TooLong);
    }
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            0x00..=0x1F | 0x7F => return Err(PathFault::Control),
            b' ' => return Err(PathFault::Space),
            b'\\' => return Err(PathFault::Backslash),
            b'#' => return Err(PathFault::Fragment),
            b'%' if !escape(text.as_bytes(), at) => return Err(PathFault::Escape),
            0x80.. => return Err(PathFault::NonAscii),
            _ => {}
        }
    }
    Ok(())
}

fn escape(text: &[u8], at: usize) -> bool {
    text.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
