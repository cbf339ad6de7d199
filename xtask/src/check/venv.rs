//! Programs of PyPI, each set in a folder under `target/` that later runs find.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// Installs these, each with its version, and answers with the folder of their programs.
pub(super) fn installed(root: &Path, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = root.join("target/ci").join(name);
    let programs = folder.join("bin");
    // Written last: a folder that was left half way is made anew.
    let mark = folder.join("version");
    let wanted = packages.join(" ");
    if fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        return Ok(programs);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).status();
    let made = made.context("python3 is missing: apt-get install python3-venv")?;
    ensure!(made.success(), "python3 makes no venv: apt-get install python3-venv");
    let got = Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(packages)
        .status()?;
    ensure!(got.success(), "pip did not install {wanted}");
    fs::write(mark, wanted)?;
    Ok(programs)
}
