//! The settings of the instance pool: what each is worth, beside what is shipped, in one run.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use countersign::Sandbox;
use countersign::bench::Call;
use countersign::sandbox::Limits;
use serde::Serialize;

use crate::accounts::Measured;
use crate::many;
use crate::measure::{Spread, Thing, rounds};

/// A change to what is shipped.
type Change = fn(&mut Limits);

const VARIANTS: [(&str, Change); 7] = [
    ("as shipped", |_| {}),
    ("copy-on-write", |limits| limits.copy_on_write = true),
    ("100 warm slots", |limits| limits.warm_slots = 100),
    ("copy-on-write, 100 warm slots", |limits| {
        limits.copy_on_write = true;
        limits.warm_slots = 100;
    }),
    ("memory kept: 0", |limits| limits.kept_memory = 0),
    ("memory kept: 1 MiB", |limits| limits.kept_memory = 1 << 20),
    ("tables kept: 0", |limits| limits.kept_table = 0),
];

/// One variant.
#[derive(Serialize)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// Microseconds of a fresh BEARER call, over and over.
    pub(crate) alone: Spread,
    /// The same where many plugins are called in turn.
    pub(crate) in_turn: Spread,
}

pub(crate) fn measure(bearer: &Measured, plugins: usize, count: usize) -> Result<Vec<Setting>> {
    let loaded = VARIANTS
        .iter()
        .map(|(_, change)| load(bearer, *change, plugins))
        .collect::<Result<Vec<Vec<Call>>>>()?;
    let loaded: [Vec<Call>; VARIANTS.len()] =
        loaded.try_into().ok().context("as many as there are variants")?;
    let alone = loaded.each_ref().map(|calls| Thing::new(|| Ok(calls[0].fresh().map(drop)?)));
    let alone = rounds(count, alone)?;
    let in_turn = loaded.each_ref().map(|calls| {
        Thing::new(|| calls.iter().try_for_each(|call| Ok(call.fresh().map(drop)?))).of(calls.len())
    });
    let in_turn = rounds(count, in_turn)?;
    let settings = VARIANTS.iter().zip(alone).zip(in_turn);
    Ok(settings.map(|((&(name, _), alone), in_turn)| Setting { name, alone, in_turn }).collect())
}

fn load(bearer: &Measured, change: Change, plugins: usize) -> Result<Vec<Call>> {
    let mut limits = Limits::default();
    change(&mut limits);
    let sandbox = Arc::new(Sandbox::new(limits, None)?);
    (0..plugins.max(1)).map(|nth| many::load(bearer, &sandbox, "", nth)).collect()
}
