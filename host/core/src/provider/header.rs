//! Which header names a payload may have set, and which values.
//!
//! What frames the message, names its target or speaks for an earlier hop is the host's own.

use crate::needs::header::{Ban, ban};
use crate::problem::Problems;

/// One spelling for all those that a server may take for the same name: some read `X_Api_Key` as
/// `X-Api-Key`.
pub(super) fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Whether `name` may be set, with a problem noted where it may not.
pub(super) fn check_name(path: &str, name: &str, problems: &mut Problems) -> bool {
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        problems.error(path, "is not a valid header name", "use letters, digits and hyphens only");
        return false;
    }
    let folded = folded(name);
    if ban(name) == Some(Ban::Always) {
        problems.error(
            path,
            format!("names the header `{folded}`, which the host alone sets"),
            "name another header",
        );
        return false;
    }
    true
}

/// Whether a header can carry `text` and nothing else: printable ASCII (RFC 9110 section 5.5,
/// without the obsolete bytes).
pub(crate) fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Whether `text` could end a header line or a string; a tab or a letter beyond ASCII could not.
pub(super) fn breaks_lines(text: &str) -> bool {
    text.contains(['\r', '\n', '\0'])
}
