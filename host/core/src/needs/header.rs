//! Which header names are one to an upstream, and which are nobody's to write.
//!
//! CGI and its descendants turn a header's name into a variable's, where a hyphen, an underscore
//! and often a dot become the same character. So `X_API_Key`, `x.api.key` and `X-API-Key` are taken
//! for one name here, and so is one with such characters at its end: `Authorization_`.

/// RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(token)
}

/// Whether both are spellings of one name.
pub(crate) fn same_spelling(one: &str, other: &str) -> bool {
    // Most differ in their first letter, and this is asked of every header of every request.
    let first = |name: &str| folded(&name.as_bytes()[..name.len().min(1)]).next();
    if first(one) != first(other) && !one.is_empty() && !other.is_empty() {
        return false;
    }
    folded(trimmed(one).as_bytes()).eq(folded(trimmed(other).as_bytes()))
}

/// Without what is neither a letter nor a digit at the end.
pub(super) fn trimmed(name: &str) -> &str {
    name.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
}

/// In lower case, with a hyphen for all that is neither a letter nor a digit.
pub(super) fn folded(name: &[u8]) -> impl Iterator<Item = u8> {
    name.iter().map(|b| if b.is_ascii_alphanumeric() { b.to_ascii_lowercase() } else { b'-' })
}

/// Who may write a header that a plugin may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ban {
    /// The host alone: framing, routing, hop by hop; and cookies, which have an edit of their own.
    Always,
    /// Whoever wrote the provider: it changes what the request does.
    UnlessNamed,
}

const ALWAYS: [&str; 16] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "http2-settings",
    "expect",
    "via",
    "forwarded",
    "x-forwarded",
    "cookie",
    "cookie2",
    "proxy",
];

const ALWAYS_BELOW: [&str; 2] = ["proxy-", "x-forwarded-"];

const UNLESS_NAMED: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The ban on a name, in any of its spellings.
pub(crate) fn ban(name: &str) -> Option<Ban> {
    // Most names begin as none of these does, and this is asked of every edit of every request.
    let first = folded(name.as_bytes()).next();
    let is =
        |banned: &&str| folded(banned.as_bytes()).next() == first && same_spelling(banned, name);
    let below = |prefix: &&str| {
        name.len() >= prefix.len() && folded(&name.as_bytes()[..prefix.len()]).eq(prefix.bytes())
    };
    if ALWAYS.iter().any(is) || ALWAYS_BELOW.iter().any(below) {
        return Some(Ban::Always);
    }
    UNLESS_NAMED.iter().any(is).then_some(Ban::UnlessNamed)
}

#[cfg(test)]
mod tests;
