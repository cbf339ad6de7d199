//! Why a plugin is not built. Each says who has to act.

use std::io;
use std::path::{Path, PathBuf};

use crate::component::Foreign;

/// A plugin that is not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tool is not on this machine. Whoever keeps the machine must act.
    #[error("{tool} is missing: {cure}")]
    Missing {
        /// The program, or the part of one.
        tool: String,
        /// How to get it.
        cure: String,
    },
    /// The folder holds no project of a plugin. Whoever named it, or its author, must act.
    #[error("{}: {what}", .folder.display())]
    Project {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The language's tool found a fault, which it has written to standard error. The plugin's
    /// author must act.
    #[error("{tool} does not build {project}")]
    Failed {
        /// The tool.
        tool: &'static str,
        /// The project's name.
        project: String,
    },
    /// It imports what no host gives. The plugin's author must act.
    #[error(transparent)]
    Foreign(#[from] Foreign),
    /// What was built makes no component. The plugin's author must act.
    #[error("it does not make a component: {0}")]
    Malformed(String),
    /// A file, a folder or a program cannot be used. Whoever keeps the machine must act.
    #[error("{}: {cause}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl Error {
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { path: path.as_ref().to_owned(), cause }
    }

    pub(crate) fn project(folder: &Path, what: impl Into<String>) -> Self {
        Self::Project { folder: folder.to_owned(), what: what.into() }
    }
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed(error.to_string())
    }
}
