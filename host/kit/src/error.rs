//! Why there is no report.

use std::fmt;
use std::path::PathBuf;

use countersign::registry::RegistryError;
use countersign::sandbox::{LoadError, SandboxError};

use crate::reading::Flaw;

/// Nothing was run. The variants name who must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KitError {
    /// The host refuses the component. Whoever wrote the plugin must act.
    #[error("the component is refused: {0}")]
    Component(LoadError),
    /// The sandbox cannot be had. Whoever runs the machine must act.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The host itself failed. Whoever runs the machine must act.
    #[error("the host failed: {0}")]
    Host(&'static str),
    /// A file of cases, or a folder of such files, cannot be read. Whoever named it must act.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Files of cases have flaws, all of which are told. Whoever wrote them must act.
    #[error("the cases cannot be used:\n{0}")]
    Cases(Flawed),
    /// No case makes a request ready without an answer from elsewhere. Whoever wrote them must act.
    #[error("no case makes a request ready by itself, so there is nothing to measure")]
    NothingToMeasure,
    /// What was found cannot be written into a file. Whoever named it must act.
    #[error("{path} cannot be written: {cause}")]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// Flaws, each with its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flawed(pub Vec<(PathBuf, Flaw)>);

impl fmt::Display for Flawed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (path, flaw)) in self.0.iter().enumerate() {
            let separator = if nth == 0 { "" } else { "\n" };
            write!(f, "{separator}  {}: {flaw}", path.display())?;
        }
        Ok(())
    }
}

impl From<RegistryError> for KitError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Bundled { cause, .. } => Self::Component(cause),
            _ => Self::Host("the plugins cannot be loaded"),
        }
    }
}
