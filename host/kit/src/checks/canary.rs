//! Secrets turn up where the needs say, and nowhere else.
//!
//! The case is run again with a canary for each secret: as long as the secret is, of the same kinds
//! of characters, and at least twelve of them, so that it can be told from chance. Where the plugin
//! then goes another way (a key that no longer parses), that one secret stays what it was. Edits
//! and fetches are the needs' own matter; looked at is what no need grants: the log, refusals,
//! attributes, what a user is shown, names. In whatever form the host's own masker knows: plain,
//! percent, form, hex, base64.

use countersign::secret::{Masker, Secret};
use serde_json::Value as Json;

use super::{Checked, Tried};
use crate::case::Inputs;
use crate::run::Run;
use crate::stage::Stage;
use crate::subject::is_secret;

/// Shorter text turns up by chance.
const SHORTEST: usize = 8;
const SHORTEST_CANARY: usize = 12;

pub(super) fn check(stage: &Stage, tried: &Tried<'_>, checked: &mut Checked) {
    let Tried { case, run } = tried;
    let mut inputs = case.inputs.clone();
    let secrets = secrets(&case.inputs);
    for name in &secrets {
        replace(&mut inputs, name);
    }
    let mut changed = stage.run_changed(&inputs);
    if changed.way() != run.way() {
        inputs = case.inputs.clone();
        for name in &secrets {
            let mut one = inputs.clone();
            replace(&mut one, name);
            if stage.run_changed(&one).way() == run.way() {
                inputs = one;
            }
        }
        changed = stage.run_changed(&inputs);
    }
    let mut known: Vec<(String, String)> =
        secrets.iter().map(|name| (name.clone(), read(&inputs, name))).collect();
    known.extend(learnt(&changed));
    for (name, text) in known.iter().filter(|(_, text)| text.len() >= SHORTEST) {
        let masker = Masker::new([&Secret::new(text.clone())]);
        for (code, what, told) in told(&changed) {
            if masker.finds(&told) {
                let mend = match code {
                    "secret-in-attribute" => "keep it as a secret of the state",
                    _ => "leave it out, or name the value instead",
                };
                checked.find(code, case, format!("`{name}` is in {what}"), mend);
            }
        }
    }
}

/// The names of the secrets that go in. What fills a URL is shown there by whoever wrote the
/// payload.
fn secrets(inputs: &Inputs) -> Vec<String> {
    let in_a_url = |name: &str| {
        let placeholder = format!("{{{{{}}}}}", name.split_once('/').map_or(name, |it| it.1));
        let mut urls = inputs.values.iter().filter(|(name, _)| is_of_a_url(name));
        urls.any(|(_, text)| text.contains(&placeholder))
    };
    let values = inputs.values.keys().filter(|name| is_secret(name) && !in_a_url(name)).cloned();
    let kept = [("state", &inputs.state), ("shared", &inputs.shared)].into_iter();
    let kept = kept.flat_map(|(root, kept)| {
        let secrets = kept.iter().flat_map(|kept| kept.secrets.keys());
        secrets.map(move |name| format!("{root}/{name}")).collect::<Vec<_>>()
    });
    values.chain(kept).collect()
}

/// Whether placeholders in the value of this name are filled to make a URL.
fn is_of_a_url(name: &str) -> bool {
    name == "provider/proxy_url" || name.starts_with("pattern/oauth_config/")
}

/// The text of a value or of a secret of the state.
fn slot<'a>(inputs: &'a mut Inputs, name: &str) -> Option<&'a mut String> {
    match name.split_once('/') {
        Some(("state", rest)) => inputs.state.as_mut()?.secrets.get_mut(rest),
        Some(("shared", rest)) => inputs.shared.as_mut()?.secrets.get_mut(rest),
        _ => inputs.values.get_mut(name),
    }
}

fn read(inputs: &Inputs, name: &str) -> String {
    slot(&mut inputs.clone(), name).cloned().unwrap_or_default()
}

