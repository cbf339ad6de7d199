//! A gateway that listens: all of it that begins and ends together.
//!
//! On `Ok` of [`Serving::begin`] the vault is open, the plugins are loaded and the address is taken;
//! nothing is answered yet. Once [`Serving::run`] ends, nothing is under way and the vault is closed.

use std::sync::Arc;
use std::time::Duration;

use countersign::Countersign;
use countersign::clock::SystemClock;
use countersign::random::SystemRandom;
use countersign_gateway::{Gateway, Parts, Server};
use countersign_vault::cache::CachedStore;
use countersign_vault::{Follows as _, SqlVault};
use tokio::time::timeout;

use super::data::{self, Lock};
use super::tls::Tls;
use super::watch::Watch;
use super::{parts, public_url, stopped};
use crate::codes;
use crate::config::Loaded;
use crate::failure::Failure;
use crate::host::Host;

/// For the database to be closed by those who still use it.
const CLOSING: Duration = Duration::from_secs(10);

/// A gateway that listens.
pub(crate) struct Serving {
    pub(crate) vault: Arc<SqlVault>,
    /// Its URL, by the address that it listens at.
    pub(crate) address: String,
    pub(super) client: Countersign,
    pub(super) gateway: Gateway,
    server: Server,
}

/// What is there beside it once it has begun.
pub(crate) struct Beginning {
    /// The folder is this start's alone until it is dropped.
    pub(super) lock: Lock,
    /// Notices what changes among the plugins since before they were loaded.
    pub(super) watch: Watch,
    pub(super) tls: Option<Tls>,
}

impl Serving {
    /// As this configuration says.
    pub(crate) async fn begin(loaded: &Loaded) -> Result<(Self, Beginning), Failure> {
        let tls = loaded.tls().map(|(certificate, key)| Tls::load(certificate, key)).transpose()?;
        let (vault, lock) = data::begin(loaded).await?;
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
        let client = parts::client(loaded, sandbox, plugins, Arc::new(store))?;
        let gateway = Gateway::new(Parts {
            vault: Arc::clone(&vault) as _,
            following,
            host: client.clone(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            settings: limits,
            audit: Some(loaded.data.clone()),
            public_url: public_url(loaded),
        });
        let gateway =
            gateway.map_err(|error| Failure::new(codes::HOST_UNUSABLE, error.to_string()))?;
        let server_config = tls.as_ref().map(Tls::config).transpose()?;
        let listen = loaded.settings.server.listen;
        let cannot_listen = |error: std::io::Error| {
            Failure::new(codes::LISTEN_FAILED, format!("{listen}: {error}")).at("listen")
        };
        let server =
            Server::bind(listen, server_config, gateway.clone()).await.map_err(cannot_listen)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", server.address().map_err(cannot_listen)?);
        let serving = Self { vault, address, client, gateway, server };
        Ok((serving, Beginning { lock, watch, tls }))
    }

    /// Answers until `stop` ends, lets what is under way finish within `grace`, and ends in order.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>, grace: Duration) {
        let Self { vault, client, gateway, server, .. } = self;
        server.run(stop, grace).await;
        client.drain().await;
        gateway.close().await;
        if timeout(CLOSING, vault.close()).await.is_err() {
            tracing::warn!("the database was still in use at the end");
        }
        tracing::info!("stopped");
    }
}
