//! What differs between two contracts, and what that does to components of the first.
//!
//! The rules are wasmtime's and semver's: interfaces are found by name and track, functions by name,
//! and records, variants, enums and signatures are compared exactly. What a component does not use
//! it does not miss.

use std::collections::BTreeSet;
use std::fmt;

use super::items::Items;

/// One item that is not as it was.
#[derive(Debug)]
pub(super) struct Change {
    name: String,
    was: Option<String>,
    is: Option<String>,
    /// Why components of the track do not mind, or do.
    effect: Result<&'static str, &'static str>,
}

impl Change {
    /// Whether components of the track stop working.
    pub(super) fn breaks(&self) -> bool {
        self.effect.is_err()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, why) = match self.effect {
            Ok(why) => ("compatible", why),
            Err(why) => ("BREAKS", why),
        };
        let what = match (&self.was, &self.is) {
            (None, _) => "is new",
            (_, None) => "is gone",
            _ => "has changed",
        };
        write!(f, "  {word}  {} {what}: {why}", self.name)?;
        for (label, text) in [("was", &self.was), ("is ", &self.is)] {
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                write!(f, "\n      {label}  {text}")?;
            }
        }
        Ok(())
    }
}

/// Every difference, by name.
pub(super) fn between(recorded: &Items, now: &Items) -> Vec<Change> {
    let mut changes = Vec::new();
    if recorded.package() != now.package() {
        let same =
            recorded.name() == now.name() && super::is_of_track(recorded.version(), now.version());
        let effect = if same {
            Ok("a version of the same track, which components are matched by")
        } else {
            Err("another track: hosts find no interface of it in components of the old one")
        };
        let (was, is) = (Some(recorded.package()), Some(now.package()));
        changes.push(Change { name: "the version".to_owned(), was, is, effect });
    }
    let names: BTreeSet<_> = recorded.all.keys().chain(now.all.keys()).collect();
    for name in names {
        let (was, is) = (recorded.all.get(name).cloned(), now.all.get(name).cloned());
        if was != is {
            let effect = effect(recorded, name, was.is_some(), is.is_some());
            changes.push(Change { name: name.clone(), was, is, effect });
        }
    }
    changes
}

fn effect(recorded: &Items, name: &str, was: bool, is: bool) -> Result<&'static str, &'static str> {
    let (kind, rest) = name.split_once(' ').unwrap_or((name, ""));
    let interface = rest.split_once('.').map_or(rest, |(interface, _)| interface);
    match (kind, was, is) {
        ("type", true, true) => {
            Err("types are compared exactly; no field or case may come, go or move, since what \
                 one side hands over the other could not read")
        }
        (_, true, true) => Err("signatures are compared exactly"),
        ("export", true, false) => Err("what components export is called no more"),
        (_, true, false) => Err("components that were built with it no longer link, or are no \
                                 longer called"),
        ("function", ..) if recorded.is_exported(interface) => {
            Err("hosts look for every function of an interface that plugins export, and the \
                 components of the track do not have this one")
        }
        ("export", ..) if recorded.all.contains_key(&world(rest)) => {
            Err("hosts look for what a world exports, and the components of the track do not have \
                 it; an interface of its own, looked up as an optional export, does no harm")
        }
        ("import" | "function", ..) => Ok(
            "components of the track do not import it; those that do need a host of this version",
        ),
        _ => Ok("components of the track know nothing of it"),
    }
}

fn world(rest: &str) -> String {
    format!("world {}", rest.split_once(' ').map_or(rest, |(world, _)| world))
}
