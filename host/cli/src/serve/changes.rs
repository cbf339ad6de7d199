//! What changes while the server runs: plugins, the certificate, the configuration.
//!
//! SIGHUP has all of them read anew. A configuration with anything wrong leaves the old one in force,
//! whole, and the log says why; what a running server cannot take is named in a warning. Plugins and
//! the certificate are read in any case.

use std::sync::Arc;
use std::time::Duration;

use countersign::Registry;
use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use super::tls::Tls;
use super::watch::Watch;
use crate::config::{Layers, Loaded};
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
    registry: Arc<Registry>,
    watch: Watch,
}

impl Changes {
    pub(super) fn new(
        layers: Layers,
        loaded: Loaded,
        valve: Valve,
        tls: Option<Tls>,
        registry: Arc<Registry>,
        watch: Watch,
    ) -> Self {
        let files = files(&loaded);
        Self { layers, loaded, files, valve, tls, registry, watch }
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
                    self.watch.look(&self.registry);
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
        match self.layers.load() {
            Ok(next) => self.take(next),
            Err(problems) => {
                for problem in problems {
                    let problem = problem.to_line();
                    tracing::error!(problem, "the configuration is refused; the old one goes on");
                }
            }
        }
        if let (Some(tls), Some((certificate, key))) = (&self.tls, self.loaded.tls())
            && let Err(failure) = tls.replace(certificate, key)
        {
            tracing::error!(problem = failure.message(), "the certificate stays as it was");
        }
        self.watch.reload(&self.registry);
        tracing::info!("reloaded");
    }

    /// Takes what a running server can.
    fn take(&mut self, next: Loaded) {
        let (old, new) = (self.loaded.settings.rows(), next.settings.rows());
        let pairs = old.iter().zip(&new).filter(|(old, new)| old.value != new.value && !old.live);
        let mut waiting: Vec<&str> = pairs.map(|(old, _)| old.key.as_str()).collect();
        if self.loaded.data != next.data && !waiting.contains(&"data") {
            waiting.push("data");
        }
        if self.loaded.tls().is_some() == next.tls().is_some() {
            self.loaded.settings.tls = next.settings.tls.clone();
        } else {
            waiting.extend(["tls.certificate", "tls.key"]);
        }
        for ((key, old), (_, new)) in self.files.iter().zip(files(&next)) {
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
        self.valve.set(&next.settings.log.filter);
        self.loaded.settings.log.filter = next.settings.log.filter;
    }
}

/// Those that are read once, with what they hold.
fn files(loaded: &Loaded) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let read = |path: &std::path::PathBuf| std::fs::read(path).ok();
    let authorities = loaded.settings.egress.upstream_ca.iter();
    let mut files = vec![("policy", loaded.settings.server.policy.as_ref().and_then(read))];
    files.extend(authorities.map(|path| ("egress.upstream_ca", read(path))));
    files
}
