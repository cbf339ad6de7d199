//! The state that a flow leaves: what of it may be kept.
//!
//! On `Ok` every name is one that the plugin may write, no attribute holds a secret, and the times
//! are absolute. The state replaces the last one whole.

use super::{FlowError, Run};
use crate::account::State;
use crate::contract::flow::State as RawState;
use crate::sandbox::Flow;
use crate::secret::{Masker, Secret};

/// Bytes of all names and values (the contract's own number).
const MOST_BYTES: usize = 64 << 10;
/// Longest name, in bytes.
const LONGEST_NAME: usize = 128;
/// A secret shorter than this is not looked for inside attributes: `1` would be in most of them.
const SHORTEST_LOOKED_FOR: usize = 8;

pub(super) fn check(raw: RawState, run: &Run<'_>) -> Result<State, FlowError> {
    let refuse = |what, name: &str| FlowError::State { what, name: name.to_owned() };
    // At once, so that they are overwritten whatever becomes of them.
    let secrets: Vec<(String, Secret)> =
        raw.secrets.into_iter().map(|(name, text)| (name, Secret::new(text))).collect();
    let attributes = raw.attributes;
    let all = || {
        let secrets = secrets.iter().map(|(name, secret)| (name, secret.expose()));
        secrets.chain(attributes.iter().map(|(name, text)| (name, text.as_str())))
    };
    if all().map(|(name, text)| name.len() + text.len()).sum::<usize>() > MOST_BYTES {
        return Err(refuse("it is over 64 KiB", ""));
    }
    let granted = &run.facts.granted;
    for (nth, (name, _)) in all().enumerate() {
        if !is_name(name) {
            return Err(refuse("a name is not of letters, digits, `_`, `-` and `.`", ""));
        }
        let may = match run.flow {
            Flow::Setup => granted.may_write_shared(name),
            Flow::Grant | Flow::Renew | Flow::Revoke => granted.may_write_state(name),
        };
        if !may {
            return Err(FlowError::StateName(name.to_owned()));
        }
        if all().take(nth).any(|(earlier, _)| earlier == name) {
            return Err(refuse("the name stands twice", name));
        }
    }
    let known = Masker::new(
        secrets
            .iter()
            .map(|(_, secret)| secret)
            .chain(run.facts.hidden())
            .filter(|secret| secret.expose().len() >= SHORTEST_LOOKED_FOR),
    );
    for (name, text) in &attributes {
        if text.chars().any(char::is_control) {
            return Err(refuse("an attribute holds a control character", name));
        }
        if known.finds(text) || secrets.iter().any(|(_, secret)| secret.expose() == text) {
            return Err(refuse("an attribute holds a secret", name));
        }
    }
    let now = run.sent_at.unwrap_or_else(|| run.inner.clock.unix_millis());
    let absolute =
        |seconds: Option<u32>| seconds.map(|it| now.saturating_add(u64::from(it) * 1000));
    Ok(State {
        secrets: secrets.into_iter().collect(),
        attributes: attributes.into_iter().collect(),
        renew_at: absolute(raw.renew_after),
        expires_at: absolute(raw.expires_after),
        version: 0,
    })
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}
