//! PKCE (RFC 7636), with `S256` and nothing less.

use sha2::{Digest as _, Sha256};

use crate::{Context, base64};

/// Section 4.1: 43 characters from 32 random bytes.
pub fn verifier(cx: &Context) -> String {
    base64::url_safe(&cx.random(32))
}

/// Section 4.2: what the browser carries, from which nobody gets back to the verifier.
pub fn challenge(verifier: &str) -> String {
    base64::url_safe(&Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests;
