//! From the merged layers to settings: every value is taken once, and what is left over is unknown.

use std::collections::BTreeMap;

use ::config::{Value, ValueKind};

use super::configuration::Configuration;
use super::setting::Setting;

/// One thing that is wrong. Never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key, or nothing where a whole file is at fault.
    pub(crate) key: String,
    /// What is wrong, and what would be right.
    pub(crate) what: String,
    /// Where it was set.
    pub(crate) source: String,
}

impl Problem {
    pub(crate) fn new(key: &str, what: impl Into<String>, source: &str) -> Self {
        Self { key: key.to_owned(), what: what.into(), source: source.to_owned() }
    }

    /// On one line.
    pub(crate) fn to_line(&self) -> String {
        let joint = if self.key.is_empty() { "" } else { ": " };
        let source =
            if self.source.is_empty() { String::new() } else { format!(" ({})", self.source) };
        format!("{}{joint}{}{source}", self.key, self.what)
    }
}

/// The values that the layers give, by key, and what is wrong with them.
pub(crate) struct Reader {
    values: BTreeMap<String, Value>,
    pub(super) problems: Vec<Problem>,
    /// The name of the file among the layers, for people.
    file: String,
}

impl Reader {
    /// Of the root of the merged layers.
    pub(super) fn new(root: Value, file: Option<&str>) -> Self {
        let mut reader = Self {
            values: BTreeMap::new(),
            problems: Vec::new(),
            file: file.unwrap_or_default().to_owned(),
        };
        let known = Configuration::default();
        let keys: Vec<String> = known.rows().into_iter().map(|row| row.key).collect();
        let sections: Vec<&str> = known.parts().iter().map(|part| part.name).collect();
        reader.flatten("", root, &keys, &sections);
        reader
    }

    /// Takes the value of a key, where there is one.
    pub(super) fn take<T: Setting>(&mut self, key: &str, setting: &mut T) {
        let Some(value) = self.values.remove(key) else { return };
        match T::read(&value) {
            Some(read) => *setting = read,
            None => self.add(key, format!("takes {}", T::takes()), &value),
        }
    }

    fn flatten(&mut self, path: &str, value: Value, keys: &[String], sections: &[&str]) {
        if keys.iter().any(|key| key == path) {
            self.values.insert(path.to_owned(), value);
            return;
        }
        if !sections.contains(&path) {
            let near = nearest(path, keys);
            self.add(path, format!("is no setting; the nearest one is {near}"), &value);
            return;
        }
        match value.kind {
            ValueKind::Table(table) => {
                let table: BTreeMap<_, _> = table.into_iter().collect();
                for (name, value) in table {
                    let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                    self.flatten(&path, value, keys, sections);
                }
            }
            // Nothing was set at all.
            ValueKind::Nil => {}
            _ => {
                let section = format!("{path}.");
                let inside = keys.iter().filter(|key| key.starts_with(&section));
                let inside: Vec<&str> = inside.map(String::as_str).collect();
                let what = format!("is a table of settings: {}", inside.join(", "));
                self.add(path, what, &value);
            }
        }
    }

    fn add(&mut self, key: &str, what: String, value: &Value) {
        let source = match value.origin() {
            None => "on the command line".to_owned(),
            Some("the environment") => format!("in {}", variable(key)),
            Some(_) => format!("in {}", self.file),
        };
        self.problems.push(Problem { key: key.to_owned(), what, source });
    }
}

/// The environment variable of a key.
pub(crate) fn variable(key: &str) -> String {
    format!("COUNTERSIGN_{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// The known key that this one most resembles.
fn nearest<'a>(key: &str, keys: &'a [String]) -> &'a str {
    let alike = |known: &str| {
        // Whoever forgets the section still means its key.
        let last = known.rsplit('.').next().unwrap_or(known);
        let whole = strsim::jaro_winkler(key, known);
        whole.max(strsim::jaro_winkler(key, last) * 0.99)
    };
    let nearest = keys.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    nearest.map_or("", String::as_str)
}
