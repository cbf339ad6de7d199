//! The log, on standard error.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::arguments::Global;
use crate::config::{Filter, Format};
use crate::traces::Traces;

/// Where the span of a request is made, which names its id.
const REQUESTS: &str = "countersign_gateway::trace=warn";

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
    /// Begins to log, and to export spans where there are traces.
    pub(crate) fn open(filter: &Filter, format: Format, traces: Option<&Traces>) -> Self {
        let (filter, handle) = reload::Layer::new(directives(filter));
        let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
        let lines = match format {
            Format::Text => lines.boxed(),
            Format::Json => lines.json().flatten_event(true).boxed(),
        };
        let registry = tracing_subscriber::registry();
        let _ = match traces {
            // What is not logged is not made.
            None => registry.with(lines.and_then(filter)).try_init(),
            // What is not logged may be exported.
            Some(traces) => {
                registry.with(lines.with_filter(filter)).with(traces.layer()).try_init()
            }
        };
        Self(handle)
    }

    /// From now on this is logged.
    pub(crate) fn set(&self, filter: &Filter) {
        // Fails only where nothing is logged at all.
        let _ = self.0.reload(directives(filter));
    }
}

/// Whoever asks for the lines of one library alone is told whose request they are of. Where nothing
/// but errors is logged, requests cost no span.
fn directives(filter: &Filter) -> EnvFilter {
    let filter = EnvFilter::builder().parse_lossy(&filter.0);
    let errors_alone = filter.max_level_hint().is_some_and(|most| most <= LevelFilter::ERROR);
    match REQUESTS.parse() {
        Ok(requests) if !errors_alone => filter.add_directive(requests),
        _ => filter,
    }
}
