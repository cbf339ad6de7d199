//! The plugin folder, looked at every second.
//!
//! A file counts once its size and its time have stayed as they are from one look to the next, and it
//! does not break off in the middle: who copies slowly is waited for. What was loaded or refused is not
//! looked at again until it changes, so that a refusal is logged once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use countersign::Registry;
use countersign::sandbox::Digest;

/// A folder of plugins, as it was.
pub(super) struct Watch {
    folder: PathBuf,
    /// At the last look.
    seen: Marks,
    /// What the registry has made up its mind about.
    settled: Marks,
    /// What breaks off in the middle.
    partial: Marks,
}

type Marks = BTreeMap<PathBuf, Mark>;

/// What changes when a file does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    size: u64,
    modified: Option<SystemTime>,
}

impl Watch {
    /// All that is there now is for the registry to load as it begins.
    pub(super) fn new(folder: PathBuf) -> Self {
        let seen = marks(&folder);
        Self { folder, settled: seen.clone(), seen, partial: Marks::new() }
    }

    /// Looks, and has the registry read the folder where something has come, changed or gone. Not
    /// for an async thread.
    pub(super) fn look(&mut self, registry: &Registry) {
        let now = marks(&self.folder);
        let before = std::mem::replace(&mut self.seen, now);
        let gone = self.settled.keys().any(|path| !self.seen.contains_key(path));
        let mut come = Marks::new();
        for (path, mark) in &self.seen {
            let known =
                self.settled.get(path) == Some(mark) || self.partial.get(path) == Some(mark);
            if known || before.get(path) != Some(mark) {
                continue;
            }
            if registry.is_partial(path) {
                tracing::warn!(file = %path.display(),
                    "it breaks off in the middle, and is waited for");
                self.partial.insert(path.clone(), *mark);
            } else {
                come.insert(path.clone(), *mark);
            }
        }
        let seen = &self.seen;
        self.partial.retain(|path, _| seen.contains_key(path));
        if gone || !come.is_empty() {
            self.settled.retain(|path, _| seen.contains_key(path));
            self.settled.extend(come);
            reload(registry);
        }
    }

    /// Has the registry read the folder, whatever has changed.
    pub(super) fn reload(&mut self, registry: &Registry) {
        self.seen = marks(&self.folder);
        self.settled = self.seen.clone();
        self.partial.clear();
        reload(registry);
    }
}

/// What it refuses, the registry logs itself.
fn reload(registry: &Registry) {
    let before = serving(registry);
    if let Err(error) = registry.reload() {
        tracing::error!(%error, "the plugins stay as they were");
        return;
    }
    let after = serving(registry);
    for (name, digest) in after.difference(&before) {
        tracing::info!(plugin = name, ?digest, "plugin serves");
    }
    for (name, digest) in before.difference(&after) {
        tracing::info!(plugin = name, ?digest, "plugin is gone");
    }
}

fn serving(registry: &Registry) -> BTreeSet<(String, Digest)> {
    registry.listing().serving.into_iter().map(|it| (it.name, it.digest)).collect()
}

/// A folder that is not there has nothing in it.
fn marks(folder: &Path) -> Marks {
    let Ok(entries) = std::fs::read_dir(folder) else { return Marks::new() };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            if path.extension()? != "wasm" {
                return None;
            }
            let found = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
            let mark = Mark { size: found.len(), modified: found.modified().ok() };
            Some((path, mark))
        })
        .collect()
}
