//! Where components come from.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Where a component came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is part of the program.
    Bundled,
    /// A file of the plugin folder.
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A file of the folder, read or not.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) bytes: io::Result<Vec<u8>>,
}

impl File {
    /// The name that people know it by: the file's stem.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Every `.wasm` file of the folder, in the order of their names. No folder, or one that is not
/// there, has none. Of each, at most `most` bytes are read.
pub(super) fn read(folder: Option<&Path>, most: usize) -> io::Result<Vec<File>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|it| it == "wasm"));
    paths.sort();
    Ok(paths
        .into_iter()
        .map(|path| {
            let bytes = read_file(&path, most);
            File { path, bytes }
        })
        .collect())
}

/// The whole of a regular file of at most `most` bytes.
pub(super) fn read_file(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    // To open a pipe would wait for whoever writes to it.
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > most as u64 {
        return Err(io::Error::other(format!(
            "it has {} bytes; at most {most} are read",
            metadata.len()
        )));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
