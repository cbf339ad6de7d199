//! `cargo xtask soak`: the tests of the gateway that grow with what they are given, in their long form.
//!
//! The same tests as in `cargo test` (`tests/gateway`), with the bounds in the environment.

use anyhow::{Result, ensure};

use crate::plugins::{cargo, root};

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Requests through the proxy, for 64 accounts of four types.
    #[arg(long, default_value_t = 200_000)]
    requests: u32,
    /// Kills in the midst of writes.
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Build as a release is built.
    #[arg(long)]
    release: bool,
}

/// The names of the tests begin with these.
const TESTS: [&str; 2] = ["soak::", "kills::"];

/// Runs both to their end, one after the other: the memory of one is not to be blamed on the other.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let status = cargo(root())
        .args(["test", "--quiet", "--locked", "--package", "countersign-cli", "--test", "gateway"])
        .args(arguments.release.then_some("--release"))
        .args(["--", "--nocapture", "--test-threads", "1"])
        .args(TESTS)
        .env("SOAK_REQUESTS", arguments.requests.to_string())
        .env("SOAK_ROUNDS", arguments.rounds.to_string())
        .status()?;
    ensure!(status.success(), "the soak ended with {status}");
    Ok(())
}
