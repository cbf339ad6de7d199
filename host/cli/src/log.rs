//! The log, on standard error.

use tracing_subscriber::EnvFilter;

use crate::arguments::Global;

/// Begins to log what the command line asks for, else `default`.
pub(crate) fn start(global: &Global, default: &str) {
    let filter = match (&global.log, global.verbose) {
        (Some(filter), _) => filter.as_str(),
        (None, 0) => default,
        (None, 1) => "info",
        (None, 2) => "debug",
        (None, _) => "trace",
    };
    // A part of the filter that cannot be read is left out, and named on standard error.
    let filter = EnvFilter::builder().parse_lossy(filter);
    // Fails only where a subscriber is there already, which then goes on.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}
