//! What a newcomer runs: the examples build, and the demo shows what it says.
//!
//! Both in the profile that the tests were built with. A release build of the engine takes minutes
//! that show nothing more.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::{Result, ensure};

use super::built;
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
    let programs = built::folder(root)?;
    for name in &packages {
        ensure!(programs.join(name).is_file(), "the example {name} is no program");
    }
    Ok(packages.join(", "))
}

/// What the demo sends, each under a heading of its own that ends in the type, in brackets. The
/// last is the one that a plugin from a file answers to.
const SHOWN: [&str; 5] = ["OAUTH", "BASIC", "BEARER", "API_KEY", "X_TIMESTAMPED_KEY"];

/// Runs the demo, and looks for each auth type in what it prints.
pub(super) fn demo(root: &Path) -> Result<String> {
    let text = output(built::countersign(root)?.arg("demo"))?;
    say(text.trim_end());
    let missing = missing(&text);
    ensure!(missing.is_empty(), "the demo shows nothing of {}", missing.join(", "));
    Ok(format!("shows {} auth types", SHOWN.len()))
}

/// The auth types that no heading names.
fn missing(text: &str) -> Vec<&'static str> {
    let headed = |name: &str| text.lines().any(|line| line.ends_with(&format!("({name})")));
    SHOWN.into_iter().filter(|name| !headed(name)).collect()
}

fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command.output()?;
    let error = String::from_utf8_lossy(&stderr);
    ensure!(status.success(), "{command:?} ended with {status}\n{error}");
    Ok(String::from_utf8(stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_that_lost_its_case_of_a_plugin_from_a_file_is_found_out() {
        let four = "1. My Asana (OAUTH)\n2. Mine (BEARER)\n3. Freshdesk (BASIC)\n4. A (API_KEY)\n";
        assert_eq!(missing(four), ["X_TIMESTAMPED_KEY"]);
        // To speak of a type is not to have shown it.
        let spoken = format!("{four}and X_TIMESTAMPED_KEY (a file)\n");
        assert_eq!(missing(&spoken), ["X_TIMESTAMPED_KEY"]);
        assert!(missing(&format!("{four}5. Timestamped Key (X_TIMESTAMPED_KEY)\n")).is_empty());
    }
}
