//! The mutation `base64`: a value, or two joined by a colon, as base64.
//!
//! Some providers want an id and a secret as one encoded key:
//! `{"api_key": {"mutation": "base64", "options": {"with": "api_secret"}}}` sends
//! `base64(api_key:api_secret)`. The option `alphabet` is `standard` or `url` (RFC 4648, sections 4
//! and 5), both with padding.

use countersign_plugin::{Entry, Mutation, Refusal, base64, export_mutation, find, require};

const WITH: &str = "with";
const ALPHABET: &str = "alphabet";

const ABOUT: &str = concat!(
    r#"{"name":"base64","title":"Base64, alone or joined with another value","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#"","reads":["{with}"],"options":[{"name":"with","#,
    r#""label":"The value to join, after a colon","required":false},"#,
    r#"{"name":"alphabet","label":"The alphabet","values":["standard","url"],"required":false}]}"#,
);

/// The mutation.
pub struct Base64;

impl Mutation for Base64 {
    fn describe() -> String {
        ABOUT.to_owned()
    }

    fn mutate(values: &[Entry], options: &[Entry]) -> Result<Vec<Entry>, Refusal> {
        if let Some((name, _)) = options.iter().find(|(name, _)| name != WITH && name != ALPHABET) {
            return Err(Refusal::invalid_config(name, "there is no such option"));
        }
        let encode = match find(options, ALPHABET) {
            None | Some("standard") => base64::standard,
            Some("url") => base64::url_safe_padded,
            Some(_) => return Err(Refusal::invalid_config(ALPHABET, "there is no such alphabet")),
        };
        let Some((target, value)) = values.first() else {
            return Err(Refusal::invalid_request("there is no value to change"));
        };
        require(values, target)?;
        let encoded = match find(options, WITH) {
            None => encode(value.as_bytes()),
            Some(other) => encode([value, ":", require(values, other)?].concat().as_bytes()),
        };
        Ok(vec![(target.clone(), encoded)])
    }
}

export_mutation!(Base64);

#[cfg(test)]
mod tests;
