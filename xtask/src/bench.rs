//! `cargo xtask bench`: builds the benches as a release is built, and runs one.
//!
//! They are a program of their own (`tests/bench`), because a task is built without optimization
//! and must not wait for the engine to be compiled.

use std::ffi::OsString;

use anyhow::{Result, ensure};

use crate::plugins::{cargo, root};

/// What the command line says.
#[derive(clap::Args)]
// The program behind it knows what it takes, and answers `--help` itself.
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// The bench, `sandbox` or `gateway`, and what it is told: `--json`, `--help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Runs a bench to its end.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut profile = "release";
    if arguments.rest.first().is_some_and(|bench| bench == "gateway") {
        // As it is shipped.
        profile = "dist";
        let built = cargo(root()).args(["build", "--locked", "--profile", profile]).status()?;
        ensure!(built.success(), "the gateway was not built");
    }
    let status = cargo(root())
        .args(["run", "--quiet", "--locked", "--profile", profile])
        .args(["--package", "countersign-bench", "--"])
        .args(&arguments.rest)
        .status()?;
    ensure!(status.success(), "the bench ended with {status}");
    Ok(())
}
