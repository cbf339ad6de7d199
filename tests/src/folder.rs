//! A plugin folder of a test's own; gone when dropped.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// An empty folder at first.
pub struct Folder(TempDir);

impl Folder {
    /// Makes one.
    pub fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Puts a file there, or replaces it, in one step, as an operator should: a reader sees the
    /// old bytes or the new ones.
    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        let unfinished = path.with_extension("part");
        std::fs::write(&unfinished, bytes).expect("a file");
        std::fs::rename(unfinished, &path).expect("a file");
        path
    }

    /// Takes a file away.
    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.file(name)).expect("a file");
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.0.path()).join(name)
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}
