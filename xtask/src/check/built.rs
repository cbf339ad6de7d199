//! The workspace's own programs, built once for all steps.
//!
//! All packages are selected, and their examples with them, as `cargo test --workspace` does: each
//! selection unites the features of its dependencies anew, and one that is new takes minutes for the engine.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context as _, Result, anyhow, ensure};

use crate::plugins::cargo;

/// `countersign`, to be run in this folder.
pub(super) fn countersign(root: &Path) -> Result<Command> {
    program(root, "countersign")
}

/// The same for a command that is run many times: what one has compiled, the next finds.
pub(super) fn compiled_once(root: &Path) -> Result<Command> {
    let mut command = countersign(root)?;
    command.env("COUNTERSIGN_CACHE", cache(root));
    Ok(command)
}

/// Where compiled components are kept from one check to the next.
pub(super) fn cache(root: &Path) -> PathBuf {
    root.join("target/check/compiled")
}

/// An example of whichever package.
pub(super) fn example(root: &Path, name: &str) -> Result<Command> {
    program(root, &format!("examples/{name}"))
}

fn program(root: &Path, name: &str) -> Result<Command> {
    let mut command = Command::new(folder(root)?.join(name));
    command.current_dir(root);
    Ok(command)
}

/// Builds all, the first time, and says where they are.
pub(super) fn folder(root: &Path) -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| build(root).map_err(|error| format!("{error:#}")));
    folder.as_deref().map_err(|error| anyhow!("{error}"))
}

fn build(root: &Path) -> Result<PathBuf> {
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--locked", "--workspace", "--bins", "--examples"]);
    ensure!(build.status()?.success(), "the workspace's programs do not build");
    // This program is one of them.
    let own = env::current_exe()?;
    Ok(own.parent().context("this program is in no folder")?.to_owned())
}
