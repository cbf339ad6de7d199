//! `--policy FILE`: how much of its needs an operator lets each plugin have.
//!
//! A JSON object of auth types, each with a list of needs in the contract's words, as
//! `plugin inspect` prints them: `"write header/authorization"`, or as a pair of verb and object. It
//! only ever takes away: a plugin has what it asks for and the policy lists as well. A type that is
//! not named is not narrowed. On `Ok` every need is one that this host knows, and every type is one
//! that a plugin answers to; on `Err` all that is wrong is told, and no command goes on without its
//! policy.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use countersign::Settings;
use countersign::needs::Needs;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use crate::codes;
use crate::failure::Failure;
use crate::json;

/// What is wrong with an answer where a plugin was not let have what it wanted, by code.
const NARROWED: &[&str] = &["edit_refused", "view_refused", "flow_refused", "invalid_config"];

/// The needs that are left to the plugins of some auth types.
#[derive(Default)]
pub(crate) struct Policy {
    needs: BTreeMap<String, Needs>,
}

impl Policy {
    /// Reads the file, where one is named. `known` are the auth types that plugins answer to.
    pub(crate) fn load(path: Option<&Path>, known: &[String]) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let bytes = json::read(path)?;
        let refused = |what: String| {
            Failure::new(codes::POLICY_INVALID, format!("{}: {what}", path.display()))
        };
        let Entries(entries) = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            refused(if error.is_data() {
                "not a JSON object of auth types".to_owned()
            } else {
                format!("not JSON: line {line}, column {column}")
            })
        })?;
        let (mut needs, mut wrong) = (BTreeMap::new(), Vec::new());
        for (nth, (auth_type, list)) in entries.iter().enumerate() {
            if entries[..nth].iter().any(|(earlier, _)| earlier == auth_type) {
                wrong.push(format!("{auth_type:?}: stands twice"));
            }
            if !known.contains(auth_type) {
                let known = known.join(", ");
                wrong.push(format!("{auth_type:?}: no plugin answers to it; there are: {known}"));
            }
            match parse(list) {
                Ok(parsed) => drop(needs.insert(auth_type.clone(), parsed)),
                Err(faults) => {
                    wrong.extend(faults.iter().map(|fault| format!("{auth_type:?}: {fault}")));
                }
            }
        }
        if wrong.is_empty() { Ok(Self { needs }) } else { Err(refused(wrong.join("; "))) }
    }

    /// The library's settings, with this policy in them, and http where that is allowed.
    pub(crate) fn settings(&self, http: bool) -> Settings {
        let mut settings = Settings::default();
        settings.target.http = http;
        settings.policy.clone_from(&self.needs);
        settings
    }

    /// What is left to the plugin of this type, where it is narrowed: verb and object.
    pub(crate) fn of(&self, auth_type: &str) -> Option<Vec<(String, String)>> {
        let entries = self.needs.get(auth_type)?.entries();
        Some(entries.map(|(verb, object)| (verb.to_string(), object.to_owned())).collect())
    }

    /// The failure, with a word on the policy where that may be the cause.
    pub(crate) fn explain(&self, auth_type: &str, failure: Failure) -> Failure {
        if self.needs.contains_key(auth_type) && NARROWED.contains(&failure.code().as_str()) {
            failure.with_hint(&format!(
                "Or let it have what it asks for: the operator's policy narrows the needs of \
                 {auth_type}."
            ))
        } else {
            failure
        }
    }
}

/// The members of an object, one that stands twice as well: of two lists the wider one must not win
/// unseen.
struct Entries(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of auth types")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = members.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// The needs of one type, or all that is wrong with them.
fn parse(list: &Json) -> Result<Needs, Vec<String>> {
    let Some(list) = list.as_array() else {
        return Err(vec!["not a list of needs".to_owned()]);
    };
    let (mut entries, mut wrong) = (Vec::new(), Vec::new());
    for (nth, json) in list.iter().enumerate() {
        let Some(entry) = entry(json) else {
            wrong.push(format!("need {} is not of the form \"VERB OBJECT\"", nth + 1));
            continue;
        };
        let (verb, object) = &entry;
        match Needs::parse(std::slice::from_ref(&entry)) {
            Ok(_) => entries.push(entry),
            Err(cause) => {
                let need: String = format!("{verb} {object}").escape_debug().take(80).collect();
                wrong.push(format!("need {} (`{need}`): {cause}", nth + 1));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Needs::parse(&entries).map_err(|cause| vec![cause.to_string()])
}

/// `"read account/token"`, or `["read", "account/token"]`.
fn entry(json: &Json) -> Option<(String, String)> {
    let words: Vec<&str> = match json {
        Json::String(text) => text.split(' ').filter(|word| !word.is_empty()).collect(),
        Json::Array(pair) => pair.iter().map(Json::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    let [verb, object] = words[..] else { return None };
    Some((verb.to_owned(), object.to_owned()))
}
