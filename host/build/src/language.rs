//! What a plugin can be written in.

use std::fmt;

/// A language that there is a kind of project for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// A crate, which becomes a component of some ten or hundred KiB.
    #[default]
    Rust,
    /// JavaScript or TypeScript; the component carries an engine of 12 MB.
    JavaScript,
    /// The component carries an interpreter of 18 MB.
    Python,
}

impl Language {
    /// Whether its components carry an interpreter, and need the limits for that.
    pub fn is_interpreted(self) -> bool {
        self != Self::Rust
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
        })
    }
}
