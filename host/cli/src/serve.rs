//! `countersign serve`: the gateway as a process.
//!
//! It begins with nothing but a place to keep its data, and ends in order: on SIGTERM or SIGINT it
//! accepts nothing more, lets what is under way finish within the grace, waits for renewals, and
//! closes the vault. Once `listening on …` stands on standard output, requests are answered. On `Err`
//! nothing was served.

mod changes;
mod data;
mod first_client;
mod parts;
mod serving;
mod signals;
mod tls;
mod watch;

use std::process::ExitCode;
use std::time::Instant;

use crate::codes;
use crate::config::{self, Layers, Loaded};
use crate::failure::Failure;
use crate::host;
use crate::log::Valve;
use crate::output::Output;
use crate::traces::Traces;

pub(crate) use data::{failed, make_key, open};
pub(crate) use first_client::make as make_client;
pub(crate) use serving::Serving;
pub(crate) use signals::Signals;

use changes::Changes;
use serving::Beginning;

/// Serves until it is told to stop.
pub(crate) fn run(layers: Layers, output: &Output) -> Result<ExitCode, Failure> {
    let loaded = layers.load().map_err(|problems| config::refused(&problems))?;
    let runtime = host::runtime_of(loaded.settings.server.threads.map(|it| it.0))?;
    let traces = Traces::start(&loaded.settings.traces, runtime.handle())?;
    let log = &loaded.settings.log;
    let valve = Valve::open(&log.filter, log.format, traces.as_ref());
    let served = runtime.block_on(async {
        let served = serve(layers, loaded, valve, output).await;
        if let Some(traces) = traces {
            traces.close().await;
        }
        served
    });
    // A plugin that is being compiled would be waited for otherwise.
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve(
    layers: Layers,
    loaded: Loaded,
    valve: Valve,
    output: &Output,
) -> Result<(), Failure> {
    let began = Instant::now();
    let (serving, Beginning { lock, watch, tls }) = Serving::begin(&loaded).await?;
    let address = serving.address.clone();
    let public = public_url(&loaded).unwrap_or_else(|| address.clone());
    first_client::see_to_one(&serving.vault, &public, output).await?;
    drop(lock);

    let signals = Signals::listen().map_err(|_| stopped("waiting for signals"))?;
    let grace = loaded.settings.drain.grace;
    let (stop, changed) = signals.split();
    let (client, gateway) = (serving.client.clone(), serving.gateway.clone());
    let changes = Changes::new(layers, loaded, valve, tls, watch, client, gateway);
    let changes = tokio::spawn(changes.follow(changed));
    tracing::info!(address, millis = began.elapsed().as_millis(), "ready");
    // Nobody may be reading, which is no reason not to serve.
    let _ = output.text(&format!("listening on {address}\n"));
    let stop = async {
        stop.first().await;
        changes.abort();
    };
    serving.run(stop, grace).await;
    Ok(())
}

fn public_url(loaded: &Loaded) -> Option<String> {
    let url = loaded.settings.server.public_url.as_ref()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn stopped(what: &str) -> Failure {
    Failure::new(codes::HOST_UNUSABLE, format!("{what} failed"))
}
