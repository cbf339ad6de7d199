//! Which outputs move with the clock, and which with the seed. No fault: a signature has to.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Checked, Tried, later};
use crate::reading::below;
use crate::run::Run;
use crate::stage::Stage;

const AN_HOUR: u64 = 60 * 60 * 1000;

pub(super) fn check(stage: &Stage, tried: &Tried<'_>, checked: &mut Checked) {
    let Tried { case, run } = tried;
    let mut reseeded = case.inputs.clone();
    reseeded.seed = reseeded.seed.wrapping_add(1);
    for (code, inputs) in
        [("moves-with-clock", later(&case.inputs, AN_HOUR)), ("moves-with-seed", reseeded)]
    {
        let moved = moved(run, &stage.run_changed(&inputs));
        if !moved.is_empty() {
            let moved: Vec<String> = moved.into_iter().collect();
            checked.notice(code, case, moved.join(", "));
        }
    }
}

/// The places of answers that differ, each with its function.
pub(super) fn moved(first: &Run, other: &Run) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    if first.steps() != other.steps() {
        places.insert("the calls themselves".to_owned());
        return places;
    }
    for (a, b) in first.calls.iter().zip(&other.calls) {
        if let (Ok(a_answer), Ok(b_answer)) = (&a.answer, &b.answer) {
            let mut of_call = Vec::new();
            walk(a_answer, b_answer, "", &mut of_call);
            let name = a.function.name();
            places.extend(of_call.into_iter().map(|place| format!("{name}{place}")));
        }
    }
    places
}

fn walk(a: &Json, b: &Json, place: &str, places: &mut Vec<String>) {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) if a.keys().eq(b.keys()) => {
            for (name, inner) in a {
                walk(inner, &b[name], &below(place, name), places);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (nth, (a, b)) in a.iter().zip(b).enumerate() {
                walk(a, b, &format!("{place}/{nth}"), places);
            }
        }
        (a, b) if a != b => places.push(place.to_owned()),
        _ => {}
    }
}
