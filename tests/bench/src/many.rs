//! Many different plugins: called in turn, and resident.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use countersign::Sandbox;
use countersign::bench::Call;
use serde::Serialize;
use wasm_encoder::{Component, CustomSection};

use crate::accounts::Measured;
use crate::measure::{Spread, Thing, rounds};

/// Loaded before memory is first looked at, so that what the compiler keeps for itself is there.
const FIRST: usize = 20;

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Many {
    pub(crate) plugins: usize,
    /// Microseconds of one call, where each of the plugins is called in turn.
    pub(crate) in_turn: Spread,
    /// The same call to one of them over and over, in the same rounds.
    pub(crate) alone: Spread,
    /// Bytes of the component's file.
    pub(crate) component_bytes: usize,
    /// KiB that became resident for each that was loaded.
    pub(crate) resident_kib: f64,
}

/// Loads copies of BEARER that no host can tell are copies, and calls them.
pub(crate) fn measure(
    bearer: &Measured,
    sandbox: &Arc<Sandbox>,
    plugins: usize,
    count: usize,
) -> Result<Many> {
    for nth in 0..FIRST {
        load(bearer, sandbox, "first", nth)?;
    }
    let before = resident_kib()?;
    let calls: Vec<Call> =
        (0..plugins).map(|nth| load(bearer, sandbox, "", nth)).collect::<Result<_>>()?;
    let after = resident_kib()?;
    let [in_turn, alone] = in_turn_and_alone(&calls, count)?;
    Ok(Many {
        plugins,
        in_turn,
        alone,
        component_bytes: component("", 0)?.len(),
        resident_kib: (after - before) / f64::from(u32::try_from(plugins.max(1))?),
    })
}

/// What calling each once in a batch costs, and one of them as often.
pub(crate) fn in_turn_and_alone(calls: &[Call], count: usize) -> Result<[Spread; 2]> {
    let first = calls.first().context("no plugins")?;
    let in_turn = Thing::new(|| {
        for call in calls {
            call.fresh()?;
        }
        Ok(())
    });
    rounds(count, [in_turn.of(calls.len()), Thing::new(|| Ok(first.fresh().map(drop)?))])
}

pub(crate) fn load(
    bearer: &Measured,
    sandbox: &Arc<Sandbox>,
    name: &str,
    nth: usize,
) -> Result<Call> {
    Ok(bearer.call.of_component(sandbox, &component(name, nth)?)?)
}

/// BEARER with a section more, so that its digest is its own.
fn component(name: &str, nth: usize) -> Result<Vec<u8>> {
    let all = countersign_bundle::components();
    let bearer = all.iter().find(|it| it.name == "bearer").context("no bearer")?;
    let name = format!("bench:{name}{nth}");
    let section = CustomSection { name: name.as_str().into(), data: [].as_slice().into() };
    let mut alone = Component::new();
    alone.section(&section);
    let mut bytes = bearer.bytes.to_vec();
    bytes.extend_from_slice(&alone.finish()[Component::HEADER.len()..]);
    Ok(bytes)
}

fn resident_kib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
