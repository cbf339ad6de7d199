//! One plugin: what a call costs, from the plain function to a whole request.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::Bytes;
use countersign::bench::{self, Remembered};
use countersign_plugin::{Account, Context};
use http::Request;
use http_body_util::Empty;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::accounts::Measured;
use crate::measure::{Spread, Thing, rounds};

/// What was measured for one plugin, in microseconds.
#[derive(Serialize)]
pub(crate) struct Calls {
    pub(crate) plugin: &'static str,
    /// Names and values that the plugin is shown.
    pub(crate) strings: usize,
    pub(crate) native: Spread,
    pub(crate) store: Spread,
    pub(crate) instance: Spread,
    pub(crate) reused: Spread,
    pub(crate) fresh: Spread,
    pub(crate) pooled: Spread,
    pub(crate) remembered: Spread,
    pub(crate) applied: Spread,
    pub(crate) prepare_remembered: Spread,
    pub(crate) prepare_asked: Spread,
}

/// Measures it all in the same rounds.
pub(crate) fn measure(measured: &Measured, runtime: &Runtime, count: usize) -> Result<Calls> {
    let Measured { name, host, subject, forgetful, call, native } = measured;
    let values = call.values().to_vec();
    let strings = 2 * values.len();
    let account = Account { values, memo: Vec::new() };
    let context = Context::fixed(0, 0);
    let mut kept = call.keep()?;
    let mut remembered = runtime.block_on(Remembered::new(host, subject, request()))?;
    let applied = runtime.block_on(Remembered::new(host, subject, request()))?;
    let spreads = rounds(
        count,
        [
            Thing::new(|| {
                ensure!(black_box(native(&context, black_box(&account))).is_ok(), "refused");
                Ok(())
            }),
            Thing::new(|| {
                call.store();
                Ok(())
            }),
            Thing::new(|| Ok(call.instance()?)),
            Thing::new(|| Ok(kept.again().map(drop)?)),
            Thing::new(|| Ok(call.fresh().map(drop)?)),
            // On a thread of the runtime, as a request is.
            Thing::batch(|times| {
                let call = Arc::clone(call);
                runtime.block_on(runtime.spawn(async move {
                    for _ in 0..times {
                        call.pooled().await?;
                    }
                    Ok(())
                }))?
            }),
            Thing::batch(|times| {
                runtime.block_on(async {
                    for _ in 0..times {
                        remembered.lookup().await?;
                    }
                    Ok(())
                })
            }),
            Thing::new(|| Ok(applied.apply()?)),
            Thing::batch(|times| {
                runtime.block_on(async {
                    for _ in 0..times {
                        black_box(host.prepare(subject, request()).await?);
                    }
                    Ok(())
                })
            }),
            Thing::batch(|times| {
                let (host, subject) = (host.clone(), Arc::clone(forgetful));
                runtime.block_on(runtime.spawn(async move {
                    for _ in 0..times {
                        bench::forget(&subject);
                        black_box(host.prepare(&subject, request()).await?);
                    }
                    Ok(())
                }))?
            }),
        ],
    )?;
    let [native, store, instance, reused, fresh, pooled, remembered, applied, rest @ ..] = spreads;
    let [prepare_remembered, prepare_asked] = rest;
    Ok(Calls {
        plugin: name,
        strings,
        native,
        store,
        instance,
        reused,
        fresh,
        pooled,
        remembered,
        applied,
        prepare_remembered,
        prepare_asked,
    })
}

/// What a client library sends.
fn request() -> Request<Empty<Bytes>> {
    let request = Request::get("/v1/tickets?page=2&per_page=50")
        .header("accept", "application/json")
        .header("user-agent", "client/1.0")
        .header("x-request-id", "4f9d2c7a");
    request.body(Empty::new()).unwrap_or_default()
}
