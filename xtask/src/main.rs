//! `cargo xtask`: what the project does to itself.

mod plugins;

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
    /// Builds the bundled plugins from source.
    Plugins(plugins::Arguments),
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Plugins(arguments) => plugins::run(&arguments),
    }
}
