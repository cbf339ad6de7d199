//! `cargo xtask`: what the project does to itself.

mod bench;
mod check;
mod contract;
mod dist;
mod plugins;
mod soak;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds and checks what `cargo build` alone does not.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measures what a plugin call costs.
    Bench(bench::Arguments),
    /// Checks what `cargo test` cannot, because it needs more than stable Rust.
    Check(check::Arguments),
    /// Holds the contract to what was recorded of it.
    Contract(contract::Arguments),
    /// Builds the command as it is shipped: compiled and laid out by what it does all day.
    Dist(dist::Arguments),
    /// Builds the bundled plugins from source.
    Plugins(plugins::Arguments),
    /// Runs the long forms of the gateway's tests: kills, and many accounts at once.
    Soak(soak::Arguments),
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Check(arguments) => check::run(&arguments),
        Task::Contract(arguments) => contract::run(&arguments),
        Task::Dist(arguments) => dist::run(&arguments),
        Task::Plugins(arguments) => plugins::run(&arguments),
        Task::Soak(arguments) => soak::run(&arguments),
    }
}
