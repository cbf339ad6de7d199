//! The grammar of needs, what they grant, and how an operator narrows them.

mod grammar;
mod headers;
mod names;
mod policy;
mod references;

use std::sync::Arc;

use http::HeaderName;

use super::{Flaw, Granted, Needs, NeedsError};
use crate::last::Last;
use crate::secret::Secret;
use crate::values::Values;

fn entries(needs: &[&str]) -> Vec<(String, String)> {
    let split = |need: &&str| {
        let (verb, object) = need.split_once(' ').unwrap();
        (verb.to_owned(), object.to_owned())
    };
    needs.iter().map(split).collect()
}

fn needs(needs: &[&str]) -> Needs {
    Needs::parse(&entries(needs)).unwrap()
}

fn refused(need: &str) -> NeedsError {
    Needs::parse(&entries(&["read account/token", need])).unwrap_err()
}

fn values(entries: &[(&str, &str)]) -> Values {
    let mut values = Values::default();
    for &(name, text) in entries {
        values.set(name, text);
    }
    values
}

fn granted(list: &[&str], entries: &[(&str, &str)]) -> Granted {
    needs(list).resolve(&values(entries))
}

fn header(name: &str) -> HeaderName {
    HeaderName::from_bytes(name.as_bytes()).unwrap()
}
