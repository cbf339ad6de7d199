//! Looking up what the host passed.
//!
//! An empty value counts as missing wherever one is required: a credential of no length would send
//! a request bare.

use crate::{Account, Entry, Refusal};

/// The value called `name`, which may be empty.
pub fn find<'a>(values: &'a [Entry], name: &str) -> Option<&'a str> {
    values.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The value called `name`, or a refusal to whoever configures that names it.
pub fn require<'a>(values: &'a [Entry], name: &str) -> Result<&'a str, Refusal> {
    find(values, name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Refusal::invalid_config(name, "this value is missing"))
}

impl Account {
    /// One that holds these values and no memo: for tests.
    pub fn of(values: &[(&str, &str)]) -> Self {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Self { values: values.iter().map(owned).collect(), memo: Vec::new() }
    }

    /// The value called `name`, where there is one that is not empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        find(&self.values, name).filter(|value| !value.is_empty())
    }

    /// The value called `name`, or a refusal to whoever configures that names it.
    pub fn require(&self, name: &str) -> Result<&str, Refusal> {
        require(&self.values, name)
    }

    /// The value called `name`, or a refusal that asks the user to authorize again: for what a
    /// flow would have learnt.
    pub fn require_state(&self, name: &str) -> Result<&str, Refusal> {
        self.value(name)
            .ok_or_else(|| Refusal::reauthorize("the account has yet to be authorized").at(name))
    }

    /// Those whose name goes on after `prefix`, with the rest of the name, in the host's order.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// Whether the value called `name` is the word `true`, as a JSON scalar is passed.
    pub fn is_true(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }
}
