//! What the sandbox and the gateway cost, measured in one run; `cargo xtask bench` builds and starts it.
//! Here too is what the gateway is given to do while its compiler's profile is taken (`training`).
//!
//! Everything that is compared is measured in turns, a short batch of each a round, so that what
//! else the machine does falls on all of them alike. The numbers of two runs differ by a third and
//! more on a machine with other work; their ratios do not.

mod accounts;
mod calls;
mod gateway;
mod interpreted;
mod many;
mod measure;
mod report;
mod settings;
mod training;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use countersign::Sandbox;
use countersign::sandbox::Limits;

/// As the command that is shipped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what Countersign costs.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// A call of BASIC, BEARER, API_KEY and OAUTH: fresh, reused, remembered, native; and many plugins.
    Sandbox(Options),
    /// A component that carries an interpreter, by how its instances are made.
    Interpreted(interpreted::Options),
    /// A proxied request, beside nginx with a static map of headers, and beside the bare libraries.
    Gateway(gateway::Options),
    /// One of the proxies that `gateway` measures.
    #[command(hide = true)]
    Bare(gateway::bare::Options),
    /// What a program that `cargo xtask dist` profiles is given to do.
    #[command(hide = true)]
    Training(training::Options),
}

/// How to measure, and how to tell.
#[derive(clap::Args)]
struct Options {
    /// Rounds: the samples of each number.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// How many different plugins are called in turn.
    #[arg(long, default_value_t = 300)]
    plugins: usize,
    /// Also the settings of the instance pool, each against what is shipped.
    #[arg(long)]
    settings: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    match Arguments::parse().bench {
        Bench::Sandbox(options) => sandbox(&options),
        Bench::Interpreted(options) => interpreted::run(&options),
        Bench::Gateway(options) => gateway::run(&options),
        Bench::Bare(options) => gateway::bare::run(&options),
        Bench::Training(options) => training::run(&options),
    }
}

fn sandbox(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let sandbox = Arc::new(Sandbox::new(Limits::default(), None).context("the sandbox")?);
    let accounts = runtime.block_on(accounts::all(&sandbox))?;
    let mut report = report::Report::default();
    for account in &accounts {
        tell(options, account.name);
        report.calls.push(calls::measure(account, &runtime, options.rounds)?);
    }
    let bearer = accounts.iter().find(|it| it.name == "bearer").context("no bearer")?;
    tell(options, "many plugins");
    report.many = Some(many::measure(bearer, &sandbox, options.plugins, options.rounds)?);
    if options.settings {
        tell(options, "settings of the pool");
        report.settings = settings::measure(bearer, options.plugins, options.rounds)?;
    }
    if options.json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        say(&report.to_string());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command's answer")]
fn say(text: &str) {
    println!("{text}");
}

/// Progress, which is not part of the answer.
#[expect(clippy::print_stderr, reason = "a command's progress")]
fn tell(options: &Options, what: &str) {
    if !options.json {
        eprintln!("measuring {what} …");
    }
}
