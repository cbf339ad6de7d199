//! A running gateway is held to the description that it serves, by a program that makes requests out
//! of descriptions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::server::Server;

/// From PyPI, into a folder under `target/` that later runs find.
const VERSION: &str = "4.32.5";

/// Runs `tests/schemathesis/run.sh`, whose seed is fixed.
pub(super) fn run(root: &Path) -> Result<String> {
    let program = installed(root)?;
    let server = Server::start(root, &[])?;
    let status = server
        .command("sh")
        .arg(root.join("tests/schemathesis/run.sh"))
        .args([&server.url, &server.token()?])
        .env("SCHEMATHESIS", program)
        .status()?;
    ensure!(status.success(), "the server is not as its description says: {status}");
    Ok(format!("schemathesis {VERSION} found nothing"))
}

fn installed(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/ci/schemathesis");
    let program = folder.join("bin/schemathesis");
    // Written last: a folder that was left half way is made anew.
    let mark = folder.join("version");
    if fs::read_to_string(&mark).is_ok_and(|version| version == VERSION) {
        return Ok(program);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).status();
    let made = made.context("python3 is missing: apt-get install python3-venv")?;
    ensure!(made.success(), "python3 makes no venv: apt-get install python3-venv");
    let got = Command::new(folder.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("schemathesis=={VERSION}"))
        .status()?;
    ensure!(got.success(), "pip did not install schemathesis {VERSION}");
    fs::write(mark, VERSION)?;
    Ok(program)
}
