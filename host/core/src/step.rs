//! Steps of a request in its trace: calls of plugins, renewals, exchanges with upstreams.
//!
//! They are spans at `debug`, so that a log at its usual level makes none of them; whoever exports
//! traces takes them at every level, by the field `otel.kind`. What is logged below a step that goes
//! on elsewhere, on a task or a thread of its own, is still logged in the span of its request.

use tracing::Span;

/// The span of a step; where it is not made, the span that the step is begun in.
pub(crate) fn or_current(step: Span) -> Span {
    if step.is_disabled() { Span::current() } else { step }
}
