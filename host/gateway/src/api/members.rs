//! The body of a call: a JSON object, taken apart member by member.
//!
//! Whatever is wrong is noted under its place in the body, and nothing stops at the first. Null counts
//! as absent. A member that the call does not have is wrong too: it would be lost without a word.

use serde_json::{Map, Value as Json};

use crate::fault::{Fault, FieldFault};

/// What an object holds and nobody has asked for yet.
pub(super) struct Members {
    left: Map<String, Json>,
    place: String,
}

impl Members {
    /// Of what stands at `place`, empty for the body itself.
    pub(super) fn of(json: Json, place: &str, faults: &mut Vec<FieldFault>) -> Self {
        let place = place.to_owned();
        let Json::Object(left) = json else {
            faults.push(FieldFault::new(
                &*place,
                "is no JSON object",
                "write {\"key\": \"value\"}",
            ));
            return Self { left: Map::new(), place };
        };
        Self { left, place }
    }

    /// Where a member of it stands.
    pub(super) fn at(&self, name: &str) -> String {
        let name = name.escape_debug();
        if self.place.is_empty() { name.to_string() } else { format!("{}.{name}", self.place) }
    }

    /// Whatever stands under the name.
    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        self.left.shift_remove(name).filter(|json| !json.is_null())
    }

    /// An object.
    pub(super) fn members(&mut self, name: &str, faults: &mut Vec<FieldFault>) -> Option<Self> {
        let place = self.at(name);
        self.take(name).map(|json| Self::of(json, &place, faults))
    }

    /// Text of at most so many characters; where it is empty it is not there.
    pub(super) fn text(
        &mut self,
        name: &str,
        most: usize,
        faults: &mut Vec<FieldFault>,
    ) -> Option<String> {
        let place = self.at(name);
        let Json::String(text) = self.take(name)? else {
            faults.push(FieldFault::new(place, "is no text", "write it in quotation marks"));
            return None;
        };
        if text.chars().count() > most {
            let what = format!("is longer than {most} characters");
            faults.push(FieldFault::new(place, what, "shorten it"));
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// A list of texts.
    pub(super) fn texts(
        &mut self,
        name: &str,
        faults: &mut Vec<FieldFault>,
    ) -> Option<Vec<String>> {
        let place = self.at(name);
        let json = self.take(name)?;
        let list = json.as_array().and_then(|list| {
            list.iter().map(|it| it.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        if list.is_none() {
            faults.push(FieldFault::new(place, "is no list of texts", "write [\"text\"]"));
        }
        list
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str, faults: &mut Vec<FieldFault>) -> Option<bool> {
        let place = self.at(name);
        let json = self.take(name)?;
        if !json.is_boolean() {
            let what = "is neither true nor false";
            faults.push(FieldFault::new(place, what, "write one of them without quotation marks"));
        }
        json.as_bool()
    }

    /// Notes that a member has to be there.
    pub(super) fn missing(&self, name: &str, fix: &str, faults: &mut Vec<FieldFault>) {
        let place = self.at(name);
        // One that is there and wrong has been noted already.
        if faults.iter().all(|it| it.field != place) {
            faults.push(FieldFault::new(place, "is missing", fix));
        }
    }

    /// The same where there is no such member; notes it otherwise.
    pub(super) fn none(mut self, name: &str, faults: &mut Vec<FieldFault>) -> Self {
        if self.take(name).is_some() {
            let fix = "leave it out";
            faults.push(FieldFault::new(self.at(name), "is no member of this document", fix));
        }
        self
    }

    /// Whatever is left, null where the caller wrote it.
    pub(super) fn rest(self) -> Map<String, Json> {
        self.left
    }

    /// Notes what nobody has asked for.
    pub(super) fn end(self, faults: &mut Vec<FieldFault>) {
        for (name, _) in self.left.iter().filter(|(_, json)| !json.is_null()) {
            let fix = "leave it out";
            faults.push(FieldFault::new(self.at(name), "is no member of this document", fix));
        }
    }
}

/// The fault with each field under its place in the body that it is about; `known_as` has the names
/// that the service and callers write differently.
pub(super) fn related(mut fault: Fault, body: &Json, known_as: &[(&str, &str)]) -> Fault {
    for fault in &mut fault.fields {
        let field = fault.field.as_str();
        let field = ["account/", "connection/"].iter().find_map(|it| field.strip_prefix(it));
        let field = field.unwrap_or(&fault.field);
        fault.field = written(body, field, known_as).unwrap_or_else(|| field.to_owned());
    }
    fault
}

/// Where a caller wrote what the service calls by a name of its own: the place of the member of that
/// name, if there is one.
fn written(body: &Json, field: &str, known_as: &[(&str, &str)]) -> Option<String> {
    let (head, tail) = match field.find(['.', '[', '/']) {
        Some(at) => field.split_at(at),
        None => (field, ""),
    };
    let renamed = known_as.iter().find(|(own, _)| *own == head).map(|(_, theirs)| *theirs);
    let place = place_of(body, renamed.unwrap_or(head), "")
        .or_else(|| place_of(body, head, "").filter(|_| renamed.is_some()))?;
    Some(format!("{place}{}", tail.replace('/', ".")))
}

fn place_of(json: &Json, name: &str, above: &str) -> Option<String> {
    let members = json.as_object()?;
    let at = |key: &str| {
        let key = key.escape_debug();
        if above.is_empty() { key.to_string() } else { format!("{above}.{key}") }
    };
    if members.contains_key(name) {
        return Some(at(name));
    }
    members.iter().find_map(|(key, json)| place_of(json, name, &at(key)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_stands_where_the_caller_wrote_it() {
        let body = json!({"identifier": "u", "connected_account": {"authorization_details":
            {"static_auth": {"details": {"username": "x", "path_variables": {"tenant": "y"}}}}}});
        let details = "connected_account.authorization_details.static_auth.details";
        for (field, place) in [
            ("username", Some(format!("{details}.username"))),
            ("tenant", Some(format!("{details}.path_variables.tenant"))),
            (
                "authorization_details.static_auth.details.username",
                Some(format!("{details}.username")),
            ),
            ("name", Some("identifier".to_owned())),
            ("domain", None),
        ] {
            assert_eq!(written(&body, field, &[("name", "identifier")]), place, "{field}");
        }
    }
}
