//! The settings under `pattern/session`, as the tree that they were in the payload.
//!
//! The contract passes each scalar by its JSON Pointer. Here they are put together again, so that whatever
//! reads them takes them away: what is left over at the end is a setting that nobody knows, mostly a
//! misspelt one.

use std::collections::BTreeMap;

use countersign_plugin::{Account, Refusal};

/// Deeper settings there are none.
const DEEPEST: usize = 8;

/// Everything that is wrong, in the order in which it was found.
pub(super) type Faults = Vec<Refusal>;

/// A setting, or several.
#[derive(Default)]
pub(crate) struct Node<'a> {
    /// By which the host knows it.
    pub(super) at: String,
    text: Option<&'a str>,
    below: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    /// What the account's pattern says under `root`, which ends in no slash.
    pub(super) fn open(account: &'a Account, root: &str, faults: &mut Faults) -> Self {
        let mut top = Self { at: root.to_owned(), ..Self::default() };
        for (name, text) in &account.values {
            let Some(rest) = name.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            if rest.split('/').count() > DEEPEST {
                faults.push(Refusal::invalid_config(name, "no such setting is known"));
                continue;
            }
            let mut node = &mut top;
            for key in rest.split('/') {
                let at = [&node.at, "/", key].concat();
                node = node.below.entry(key).or_insert_with(|| Node { at, ..Node::default() });
            }
            node.text = Some(text);
        }
        top
    }

    /// Where a setting is that need not be there.
    pub(super) fn at(&self, key: &str) -> String {
        [&self.at, "/", key].concat()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.below.contains_key(key)
    }

    /// A scalar, which may be empty.
    pub(super) fn text(&mut self, key: &str, faults: &mut Faults) -> Option<&'a str> {
        self.below.remove(key)?.scalar(faults)
    }

    /// A scalar that must be there, and not empty.
    pub(super) fn needed(&mut self, key: &str, faults: &mut Faults) -> Option<&'a str> {
        let text = match self.below.remove(key) {
            Some(node) => node.scalar(faults)?,
            None => "",
        };
        if text.is_empty() {
            faults.push(Refusal::invalid_config(&self.at(key), "this value is missing"));
            return None;
        }
        Some(text)
    }

    /// This node itself, as a scalar.
    pub(super) fn scalar(self, faults: &mut Faults) -> Option<&'a str> {
        if self.text.is_none() {
            faults.push(Refusal::invalid_config(&self.at, "one value is expected here"));
        }
        self.text
    }

    /// A number of this range.
    pub(super) fn number(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
        faults: &mut Faults,
    ) -> Option<u32> {
        let text = self.text(key, faults)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (from, to) = range.into_inner();
            let message = format!("a whole number is expected, {from} to {to}");
            faults.push(Refusal::invalid_config(&self.at(key), &message));
        }
        number
    }

    /// A list, in its order; empty where it is not there.
    pub(super) fn list(&mut self, key: &str, faults: &mut Faults) -> Vec<Node<'a>> {
        let Some(node) = self.below.remove(key) else { return Vec::new() };
        let mut items: Vec<(usize, Node<'a>)> = Vec::new();
        let mut is_list = node.text.is_none();
        for (key, item) in node.below {
            match key.parse() {
                Ok(index) => items.push((index, item)),
                Err(_) => is_list = false,
            }
        }
        if !is_list {
            faults.push(Refusal::invalid_config(&node.at, "a list is expected here"));
        }
        items.sort_by_key(|(index, _)| *index);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// What is below a setting, where it is there.
    pub(super) fn object(&mut self, key: &str, faults: &mut Faults) -> Option<Node<'a>> {
        let node = self.below.remove(key)?;
        if node.text.is_some() {
            faults.push(Refusal::invalid_config(&node.at, "an object is expected here"));
        }
        Some(node)
    }

    /// Whatever was not asked for is a fault.
    pub(super) fn close(self, faults: &mut Faults) {
        for (_, node) in self.below {
            faults.push(Refusal::invalid_config(&node.at, "no such setting is known"));
        }
    }
}
