//! A component that carries an interpreter, under each way that its instances can be made, beside
//! BEARER in the same rounds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use countersign::Sandbox;
use countersign::bench::{Call, NAME};
use countersign::sandbox::{Chosen, Limits};
use serde::Serialize;

use crate::accounts;
use crate::measure::{Spread, Thing, rounds};

/// Which component, and how to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The component, as `countersign plugin build` leaves it
    component: PathBuf,
    /// What it is asked with: `account/key_id=key-7`; may be given several times
    #[arg(long = "value", value_name = "NAME=TEXT", value_parser = value)]
    values: Vec<(String, String)>,
    /// Rounds: the samples of each number
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Keep compiled code here, so that the next run begins at once
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
}

fn value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or("NAME=TEXT is wanted")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

/// A change to what is shipped.
type Change = fn(&mut Limits);

const VARIANTS: [(&str, Change); 10] = [
    ("as shipped", |_| {}),
    ("pool, copy-on-write, nothing kept", |limits| {
        keep(limits, 0, 0, false);
    }),
    ("pool, copy-on-write, 4 warm slots", |limits| keep(limits, 4, 0, false)),
    ("pool, copy-on-write, 4 warm, first 1 MiB kept", |limits| keep(limits, 4, 1, false)),
    ("pool, copy-on-write, 4 warm, 2 MiB written kept", |limits| keep(limits, 4, 2, true)),
    ("pool, copy-on-write, 4 warm, 8 MiB written kept", |limits| keep(limits, 4, 8, true)),
    ("pool, copied, nothing kept", |limits| {
        keep(limits, 0, 0, false);
        limits.copy_on_write = false;
    }),
    ("pool, copied, 32 MiB kept", |limits| {
        keep(limits, 4, 32, false);
        limits.copy_on_write = false;
    }),
    ("no pool, copy-on-write", |limits| limits.pooled = false),
    ("no pool, copied", |limits| {
        limits.pooled = false;
        limits.copy_on_write = false;
    }),
];

fn keep(limits: &mut Limits, warm: u32, mebibytes: usize, written: bool) {
    limits.copy_on_write = true;
    limits.warm_slots = warm;
    limits.kept_memory = mebibytes << 20;
    limits.kept_table = if mebibytes == 0 { 0 } else { 64 << 10 };
    limits.keep_written = written;
}

/// One variant.
#[derive(Serialize)]
struct Measured {
    name: &'static str,
    /// Microseconds of a fresh call.
    micros: Spread,
    /// How many times that of BEARER.
    ratio: f64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let plain = Arc::new(Sandbox::new(Limits::default(), None)?);
    let accounts = runtime.block_on(accounts::all(&plain))?;
    let bearer = accounts.iter().find(|it| it.name == "bearer").context("no bearer")?;
    let component = std::fs::read(&options.component)
        .with_context(|| options.component.display().to_string())?;
    let mut calls = Vec::new();
    for (_, change) in VARIANTS {
        let mut limits = Limits::interpreted();
        change(&mut limits);
        let sandbox = sandbox(limits, options.cache.as_deref())?;
        calls.push(bearer.call.of_values(&sandbox, &component, options.values.clone())?);
    }
    let all: Vec<&Call> = std::iter::once(&*bearer.call).chain(&calls).collect();
    let all: [&Call; VARIANTS.len() + 1] = all.try_into().ok().context("one a variant")?;
    for call in all {
        ensure!(call.fresh()? > 0, "it has no edits");
    }
    let things = all.map(|call| Thing::new(|| Ok(call.fresh().map(drop)?)));
    let [bearer, spreads @ ..] = rounds(options.rounds, things)?;
    let measured = VARIANTS.iter().zip(spreads).map(|(&(name, _), micros)| {
        let ratio = micros.p50 / bearer.p50;
        Measured { name, micros, ratio }
    });
    let own = Measured { name: "BEARER", micros: bearer, ratio: 1.0 };
    let measured: Vec<Measured> = std::iter::once(own).chain(measured).collect();
    if options.json {
        crate::say(&serde_json::to_string_pretty(&measured)?);
    } else {
        crate::say(&table(&measured)?);
    }
    Ok(())
}

fn sandbox(limits: Limits, cache: Option<&Path>) -> Result<Arc<Sandbox>> {
    let cache = cache.map(std::path::absolute).transpose()?;
    let sandbox = Sandbox::new(Limits::default(), cache.as_deref())?;
    Ok(Arc::new(sandbox.with_interpreted(limits, vec![Chosen::Name(NAME.to_owned())])))
}

fn table(measured: &[Measured]) -> Result<String> {
    let mut text =
        "Microseconds of a fresh call: median (p10 to p90) of the batches' means.\n".to_owned();
    for Measured { name, micros, ratio } in measured {
        writeln!(text, "  {name:<50}{:>32}{ratio:>8.2}", micros.to_string())?;
    }
    Ok(text)
}
