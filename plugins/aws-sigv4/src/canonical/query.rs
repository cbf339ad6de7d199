//! The query: each name and value decoded, encoded anew, and sorted.

use super::{decoded, encoded};

/// Parameters of a query that a call has the time for.
const MOST: usize = 1000;
/// Bytes of one: more than most servers take.
const LONGEST: usize = 16 << 10;

/// Whether the query is one that a call has the time for. A caller must not choose how long it takes:
/// a call that runs out of time is a fault, and enough of them suspend the plugin for everybody.
pub(crate) fn is_signable(query: &str) -> bool {
    query.len() <= LONGEST && query.bytes().filter(|&byte| byte == b'&').count() < MOST
}

/// The canonical query of one on the wire. A `+` is a blank, as servers read it.
pub(crate) fn canonical(query: &str) -> String {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let mut pairs: Vec<(String, String)> = parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (spelt(name), spelt(value))
        })
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| [name, "=", value].concat()).collect();
    pairs.join("&")
}

/// A query with more parameters, as the host will send them.
pub(crate) fn joined(query: &str, more: &[(&str, &str)]) -> String {
    let mut joined = query.to_owned();
    for (name, value) in more {
        joined.push('&');
        encoded(name.as_bytes(), b"", &mut joined);
        joined.push('=');
        encoded(value.as_bytes(), b"", &mut joined);
    }
    joined
}

fn spelt(text: &str) -> String {
    let mut spelt = String::with_capacity(text.len());
    encoded(&decoded(&text.replace('+', " ")), b"", &mut spelt);
    spelt
}
