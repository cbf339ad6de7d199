//! `cargo xtask bench`: builds the benches as a release is built, and runs one.
//!
//! They are a program of their own (`tests/bench`), because a task is built without optimization
//! and must not wait for the engine to be compiled.

use std::ffi::OsString;

use anyhow::{Result, ensure};

use crate::dist;
use crate::plugins::{cargo, root};

/// What the command line says.
#[derive(clap::Args)]
// The program behind it knows what it takes, and answers `--help` itself.
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// The bench, `sandbox`, `interpreted` or `gateway`, and what it is told: `--json`, `--help`. For `gateway` the
    /// command is built as by `cargo xtask dist`, unless `--countersign FILE` names one: that of
    /// `cargo xtask dist --without-bolt`, where there is no BOLT.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Names the gateway's program.
const PROGRAM: &str = "--countersign";

/// Runs a bench to its end.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut bench = cargo(root());
    bench.args(["run", "--quiet", "--locked", "--release", "--package", "countersign-bench", "--"]);
    bench.args(&arguments.rest);
    let says = |word: &str| arguments.rest.iter().any(|it| it == word);
    if says("gateway") && !says(PROGRAM) && !says("--help") {
        bench.arg(PROGRAM).arg(dist::build(&dist::Arguments::default())?);
    }
    let status = bench.status()?;
    ensure!(status.success(), "the bench ended with {status}");
    Ok(())
}
