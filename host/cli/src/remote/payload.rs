//! A provider's payload on its way between files and gateways.
//!
//! A [`Payload`] is an object without the members that a gateway adds and without those that are
//! null, which a gateway takes for not there.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::text;
use crate::codes;
use crate::failure::Failure;
use crate::json;

/// What a gateway adds to its answers and takes from no payload.
const ANSWERED: [&str; 7] =
    ["id", "identifier", "is_custom", "is_custom_mcp", "version", "created_at", "updated_at"];

pub(super) struct Payload {
    /// Where it says so itself: one that was read from a gateway.
    identifier: Option<String>,
    members: Map<String, Json>,
}

impl Payload {
    /// A payload, or what a gateway answered with.
    pub(super) fn of(json: Json) -> Option<Self> {
        let Json::Object(mut members) = json else { return None };
        let identifier = members.get("identifier").and_then(Json::as_str).map(ToOwned::to_owned);
        members.retain(|name, value| !ANSWERED.contains(&name.as_str()) && !value.is_null());
        Some(Self { identifier, members })
    }

    /// The file's.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Self::of(json::file(path)?).ok_or_else(|| {
            let what = format!("{} is no JSON object", path.display());
            Failure::new(codes::PROVIDER_INVALID, what)
        })
    }

    /// What to send.
    pub(super) fn json(&self) -> Json {
        Json::Object(self.members.clone())
    }

    /// What a gateway has once it took this over what it `has`: members that are not sent stay.
    pub(super) fn over(&self, has: &Self) -> Json {
        let mut members = has.members.clone();
        members.extend(self.members.clone());
        Json::Object(members)
    }

    /// For people.
    pub(super) fn name(&self) -> &str {
        self.members.get("display_name").and_then(Json::as_str).unwrap_or("without a name")
    }

    /// The provider that this is, among those of a gateway: that of its identifier, else that of its
    /// display name, else that of the identifier which a gateway would make of the name.
    pub(super) fn find<'a>(&self, providers: &'a [Json]) -> Option<&'a Json> {
        let of = |member: &'static str, wanted: &str| {
            providers.iter().find(|provider| provider[member] == wanted)
        };
        let by_identifier = self.identifier.as_deref().and_then(|it| of("identifier", it));
        by_identifier.or_else(|| of("display_name", self.name())).or_else(|| {
            let derived = countersign::provider::identifier(self.name())?;
            of("identifier", &derived)
        })
    }
}

/// The files, and in place of a folder the payloads in it, in the order of their names.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |error: std::io::Error| {
            Failure::new(codes::FILE_UNREADABLE, format!("{}: {error}", path.display()))
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension().is_some_and(|it| it == "json") {
                found.push(file);
            }
        }
        if found.is_empty() {
            let what = format!("{}: there is no .json file in this folder", path.display());
            return Err(Failure::new(codes::FILE_UNREADABLE, what));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// The provider of this name, by identifier or by display name.
pub(super) fn named<'a>(providers: &'a [Json], name: &str) -> Result<&'a Json, Failure> {
    let by_identifier = providers.iter().find(|it| it["identifier"] == name);
    let mut by_name = providers.iter().filter(|it| it["display_name"] == name);
    match (by_identifier, by_name.next(), by_name.next()) {
        (Some(provider), ..) | (None, Some(provider), None) => Ok(provider),
        (None, Some(_), Some(_)) => {
            let what = format!("there are several providers of the name {name}");
            Err(Failure::new(codes::NAME_UNKNOWN, what))
        }
        (None, None, _) => {
            let known: Vec<String> = providers.iter().map(|it| text(it, "identifier")).collect();
            let what = format!("there is no provider {name}; there are: {}", known.join(", "));
            Err(Failure::new(codes::NAME_UNKNOWN, what))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_is_that_of_its_identifier_then_of_its_name_then_of_what_the_name_becomes() {
        let providers = [
            json!({"identifier": "my-asana", "display_name": "Renamed"}),
            json!({"identifier": "my-asana-2", "display_name": "My Asana"}),
            json!({"identifier": "other", "display_name": "Another"}),
        ];
        for (payload, expected) in [
            (json!({"identifier": "my-asana", "display_name": "My Asana"}), Some("my-asana")),
            (json!({"display_name": "My Asana"}), Some("my-asana-2")),
            (json!({"display_name": "Other"}), Some("other")),
            (json!({"identifier": "gone", "display_name": "Another"}), Some("other")),
            (json!({"display_name": "New"}), None),
        ] {
            let found = Payload::of(payload.clone()).unwrap();
            let found = found.find(&providers).map(|it| it["identifier"].as_str().unwrap());
            assert_eq!(found, expected, "{payload}");
        }
    }
}
