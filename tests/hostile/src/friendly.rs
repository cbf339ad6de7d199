//! Plugins that behave, for types that no host has heard of.

use crate::answer::{descriptor, ready, set_header};
use crate::guest::Guest;

/// A plugin that answers to `auth_type` and sets one constant header, its only need. It reads no
/// value and has no flow.
///
/// # Panics
///
/// Never for text of any kind; a panic means that `wit/` is not the contract this crate was
/// written for.
pub fn friendly(auth_type: &str, header: (&str, &str)) -> Vec<u8> {
    friendly_version(auth_type, header, "1")
}

/// As [`friendly`], with a version in its description: another version has another digest.
///
/// # Panics
///
/// As [`friendly`].
pub fn friendly_version(auth_type: &str, header: (&str, &str), version: &str) -> Vec<u8> {
    let (name, value) = header;
    let about = format!(r#"{{"title":"Friendly {auth_type}","version":"{version}"}}"#);
    let need = format!("write header/{}", name.to_lowercase());
    let guest = Guest::auth(descriptor(&[auth_type], &[], &[&need], about.into()))
        .body("authorize", ready(vec![set_header(name, value)]));
    #[expect(clippy::expect_used, reason = "every tree above fits the contract, whatever the text")]
    guest.build().expect("a friendly guest builds")
}
