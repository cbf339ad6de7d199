//! A mutation that joins its target with what an option names, and refuses a word.

use countersign_plugin::{Entry, Mutation, Refusal, export_mutation, find, require};

/// The mutation.
pub struct Kept;

impl Mutation for Kept {
    fn describe() -> String {
        r#"{"name":"kept","title":"Kept for the contract's track","version":"0.1.0","reads":["{with}"]}"#
            .to_owned()
    }

    fn mutate(values: &[Entry], options: &[Entry]) -> Result<Vec<Entry>, Refusal> {
        let Some((target, value)) = values.first() else {
            return Err(Refusal::invalid_request("there is no value to change"));
        };
        if value == "refuse" {
            return Err(Refusal::denied("as it was told").at(target).retry_after(Some(7)));
        }
        let joined = match find(options, "with") {
            Some(other) => format!("{value}.{}", require(values, other)?),
            None => format!("{value}."),
        };
        Ok(vec![(target.clone(), joined)])
    }
}

export_mutation!(Kept);