fn replace(inputs: &mut Inputs, name: &str) {
    if let Some(text) = slot(inputs, name).filter(|text| !text.is_empty()) {
        *text = canary(text, name);
    }
}

/// Of the same kinds of characters: what a plugin parses it may go on parsing.
fn canary(text: &str, name: &str) -> String {
    // Another sequence for each name, and the same each time (the constants are those of
    // SplitMix64).
    let mut state: u64 = name.bytes().fold(0x9e37_79b9_7f4a_7c15, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    });
    let mut next = |most: u8| {
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).wrapping_add(1);
        u8::try_from((state >> 33) % u64::from(most)).unwrap_or_default()
    };
    let mut canary: String = text
        .chars()
        .map(|it| match it {
            'a'..='z' => char::from(b'a' + next(26)),
            'A'..='Z' => char::from(b'A' + next(26)),
            '0'..='9' => char::from(b'0' + next(10)),
            other => other,
        })
        .collect();
    while canary.len() < SHORTEST_CANARY {
        canary.push(char::from(b'a' + next(26)));
    }
    canary
}

/// Secrets that a flow came to know.
fn learnt(run: &Run) -> Vec<(String, String)> {
    let done = run.answers().filter_map(|it| it.pointer("/done/secrets")?.as_object());
    let secrets = done.flatten();
    secrets
        .filter_map(|(name, text)| Some((format!("state/{name}"), text.as_str()?.to_owned())))
        .collect()
}

/// What the plugin told where no secret may be: the code, the place in words, the text.
fn told(run: &Run) -> Vec<(&'static str, String, String)> {
    let mut told = Vec::new();
    for call in &run.calls {
        let function = call.function.name();
        for (level, line) in &call.log {
            told.push((
                "secret-in-log",
                format!("the log of `{function}` ({level})"),
                line.clone(),
            ));
        }
        let Ok(answer) = &call.answer else { continue };
        let one = answer.get("refusal");
        for refusal in one.into_iter().chain(answer.as_array().into_iter().flatten()) {
            for part in ["message", "field"] {
                let what = format!("the {part} of a refusal of `{function}`");
                told.extend(text(refusal, part).map(|it| ("secret-in-message", what, it)));
            }
        }
        let attributes = answer.pointer("/done/attributes").and_then(Json::as_object);
        for (name, value) in attributes.into_iter().flatten() {
            let what = format!("the attribute `{name}`");
            let value = value.as_str().unwrap_or_default().to_owned();
            told.push(("secret-in-attribute", what, value));
        }
        if let Some(prompt) = answer.pointer("/pause/prompt") {
            for (part, what) in [("url", "the URL of a prompt"), ("code", "the code of a prompt")] {
                told.extend(text(prompt, part).map(|it| ("secret-in-prompt", what.to_owned(), it)));
            }
        }
        for name in answer.get("show").and_then(Json::as_array).into_iter().flatten() {
            let what = "the names of what it asks to see".to_owned();
            told.push(("secret-in-view", what, name.as_str().unwrap_or_default().to_owned()));
        }
    }
    told
}

fn text(json: &Json, name: &str) -> Option<String> {
    json.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_of_the_same_kinds_and_can_be_told_from_chance() {
        let canary_of = |text| canary(text, "account/token");
        let key = canary_of("AKIA-0123456789-ab/cd=");
        assert_eq!(key.len(), 22);
        assert!(key.starts_with(|it: char| it.is_ascii_uppercase()) && key.ends_with('='), "{key}");
        assert!(key[5..15].bytes().all(|b| b.is_ascii_digit()), "{key}");
        assert_eq!(canary_of("k").len(), SHORTEST_CANARY);
        assert_ne!(canary("k", "account/a"), canary("k", "account/b"));
        assert_eq!(canary_of("k"), canary_of("k"));
    }
}
