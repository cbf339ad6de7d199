//! What a program is given to do while it counts what of it is used.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::is_newer;
use crate::plugins::{cargo, root};

/// The program that says what is to be done.
pub(super) struct Training(PathBuf);

impl Training {
    pub(super) fn build(target: &Path) -> Result<Self> {
        let status = cargo(root())
            .args(["build", "--locked", "--release", "--package", "countersign-bench"])
            .arg("--target-dir")
            .arg(target)
            .status()?;
        ensure!(status.success(), "the training was not built");
        let program = format!("countersign-bench{}", env::consts::EXE_SUFFIX);
        Ok(Self(target.join("release").join(program)))
    }

    /// Whether it or the program has changed since this was counted, or nothing was.
    pub(super) fn is_due(&self, program: &Path, counts: &Path) -> bool {
        [program, &self.0].into_iter().any(|it| is_newer(it, counts))
    }

    /// Lets the program serve requests; fails where one is not answered as it must be. More can be said
    /// to the command.
    pub(super) fn run(
        &self,
        program: &Path,
        more: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<()> {
        let mut command = Command::new(&self.0);
        command.args(["training", "--countersign"]).arg(program);
        let status = more(&mut command).status().context("running the training")?;
        ensure!(status.success(), "the training ended with {status}");
        Ok(())
    }
}

/// The folder, with nothing in it of an earlier training.
pub(super) fn emptied(folder: &Path) -> Result<&Path> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("the counts of an earlier training")?;
    }
    fs::create_dir_all(folder)?;
    Ok(folder)
}
