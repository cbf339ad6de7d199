//! The log, on standard error.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::arguments::Global;
use crate::config::{Filter, Format};

/// Begins to log what the command line asks for, else `default`.
pub(crate) fn start(global: &Global, default: &str) {
    let filter = global.filter().unwrap_or(default);
    // A part of the filter that cannot be read is left out, and named on standard error.
    let filter = EnvFilter::builder().parse_lossy(filter);
    // Fails only where a subscriber is there already, which then goes on.
    let _ = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}

/// Changes what a running server logs.
#[derive(Clone)]
pub(crate) struct Valve(reload::Handle<EnvFilter, Registry>);

impl Valve {
    /// Begins to log.
    pub(crate) fn open(filter: &Filter, format: Format) -> Self {
        let (filter, handle) = reload::Layer::new(EnvFilter::builder().parse_lossy(&filter.0));
        let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
        let registry = tracing_subscriber::registry().with(filter);
        let _ = match format {
            Format::Text => registry.with(lines).try_init(),
            Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        };
        Self(handle)
    }

    /// From now on this is logged.
    pub(crate) fn set(&self, filter: &Filter) {
        // Fails only where nothing is logged at all.
        let _ = self.0.reload(EnvFilter::builder().parse_lossy(&filter.0));
    }
}
