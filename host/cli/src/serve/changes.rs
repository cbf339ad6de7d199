//! What changes while the server runs: plugins, the certificate, the configuration.
//!
//! SIGHUP has all of them read anew. A configuration with anything wrong, in the policy's file as well,
//! leaves the old one in force, whole, and the log says why; what a running server cannot take is
//! named in a warning. Plugins and the certificate are read in any case. Once `reloaded` is logged,
//! every request that begins is under the new configuration.

use std::time::Duration;

use countersign::Countersign;
use countersign_gateway::Gateway;
use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use super::parts;
use super::tls::Tls;
use super::watch::Watch;
use crate::config::{Layers, Limits, Loaded};
use crate::log::Valve;

/// Between two looks at the plugin folder.
const LOOK: Duration = Duration::from_secs(1);

/// What is in force, and where more is to be had.
pub(super) struct Changes {
    layers: Layers,
    loaded: Loaded,
    /// What the files held that are read once, at the start.
    files: Vec<(&'static str, Option<Vec<u8>>)>,
    valve: Valve,
    tls: Option<Tls>,
    watch: Watch,
    client: Countersign,
    gateway: Gateway,
}

impl Changes {
    pub(super) fn new(
        layers: Layers,
        loaded: Loaded,
        valve: Valve,
        tls: Option<Tls>,
        watch: Watch,
        client: Countersign,
        gateway: Gateway,
    ) -> Self {
        let files = files(&loaded);
        Self { layers, loaded, files, valve, tls, watch, client, gateway }
    }

    /// Does whatever is told by `reload`, and looks at the folder, for as long as it is let.
    pub(super) async fn follow(mut self, mut reload: Signal) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let told = tokio::select! {
                _ = reload.recv() => true,
                _ = looks.tick() => false,
            };
            // Compiling takes its time.
            let done = tokio::task::spawn_blocking(move || {
                if told {
                    self.reload();
                } else {
                    self.watch.look(self.client.registry());
                }
                self
            });
            let Ok(after) = done.await else {
                tracing::error!("nothing is reloaded any more: start the server again");
                return;
            };
            self = after;
        }
    }

    fn reload(&mut self) {
        // First, since a policy may name what they answer to.
        self.watch.reload(self.client.registry());
        let taken = match self.layers.load() {
            Ok(next) => self.take(next),
            Err(problems) => {
                for problem in problems {
                    refuse(&problem.to_line());
                }
                false
            }
        };
        if let (Some(tls), Some((certificate, key))) = (&self.tls, self.loaded.tls())
            && let Err(failure) = tls.replace(certificate, key)
        {
            tracing::error!(problem = failure.message(), "the certificate stays as it was");
        }
        if taken {
            tracing::info!("reloaded");
        } else {
            tracing::warn!("plugins and the certificate were read anew, the configuration was not");
        }
    }

    /// Takes what a running server can; false where it takes nothing.
    fn take(&mut self, next: Loaded) -> bool {
        let known = self.client.registry().auth_types();
        let mut requests = match parts::requests(&next, &known) {
            Ok(requests) => requests,
            Err(failure) => {
                refuse(failure.message());
                return false;
            }
        };
        // The way out stays as it is, and with it whether http may leave.
        requests.target.http = self.loaded.settings.egress.allow_http_upstream;
        self.warn(&next);
        self.client.set_settings(requests);
        self.gateway.set_settings(parts::limits(&next.settings.limits));
        self.take_plugins(&next);
        self.valve.set(&next.settings.log.filter);
        self.keep(next);
        true
    }

    /// Names what has changed and cannot be taken.
    fn warn(&self, next: &Loaded) {
        let (old, new) = (self.loaded.settings.rows(), next.settings.rows());
        let pairs = old.iter().zip(&new).filter(|(old, new)| old.value != new.value && !old.live);
        let mut waiting: Vec<&str> = pairs.map(|(old, _)| old.key.as_str()).collect();
        if self.loaded.data != next.data && !waiting.contains(&"data") {
            waiting.push("data");
        }
        if self.loaded.tls().is_some() != next.tls().is_some() {
            waiting.extend(["tls.certificate", "tls.key"]);
        }
        for ((key, old), (_, new)) in self.files.iter().zip(files(next)) {
            if *old != new && !waiting.contains(key) {
                waiting.push(key);
            }
        }
        if !waiting.is_empty() {
            let keys = waiting.join(", ");
            tracing::warn!(
                keys,
                "these have changed, and take effect when the server is started again"
            );
        }
    }

    /// After the policy: a component that comes with a pin finds it there.
    fn take_plugins(&mut self, next: &Loaded) {
        let (old, new) = (&self.loaded.settings, &next.settings);
        let (pins, interpreted) = (&new.server.pins, &new.interpreted.plugins);
        if *pins == old.server.pins && *interpreted == old.interpreted.plugins {
            return;
        }
        let registry = self.client.registry();
        registry.set_pins(pins.iter().map(|pin| (pin.name.clone(), pin.digest)).collect());
        registry.set_interpreted(interpreted.clone());
        self.watch.reload(registry);
    }

    /// Notes what is in force now.
    fn keep(&mut self, next: Loaded) {
        let same = self.loaded.tls().is_some() == next.tls().is_some();
        let (kept, next) = (&mut self.loaded.settings, next.settings);
        if same {
            kept.tls = next.tls;
        }
        kept.log.filter = next.log.filter;
        kept.server.policy = next.server.policy;
        kept.server.pins = next.server.pins;
        kept.interpreted.plugins = next.interpreted.plugins;
        kept.requests = next.requests;
        let cached_accounts = kept.limits.cached_accounts;
        kept.limits = Limits { cached_accounts, ..next.limits };
    }
}

fn refuse(problem: &str) {
    tracing::error!(problem, "the configuration is refused; the old one goes on");
}

/// Those that are read once, with what they hold.
fn files(loaded: &Loaded) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let authorities = loaded.settings.egress.upstream_ca.iter();
    authorities.map(|path| ("egress.upstream_ca", std::fs::read(path).ok())).collect()
}
