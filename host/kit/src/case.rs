//! One case: what goes in, what is answered on the way, and what must come of it.
//!
//! A [`Case`] exists only once its file has been read without a flaw: every name it gives is one
//! that the contract has, its values make documents that the host takes, and it expects one end.

mod exchange;
mod expect;
mod inputs;

pub(crate) use exchange::{Answer, Asked, Exchange, Failing, Reply, header_value};
pub(crate) use expect::{END_NAMES, Expect};
pub(crate) use inputs::{Act, After, Documents, FlowKind, Inputs, Kept, Pause, Request};

use countersign::registry::{GuestInfo, GuestKind};
use serde_json::Value as Json;

use crate::reading::{Flaws, Members};

/// What is tested.
pub(crate) struct Tested<'a>(pub(crate) &'a GuestInfo);

impl<'a> Tested<'a> {
    /// The auth types that it answers to; none where it is a mutation.
    pub(crate) fn auth_types(&self) -> &'a [String] {
        match &self.0.kind {
            GuestKind::Plugin { auth_types, .. } => auth_types,
            GuestKind::Mutation { .. } => &[],
        }
    }

    pub(crate) fn is_mutation(&self) -> bool {
        matches!(self.0.kind, GuestKind::Mutation { .. })
    }
}

/// One case of a file.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Where it stands in its file, as a JSON Pointer.
    pub(crate) place: String,
    pub(crate) inputs: Inputs,
    /// `None` where the file leaves it open: only what is found can then be written there.
    pub(crate) expect: Option<Expect>,
}

/// What the cases of a file have in common.
#[derive(Default)]
pub(crate) struct Common<'a> {
    pub(crate) auth_type: Option<&'a str>,
    pub(crate) values: Vec<(&'a str, &'a str)>,
}

/// Reads a file of cases: `{"auth_type"?, "about"?, "values"?, "cases": […]}`, or the list alone.
pub(crate) fn read(json: &Json, tested: &Tested<'_>, flaws: &Flaws) -> Vec<Case> {
    let (common, list, place) = if let Json::Array(list) = json {
        (Common::default(), list.as_slice(), "")
    } else {
        let known = ["auth_type", "about", "values", "cases"];
        let Some(file) = Members::open(json, "", &known, flaws) else { return Vec::new() };
        file.text("about");
        let common = Common {
            auth_type: file.text("auth_type"),
            values: file.table("values").unwrap_or_default(),
        };
        if !file.has("cases") {
            flaws.note("", "has no `cases`");
            return Vec::new();
        }
        (common, file.list("cases").unwrap_or_default(), "/cases")
    };
    if list.is_empty() {
        flaws.note(place, "holds no case");
    }
    let mut cases: Vec<Case> = Vec::new();
    for (nth, json) in list.iter().enumerate() {
        let place = format!("{place}/{nth}");
        let Some(case) = read_one(json, &place, &common, tested, flaws) else { continue };
        if let Some(earlier) = cases.iter().find(|earlier| earlier.name == case.name) {
            flaws.note(format!("{place}/name"), format!("is that of {} too", earlier.place));
        }
        cases.push(case);
    }
    cases
}

fn read_one(
    json: &Json,
    place: &str,
    common: &Common<'_>,
    tested: &Tested<'_>,
    flaws: &Flaws,
) -> Option<Case> {
    let known = if tested.is_mutation() { inputs::OF_A_MUTATION } else { inputs::OF_A_PLUGIN };
    let members = Members::open(json, place, known, flaws)?;
    members.text("about");
    let name = members.text("name").unwrap_or_default();
    if name.trim().is_empty() {
        members.flaw("name", "is missing: say what the case shows");
    }
    let inputs = inputs::read(&members, common, tested);
    let expect = expect::read(&members, tested);
    Some(Case { name: name.to_owned(), place: place.to_owned(), inputs: inputs?, expect })
}
