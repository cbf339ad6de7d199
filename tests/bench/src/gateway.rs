//! What a proxied request costs, beside nginx putting a static header on the same requests, and beside
//! a proxy of the same libraries that does nothing else ([`bare`]).
//!
//! The proxies run on one core, one at a time and in turns; the load (wrk) and the upstream (another
//! nginx) on the other. A request names one of so many accounts, drawn uniformly; each was asked for once
//! before, so that answers are remembered. What is compared
//! is the time that the proxy's process had the core, per request, since that does not depend on
//! how fast the other core is; latencies are those that wrk saw under the same number of connections.
//! Ratios are taken within each round, as a machine with other work changes from one to the next.

pub(crate) mod bare;
mod load;
pub(crate) mod process;
pub(crate) mod seed;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use tempfile::TempDir;

use load::Load;
use process::{Bare, Countersign, Nginx};

/// How to measure, and how to tell.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Numbers of accounts that requests are drawn from, measured one after the other
    #[arg(long, value_delimiter = ',', default_value = "1000,100000")]
    accounts: Vec<usize>,
    /// Rounds: the samples of each number
    #[arg(long, default_value_t = 15)]
    rounds: u64,
    /// Seconds of load in a round, for each proxy
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Connections that the load keeps busy
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// The gateway's program
    #[arg(long, value_name = "FILE")]
    countersign: PathBuf,
    /// Further settings of the gateway: `limits.cached_accounts=20000`, its default, shows what it costs
    /// where there is no room for all accounts, which there otherwise is here
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
}

/// What one proxy took in one round.
#[derive(Clone, Copy, Serialize)]
struct Sample {
    /// Microseconds of the core for each request.
    cpu: f64,
    /// Requests a second.
    rate: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
}

#[derive(Serialize)]
struct Report {
    accounts: usize,
    /// Bytes that the gateway's process has resident after the load.
    resident: u64,
    nginx: Vec<Sample>,
    bare: Vec<Sample>,
    countersign: Vec<Sample>,
}

/// Measures for each number of accounts.
pub(crate) fn run(options: &Options) -> Result<()> {
    for tool in ["nginx", "wrk", "taskset"] {
        ensure!(process::is_there(tool), "this bench needs {tool}: install Debian's package of it");
    }
    ensure!(
        options.countersign.is_file(),
        "{} is not there: `cargo xtask bench gateway` builds and names it",
        options.countersign.display()
    );
    let mut reports = Vec::new();
    for &accounts in &options.accounts {
        reports.push(measure(options, accounts)?);
    }
    if options.json {
        crate::say(&serde_json::to_string(&reports)?);
    } else {
        crate::say(&reports.iter().map(table).collect::<String>());
    }
    Ok(())
}

fn measure(options: &Options, accounts: usize) -> Result<Report> {
    let folder = TempDir::new()?;
    let upstream = Nginx::upstream(folder.path())?;
    let peer = Nginx::peer(folder.path(), upstream.port, accounts)?;
    let bare = Bare::start(upstream.port, accounts)?;
    let mut set = vec![format!("limits.cached_accounts={}", accounts + accounts / 4)];
    set.extend(options.set.iter().cloned());
    let gateway = Countersign::start(&options.countersign, folder.path(), &set)?;
    let runtime = tokio::runtime::Runtime::new()?;
    tell(options, &format!("{accounts} accounts: making them"));
    let token = runtime.block_on(seed::fill(gateway.port, upstream.port, accounts))?;
    let load = Load::new(folder.path(), accounts, &token, options)?;
    tell(options, &format!("{accounts} accounts: asking for each once"));
    for port in [peer.port, bare.port, gateway.port] {
        load.warm(port)?;
    }
    let (mut nginx, mut of_bare, mut countersign) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        tell(options, &format!("{accounts} accounts: round {round} of {}", options.rounds));
        nginx.push(sample(&load, peer.port, peer.id(), round)?);
        of_bare.push(sample(&load, bare.port, bare.id(), round)?);
        countersign.push(sample(&load, gateway.port, gateway.id(), round)?);
    }
    let resident = process::resident(gateway.id())?;
    Ok(Report { accounts, resident, nginx, bare: of_bare, countersign })
}

fn sample(load: &Load, port: u16, process: u32, round: u64) -> Result<Sample> {
    let before = process::cpu(process)?;
    let seen = load.run(port, round)?;
    let took = process::cpu(process)?.saturating_sub(before);
    ensure!(seen.failed == 0, "{} of {} requests failed", seen.failed, seen.requests);
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let cpu = took.as_secs_f64() * 1e6 / seen.requests as f64;
    Ok(Sample { cpu, rate: seen.rate, p50: seen.p50, p99: seen.p99 })
}

fn table(report: &Report) -> String {
    let Report { accounts, resident, nginx, bare, countersign } = report;
    format!(
        "{accounts} accounts: CPU per request in us, median (least to most) of the rounds; latency in ms\n\
         {}{}{}  of nginx: bare {}, countersign {}; countersign of bare: {}; {} MiB resident\n\n",
        line("nginx", nginx),
        line("bare", bare),
        line("countersign", countersign),
        ratio(bare, nginx),
        ratio(countersign, nginx),
        ratio(countersign, bare),
        resident >> 20
    )
}

/// How much more one took than another in the same round.
fn ratio(samples: &[Sample], others: &[Sample]) -> String {
    let ratios: Vec<f64> =
        samples.iter().zip(others).map(|(it, other)| it.cpu / other.cpu).collect();
    let (least, most) = extremes(&ratios);
    format!("{:.2} ({least:.2} to {most:.2})", median(ratios))
}

fn line(name: &str, samples: &[Sample]) -> String {
    let middle = |of: fn(&Sample) -> f64| median(samples.iter().map(of).collect());
    let (least, most) = extremes(&samples.iter().map(|it| it.cpu).collect::<Vec<_>>());
    format!(
        "  {name:<11}  {:>5.1} ({least:.1} to {most:.1}), {:.0} requests/s, p50 {:.2}, p99 {:.2}\n",
        middle(|it| it.cpu),
        middle(|it| it.rate),
        middle(|it| it.p50),
        middle(|it| it.p99),
    )
}

fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::MAX, 0.0), |(least, most), it| (least.min(*it), most.max(*it)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A port that nobody has just now.
fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Progress, which is not part of the answer.
#[expect(clippy::print_stderr, reason = "a command's progress")]
fn tell(options: &Options, what: &str) {
    if !options.json {
        eprintln!("{what}");
    }
}
