//! What a newcomer runs: the examples build, and the demo shows what it says.
//!
//! Both in the profile that the tests were built with. A release build of the engine takes minutes
//! that show nothing more.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::{Result, ensure};

use crate::plugins::{cargo, say};

/// Builds every example.
pub(super) fn examples(root: &Path) -> Result<String> {
    let listed = output(cargo(root).args(["tree", "--workspace", "--depth", "0"]).args([
        "--prefix",
        "none",
        "--locked",
        "--offline",
        "--format",
        "{p}",
    ]))?;
    let mark = root.join("examples").display().to_string();
    let packages: Vec<&str> = listed
        .lines()
        .filter(|line| line.contains(&mark))
        .filter_map(|line| line.split(' ').next())
        .collect();
    ensure!(!packages.is_empty(), "no package of the workspace is under examples/");
    let build = cargo(root)
        .args(["build", "--quiet", "--locked"])
        .args(packages.iter().flat_map(|name| ["--package", name]))
        .status()?;
    ensure!(build.success(), "the examples do not build");
    Ok(packages.join(", "))
}

/// What the demo sends, each under a heading of its own.
const SHOWN: [&str; 4] = ["OAUTH", "BASIC", "BEARER", "API_KEY"];

/// Runs the demo, and looks for each auth type in what it prints.
pub(super) fn demo(root: &Path) -> Result<String> {
    let text = output(cargo(root).args(["run", "--quiet", "--locked", "--", "demo"]))?;
    say(text.trim_end());
    let missing: Vec<&str> = SHOWN.into_iter().filter(|name| !text.contains(name)).collect();
    ensure!(missing.is_empty(), "the demo shows nothing of {}", missing.join(", "));
    Ok(format!("shows {} auth types", SHOWN.len()))
}

fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command.output()?;
    let error = String::from_utf8_lossy(&stderr);
    ensure!(status.success(), "{command:?} ended with {status}\n{error}");
    Ok(String::from_utf8(stdout)?)
}
