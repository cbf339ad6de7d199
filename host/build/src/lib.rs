//! Plugins from source.
//!
//! A [`Project`] is a folder that an author works in; building it runs the language's own tool and
//! gives a component. For Rust that is a core module ([`rust`]), cut down to what calls run and
//! wrapped ([`component`]); the tools for JavaScript and Python make whole components, which carry an
//! interpreter. What comes out on `Ok` is valid WebAssembly that imports nothing but the
//! contract; whether a host accepts it, only the sandbox can say. Only the tool writes to the project:
//! its target folder, and its lock file where there is none. A [`Skeleton`] is a project to begin
//! with.

pub mod component;
mod error;
mod language;
mod project;
mod prune;
pub mod rust;
pub mod skeleton;

pub use error::Error;
pub use language::Language;
pub use project::{Built, JavaScript, Package, Project, Python};
pub use skeleton::Skeleton;

/// The contract's interfaces that an auth plugin may import.
pub const IMPORTS: &[&str] = &["countersign:auth/types@0.1.0", "countersign:auth/context@0.1.0"];
