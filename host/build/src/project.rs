//! A folder that a plugin's author works in.
//!
//! [`Project::open`] looks at it without running anything of it; [`Project::build`] runs the
//! language's tool in it, as the author would, so whoever builds a project trusts what is in it. On
//! `Ok` there is a component that imports nothing but the contract; nothing is written but what the
//! tool keeps in its own folders.

mod cargo;
mod javascript;
mod python;
mod script;

use std::path::Path;

pub use cargo::Package;
pub use javascript::Module as JavaScript;
pub use python::Module as Python;

use crate::{Error, Language};

/// A project, by the language that it is written in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Project {
    /// A crate, which `Cargo.toml` tells of.
    Rust(Package),
    /// A package of npm, which `package.json` tells of.
    JavaScript(JavaScript),
    /// A module of Python, which `pyproject.toml` tells of.
    Python(Python),
}

/// A component, and what it was built with.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// For people: the tool, and where what it builds on came from.
    pub with: String,
}

impl Project {
    /// The project in this folder.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let folder = folder.canonicalize().map_err(Error::io(folder))?;
        let holds = |manifest: &str| folder.join(manifest).is_file();
        if holds(cargo::MANIFEST) {
            return Package::open(&folder).map(Self::Rust);
        }
        if holds(javascript::MANIFEST) {
            return JavaScript::open(&folder).map(Self::JavaScript);
        }
        if holds(python::MANIFEST) {
            return Python::open(&folder).map(Self::Python);
        }
        let what = "it has no Cargo.toml, package.json or pyproject.toml; `countersign plugin new NAME` \
                    makes a project";
        Err(Error::project(&folder, what))
    }

    /// The name of the project, and of its component's file.
    pub fn name(&self) -> &str {
        match self {
            Self::Rust(package) => package.name(),
            Self::JavaScript(module) => module.name(),
            Self::Python(module) => module.name(),
        }
    }

    /// What it is written in.
    pub fn language(&self) -> Language {
        match self {
            Self::Rust(_) => Language::Rust,
            Self::JavaScript(_) => Language::JavaScript,
            Self::Python(_) => Language::Python,
        }
    }

    /// Builds it. What the tool has to say goes to standard error.
    pub fn build(&self) -> Result<Built, Error> {
        match self {
            Self::Rust(package) => package.build(),
            Self::JavaScript(module) => module.build(),
            Self::Python(module) => module.build(),
        }
    }
}

#[cfg(test)]
mod tests;
