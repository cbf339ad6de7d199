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
mod signals;
mod tls;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::clock::SystemClock;
use countersign::random::SystemRandom;
use countersign_gateway::{Gateway, Parts, Server};
use countersign_vault::Follows as _;
use countersign_vault::cache::CachedStore;
use tokio::time::timeout;

use crate::codes;
use crate::config::{self, Layers, Loaded};
use crate::failure::Failure;
use crate::host::{self, Host};
use crate::log::Valve;
use crate::output::Output;
use crate::traces::Traces;

pub(crate) use data::{failed, make_key, open};

use changes::Changes;
use signals::Signals;
use tls::Tls;
use watch::Watch;

/// For the database to be closed by those who still use it.
const CLOSING: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
pub(crate) fn run(layers: Layers, output: &Output) -> Result<ExitCode, Failure> {
    let loaded = layers.load().map_err(|problems| config::refused(&problems))?;
    let runtime = host::runtime()?;
    let traces = Traces::start(&loaded.settings.traces, runtime.handle())?;
    let log = &loaded.settings.log;
    let valve = Valve::open(&log.filter, log.format, traces.as_ref());
    let served = runtime.block_on(serve(layers, loaded, valve, output));
    if let Some(traces) = traces {
        traces.close();
    }
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
    let tls = loaded.tls().map(|(certificate, key)| Tls::load(certificate, key)).transpose()?;
    let (vault, lock) = data::begin(&loaded).await?;
    let vault = Arc::new(vault);
    // What changes from here on is noticed.
    let watch = Watch::new(loaded.plugins());
    let parts = loaded.clone();
    let loading = tokio::task::spawn_blocking(move || parts::host(&parts));
    let host = loading.await.map_err(|_| stopped("loading the plugins"))??;
    let Host { sandbox, registry: plugins } = host;
    let following = vault.follow().await.map_err(|error| data::failed(&error))?;
    let mut limits = parts::limits(&loaded.settings.limits);
    limits.traces = loaded.settings.traces.endpoint.is_some();
    let store = CachedStore::new(Arc::clone(&vault) as _, &following, limits.cached_states());
    let client = parts::client(&loaded, sandbox, plugins, Arc::new(store))?;
    let gateway = Gateway::new(Parts {
        vault: Arc::clone(&vault) as _,
        following,
        host: client.clone(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        settings: limits,
        audit: Some(loaded.data.clone()),
        public_url: public_url(&loaded),
    });
    let gateway = gateway.map_err(|error| Failure::new(codes::HOST_UNUSABLE, error.to_string()))?;
    let server_config = tls.as_ref().map(Tls::config).transpose()?;
    let listen = loaded.settings.server.listen;
    let cannot_listen = |error: std::io::Error| {
        Failure::new(codes::LISTEN_FAILED, format!("{listen}: {error}")).at("listen")
    };
    let server =
        Server::bind(listen, server_config, gateway.clone()).await.map_err(cannot_listen)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = format!("{scheme}://{}", server.address().map_err(cannot_listen)?);
    let public = public_url(&loaded).unwrap_or_else(|| address.clone());
    first_client::see_to_one(&vault, &public, output).await?;
    drop(lock);

    let signals = Signals::listen().map_err(|_| stopped("waiting for signals"))?;
    let grace = loaded.settings.drain.grace;
    let (stop, changed) = signals.split();
    let changes = Changes::new(layers, loaded, valve, tls, watch, client.clone(), gateway.clone());
    let changes = tokio::spawn(changes.follow(changed));
    tracing::info!(address, millis = began.elapsed().as_millis(), "ready");
    // Nobody may be reading, which is no reason not to serve.
    let _ = output.text(&format!("listening on {address}\n"));
    server.run(stop.first(), grace).await;
    changes.abort();
    client.drain().await;
    gateway.close().await;
    if timeout(CLOSING, vault.close()).await.is_err() {
        tracing::warn!("the database was still in use at the end");
    }
    tracing::info!("stopped");
    Ok(())
}

fn public_url(loaded: &Loaded) -> Option<String> {
    let url = loaded.settings.server.public_url.as_ref()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn stopped(what: &str) -> Failure {
    Failure::new(codes::HOST_UNUSABLE, format!("{what} failed"))
}
