//! What is logged of a request is logged in its span, which names the request's id; where traces are
//! on, the span goes to whoever collects them as well.
//!
//! A span that is exported tells what was done, by whom for which connection, and how it ended, in
//! the words of OpenTelemetry's conventions for HTTP where they have any. It never tells what a
//! request holds: no path and no query, in which some providers have keys, no header, no identifier
//! of an account, which may be an end user's address and is the audit's, and of what a caller has
//! written only a method that everybody knows and the name of a connection that there is.
//!
//! A caller's `traceparent` (W3C Trace Context) becomes the parent, and ours takes its place on the
//! way to the upstream. Where traces are off it passes as it came, and a span costs no more than the
//! lines of the log need.

use http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::door::Door;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The span of one request.
pub(crate) struct Trace {
    span: Span,
    /// What is exported of it, where it is.
    exported: Option<Context>,
}

impl Trace {
    /// Begins it. With traces on, the request's `traceparent` names it from here on.
    pub(crate) fn begin(
        traces: bool,
        door: Option<Door>,
        parts: &mut request::Parts,
        id: &str,
    ) -> Self {
        let Some(route) = door.filter(|_| traces).and_then(route) else {
            // Where no more than errors are logged, it is not even made.
            return Self { span: tracing::warn_span!("request", request_id = id), exported: None };
        };
        let span = tracing::warn_span!("request", request_id = id, otel.kind = "server");
        let propagator = TraceContextPropagator::new();
        let parent = propagator.extract_with_context(&Context::new(), &Parent(&parts.headers));
        if !parent.has_active_span() {
            // What other systems have noted is of a trace that nobody goes on with.
            parts.headers.remove(TRACESTATE);
        }
        // Fails only where nothing is exported at all.
        let _ = span.set_parent(parent);
        let exported = span.context();
        let mut own = Own(None);
        propagator.inject_context(&exported, &mut own);
        if let Own(Some(own)) = own {
            parts.headers.insert(TRACEPARENT, own);
        }
        let method = known(&parts.method);
        let shown = exported.span();
        shown.update_name(format!("{method} {route}"));
        shown.set_attribute(KeyValue::new("http.request.method", method));
        shown.set_attribute(KeyValue::new("http.route", route));
        Self { span, exported: Some(exported) }
    }

    /// What everything is done in that the request asks for.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Ends what is exported, with the status of the answer and the code of a fault, which is empty
    /// where there is none. What goes on in the background may hold the span for longer.
    pub(crate) fn answered(&self, status: StatusCode, code: &'static str) {
        let Some(exported) = &self.exported else { return };
        let shown = exported.span();
        let number = i64::from(status.as_u16());
        shown.set_attribute(KeyValue::new("http.response.status_code", number));
        // A caller's mistake is no error of the server's.
        let failed = status.is_server_error();
        match (code, failed) {
            ("", true) => shown.set_attribute(KeyValue::new("error.type", number.to_string())),
            ("", false) => {}
            (code, _) => shown.set_attribute(KeyValue::new("error.type", code)),
        }
        if failed {
            shown.set_status(Status::error(code));
        }
        shown.end();
    }
}

/// Whose credential the request of the current span gets. For one that is exported; elsewhere it does
/// nothing.
pub(crate) fn subject(connection: &str, provider: &str, auth_type: &str) {
    let span = Span::current();
    span.set_attribute("countersign.connection", connection.to_owned());
    span.set_attribute("countersign.provider", provider.to_owned());
    span.set_attribute("countersign.auth_type", auth_type.to_owned());
}

/// What stands for the path. Whether a process is there is asked all day long, and told to nobody.
fn route(door: Door) -> Option<&'static str> {
    match door {
        Door::Proxy => Some("/proxy/{path}"),
        Door::Token => Some("/oauth/token"),
        Door::Api => Some("/api/v1/{path}"),
        Door::OpenApi | Door::Keys | Door::Health | Door::Ready | Door::Metrics | Door::None => {
            None
        }
    }
}

/// The conventions' word for any other method is `_OTHER`.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// The caller's trace, of which there is one. What other systems have noted beside it is passed on as
/// it came and read by nobody here, so that it is not exported either.
struct Parent<'a>(&'a HeaderMap);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        if key != TRACEPARENT {
            return None;
        }
        let mut values = self.0.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        value.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// Our own `traceparent`.
struct Own(Option<HeaderValue>);

impl Injector for Own {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.0 = HeaderValue::try_from(value).ok();
        }
    }
}
