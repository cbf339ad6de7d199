//! `auth_field_mutations`: changes to a value before a plugin sees it.
//!
//! A shape that the host does not know is an error here and not a warning: a change that is left
//! out would send a credential that is wrong.

use serde_json::{Map, Value as Json};

use super::header;
use crate::problem::{Problems, Reader, kind, place, scalar};

/// What the bundled types send, and so what a mutation may change without a field of that name: a
/// default for a companion password, a prefix for an access token.
const MAIN_TARGETS: &[&str] = &["token", "api_key", "username", "password"];

/// The changes to one value, in the order in which they are made.
#[derive(Clone)]
pub struct FieldMutation {
    target: String,
    default: Option<String>,
    prefix: Option<String>,
    suffix: Option<String>,
    custom: Option<CustomMutation>,
}

/// A mutation component, which runs in the sandbox after the built-in three.
#[derive(Clone)]
pub struct CustomMutation {
    /// The component's name.
    pub name: String,
    /// What the payload hands it.
    pub options: Vec<(String, String)>,
}

impl FieldMutation {
    /// The value that is changed: a field, or `token` for the access token.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// What an absent or blank value becomes.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// The mutation component that runs last, where one is named.
    pub fn custom(&self) -> Option<&CustomMutation> {
        self.custom.as_ref()
    }

    /// `default`, then `prefix`, then `suffix`. A value that is still absent stays so: a prefix
    /// alone is no credential.
    pub fn apply(&self, value: Option<&str>) -> Option<String> {
        let filled = |value: &&str| !value.trim().is_empty();
        let value = value.filter(filled).or(self.default()).filter(filled)?;
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let suffix = self.suffix.as_deref().unwrap_or_default();
        Some(format!("{prefix}{value}{suffix}"))
    }
}

/// Reads all of a pattern's. `declares` says whether the pattern has a field of that name.
pub(super) fn read(
    object: &Map<String, Json>,
    path: &str,
    declares: impl Fn(&str) -> bool,
    problems: &mut Problems,
) -> Vec<FieldMutation> {
    let mut mutations = Vec::with_capacity(object.len());
    for (target, json) in object {
        let path = place(path, target);
        if !MAIN_TARGETS.contains(&target.as_str()) && !declares(target) {
            problems.error(
                &path,
                "changes a value that the pattern does not have",
                "name one of its fields, or token, api_key, username or password",
            );
        }
        mutations.extend(one(target, json, path, problems));
    }
    mutations
}

fn one(target: &str, json: &Json, path: String, problems: &mut Problems) -> Option<FieldMutation> {
    let mut reader = Reader::open(json, path, problems)?;
    let [default, prefix, suffix] = ["default", "prefix", "suffix"].map(|key| {
        let text = reader.text(key);
        if text.is_some_and(header::breaks_lines) {
            let path = reader.at(key);
            reader.problems.error(path, "holds a line break or NUL", "write it on one line");
        }
        text.map(str::to_owned)
    });
    let name = reader.text("mutation");
    if name.is_some_and(|name| name.trim().is_empty()) {
        let path = reader.at("mutation");
        reader.problems.error(path, "is empty", "name a mutation component, or leave it out");
    }
    let options = options(&mut reader);
    if !options.is_empty() && name.is_none() {
        let path = reader.at("options");
        reader.problems.error(path, "belongs to no mutation", "name one under `mutation`");
    }
    let unknown: Vec<String> = reader.rest().map(|(key, _)| reader.at(key)).collect();
    for path in unknown {
        reader.problems.error(
            path,
            "is not a change that this host can make",
            "use default, prefix, suffix, mutation or options",
        );
    }
    let custom = name.map(|name| CustomMutation { name: name.to_owned(), options });
    Some(FieldMutation { target: target.to_owned(), default, prefix, suffix, custom })
}

fn options(reader: &mut Reader<'_, '_>) -> Vec<(String, String)> {
    let mut options = Vec::new();
    for (key, json) in reader.object("options").into_iter().flatten() {
        if let Some(text) = scalar(json) {
            options.push((key.clone(), text));
        } else {
            let path = place(&reader.at("options"), key);
            let what = format!("is {} where text, a number or a flag is expected", kind(json));
            reader.problems.error(path, what, "write one value per option");
        }
    }
    options
}
