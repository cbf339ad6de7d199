//! What differs between a case and its run, for people.
//!
//! Values are shown: they are the test's own.

use std::fmt;

use serde_json::{Value as Json, json};
use similar::TextDiff;

/// Lines around a change that are shown with it.
const AROUND: usize = 3;

/// One place where a run is not what its case says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// Of the file, as a JSON Pointer.
    pub place: String,
    /// What kind of difference it is, in words.
    pub what: &'static str,
    /// `None` where the case says nothing.
    pub expected: Option<Json>,
    /// `None` where nothing was found.
    pub found: Option<Json>,
    /// What the refusal or the error that was found says, where neither side has it.
    pub said: Option<String>,
}

impl Difference {
    pub(crate) fn new(place: &str, expected: Option<Json>, found: Option<Json>) -> Self {
        let what = match (&expected, &found) {
            (None, _) => "the case expects nothing yet",
            (_, None) => "there was nothing of the kind",
            _ => "not as expected",
        };
        Self { place: place.to_owned(), what, expected, found, said: None }
    }

    /// `None` where they are equal.
    pub(crate) fn between(place: &str, expected: Json, found: Json) -> Option<Self> {
        (expected != found).then(|| Self::new(place, Some(expected), Some(found)))
    }

    /// Something was scripted, and the run never came to it.
    pub(crate) fn unused(place: &str, expected: Option<Json>) -> Self {
        let what = "scripted, and never asked for";
        Self { place: place.to_owned(), what, expected, found: None, said: None }
    }

    /// The run came to something that the case has no answer for.
    pub(crate) fn unscripted(place: &str, found: Json) -> Self {
        let what = "asked for, and the case has no answer to it";
        Self { place: place.to_owned(), what, expected: None, found: Some(found), said: None }
    }

    pub(crate) fn to_json(&self) -> Json {
        let mut told = json!({"place": self.place, "what": self.what});
        for (name, side) in [("expected", &self.expected), ("found", &self.found)] {
            if let Some(side) = side {
                told[name] = side.clone();
            }
        }
        if let Some(said) = &self.said {
            told["said"] = said.as_str().into();
        }
        told
    }
}

impl fmt::Display for Difference {
    /// The place, the lines that differ, and what a refusal or an error says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        match (&self.expected, &self.found) {
            (Some(_), Some(_)) => write!(f, " (- is expected, + was found)")?,
            (Some(_), None) => write!(f, " (- is expected)")?,
            (None, Some(_)) => write!(f, " (+ was found)")?,
            (None, None) => {}
        }
        let lines = |side: &Option<Json>| {
            let Some(mut side) = side.clone() else { return String::new() };
            // The order of members means nothing.
            side.sort_all_objects();
            format!("{side:#}\n")
        };
        let (expected, found) = (lines(&self.expected), lines(&self.found));
        let diff = TextDiff::from_lines(expected.as_str(), found.as_str());
        for hunk in diff.unified_diff().context_radius(AROUND).iter_hunks() {
            for change in hunk.iter_changes() {
                write!(f, "\n{}{}", change.tag(), change.value().trim_end_matches('\n'))?;
            }
        }
        match &self.said {
            Some(said) => write!(f, "\nit says: {said}"),
            None => Ok(()),
        }
    }
}
