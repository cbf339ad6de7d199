//! A project to begin a plugin with.
//!
//! It builds and passes its tests as it stands. What it is made of is in this program: the templates,
//! the SDK and the contract, so that nothing has to be fetched but the crates that they name. Its
//! folder comes to be as a whole or not at all, and nothing that is there is written over.

mod name;
mod sdk;

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Language};
pub use name::{AuthType, Name, Refused};

/// Where the project's SDK comes from.
#[derive(Clone, Debug, Default)]
pub enum Sdk {
    /// A copy in the project, as this program was built with.
    #[default]
    Copy,
    /// The folder of its crate.
    Folder(PathBuf),
    /// A version of the published crate.
    Version(String),
}

/// A project that is yet to be written.
#[derive(Clone, Debug)]
pub struct Skeleton {
    /// What it is called, and the component's file.
    pub name: Name,
    /// What the plugin answers to.
    pub auth_type: AuthType,
    /// What it is written in.
    pub language: Language,
    /// Where its SDK comes from, for a language that has one: Rust.
    pub sdk: Sdk,
}

macro_rules! templates {
    ($folder:literal: $($file:literal as $name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../templates/", $folder, "/", $file)))),*]
    };
}

/// The files of the templates. Two have other names there, where they would have a meaning.
const RUST: &[(&str, &str)] = templates!["rust":
    "README.md" as "README.md",
    "account.json" as "account.json",
    "gitignore" as ".gitignore",
    "manifest.toml" as "Cargo.toml",
    "provider.json" as "provider.json",
    "src/lib.rs" as "src/lib.rs",
    "src/tests.rs" as "src/tests.rs",
    "vectors/authorize.json" as "vectors/authorize.json",
];

/// What is the same in every language: the example does the same in all of them.
const SHARED: [&str; 3] = ["account.json", "provider.json", "vectors/authorize.json"];

const JAVASCRIPT: &[(&str, &str)] = templates!["js":
    "README.md" as "README.md",
    "gitignore" as ".gitignore",
    "package.json" as "package.json",
    "src/plugin.ts" as "src/plugin.ts",
    "test/countersign.js" as "test/countersign.js",
    "test/vectors.test.js" as "test/vectors.test.js",
    "tsconfig.json" as "tsconfig.json",
    "types/contract.d.ts" as "types/contract.d.ts",
];

const PYTHON: &[(&str, &str)] = templates!["python":
    "README.md" as "README.md",
    "gitignore" as ".gitignore",
    "pyproject.toml" as "pyproject.toml",
    "requirements.txt" as "requirements.txt",
    "src/plugin.py" as "src/plugin.py",
    "tests/countersign.py" as "tests/countersign.py",
    "tests/test_vectors.py" as "tests/test_vectors.py",
];

/// How the manifest of the templates says that the SDK is a copy.
const COPY: &str = "countersign-plugin = { path = \"sdk\" }";
/// What it says of that copy otherwise, and what it says where there is none.
const WORKSPACE: &str = "# A workspace of its own, wherever the folder lies. The SDK is a copy, with the \
                         tests left out.\n[workspace]\nexclude = [\"sdk\"]\n";
const ALONE: &str = "# A workspace of its own, wherever the folder lies.\n[workspace]\n";
/// How the README of the templates tells of that copy.
const ROW: &str = "| `sdk/`, `wit/` | the SDK and the contract, as the `countersign` that made this folder \
                   has them |\n";

impl Skeleton {
    /// Its files, by their paths in the project.
    pub fn files(&self) -> Result<Vec<(String, String)>, Error> {
        let filled = |&(name, text): &(&str, &str)| (name.to_owned(), self.filled(text));
        let own = match self.language {
            Language::Rust => RUST,
            Language::JavaScript => JAVASCRIPT,
            Language::Python => PYTHON,
        };
        let mut files: Vec<(String, String)> = own.iter().map(filled).collect();
        if self.language != Language::Rust {
            files.extend(RUST.iter().filter(|(name, _)| SHARED.contains(name)).map(filled));
            files.extend(sdk::contract());
            return Ok(files);
        }
        let source = match &self.sdk {
            Sdk::Copy => None,
            Sdk::Folder(folder) => {
                Some(format!("path = {}", toml::Value::from(sdk::checked(folder)?)))
            }
            Sdk::Version(version) => {
                Some(format!("version = {}", toml::Value::from(version.as_str())))
            }
        };
        let Some(source) = source else {
            files.extend(sdk::copy()?);
            return Ok(files);
        };
        for (_, text) in &mut files {
            *text = text
                .replace(COPY, &format!("countersign-plugin = {{ {source} }}"))
                .replace(WORKSPACE, ALONE)
                .replace(ROW, "");
        }
        Ok(files)
    }

    /// The templates' own words for the project give way to its names, in which such a word may be.
    fn filled(&self, text: &str) -> String {
        let (title, structure) = (self.name.title(), self.name.structure());
        let names = [
            ("acme-plugin", self.name.as_str()),
            ("X_ACME", self.auth_type.as_str()),
            ("Acme Plugin", &title),
            ("AcmeAuth", &structure),
        ];
        let next = |rest: &str| {
            let found =
                names.iter().filter_map(|&(word, name)| Some((rest.find(word)?, word, name)));
            found.min_by_key(|&(at, ..)| at)
        };
        let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((at, word, name)) = next(rest) {
            filled.push_str(&rest[..at]);
            filled.push_str(name);
            rest = &rest[at + word.len()..];
        }
        filled + rest
    }

    /// Writes the project into this folder, which must not be there yet.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let files = self.files()?;
        if folder.symlink_metadata().is_ok() {
            return Err(Error::project(folder, "it is there already, and nothing is written over"));
        }
        let parent = match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let beside = tempfile::Builder::new().prefix(".countersign-new-").tempdir_in(parent);
        let beside = beside.map_err(Error::io(parent))?;
        // Not the temporary folder itself, which nobody else may read.
        let whole = beside.path().join("project");
        for (name, text) in files {
            let file = whole.join(name);
            let holder = file.parent().unwrap_or(&whole);
            fs::create_dir_all(holder).map_err(Error::io(holder))?;
            fs::write(&file, text).map_err(Error::io(&file))?;
        }
        fs::rename(&whole, folder).map_err(Error::io(folder))
    }
}

#[cfg(test)]
mod tests;
