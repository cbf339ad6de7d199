//! What the gateway counts, in the text form of OpenMetrics.
//!
//! No label names a client, an account, a connection or a path: what a label may hold is bounded by
//! the program, and by the auth types that plugins answer to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign::Countersign;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// From a quarter of a millisecond, doubled up to a minute.
const FIRST_BUCKET: f64 = 0.000_25;
const BUCKETS: u16 = 19;

/// The form of what [`Metrics::text`] gives.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    proxied: Family<Proxied, Counter>,
    seconds: Family<OfType, Histogram>,
    /// Requests through the proxy, from their heads to the ends of their replies.
    pub(crate) under_way: Gauge,
    /// Lines of the audit that could not be kept.
    pub(crate) lost_lines: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    door: &'static str,
    status: &'static str,
    /// The fault's, or empty.
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Proxied {
    auth_type: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfType {
    auth_type: String,
}

impl Metrics {
    pub(crate) fn new(host: Countersign) -> Arc<Self> {
        let mut registry = Registry::with_prefix("countersign");
        let histogram = || Histogram::new(exponential_buckets(FIRST_BUCKET, 2.0, BUCKETS));
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let (requests, proxied) = (Family::default(), Family::default());
        let (under_way, lost_lines) = (Gauge::default(), Counter::default());
        registry.register(
            "requests",
            "Requests that were answered, by door, class of status and the code of a fault",
            requests.clone(),
        );
        registry.register(
            "proxied_requests",
            "Requests for an account, by auth type and outcome: the upstream's class of status, or \
             the code of a fault",
            proxied.clone(),
        );
        registry.register_with_unit(
            "proxied",
            "From a proxied request's head to its reply's",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register(
            "proxied_under_way",
            "Proxied requests whose reply has not ended",
            under_way.clone(),
        );
        registry.register(
            "audit_lines_lost",
            "Lines of the audit of injections that could not be kept",
            lost_lines.clone(),
        );
        registry.register_collector(Box::new(OfHost(host)));
        Arc::new(Self { registry, requests, proxied, seconds, under_way, lost_lines })
    }

    /// One more answer.
    pub(crate) fn answered(&self, door: &'static str, status: &'static str, code: &'static str) {
        self.requests.get_or_create(&Answered { door, status, code }).inc();
    }

    /// One more request for an account.
    pub(crate) fn proxied(&self, auth_type: &str, outcome: &'static str, took: Duration) {
        let of_type = OfType { auth_type: auth_type.to_owned() };
        self.seconds.get_or_create(&of_type).observe(took.as_secs_f64());
        self.proxied.get_or_create(&Proxied { auth_type: of_type.auth_type, outcome }).inc();
    }

    /// All of them.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// The class of a status.
pub(crate) fn class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}

/// What the library has counted.
struct OfHost(Countersign);

impl fmt::Debug for OfHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfHost")
    }
}

impl Collector for OfHost {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let tally = self.0.tally();
        for (name, help, number) in [
            ("answers_remembered", "Requests whose answer was remembered", tally.remembered),
            ("answers_asked", "Requests for which a plugin was asked", tally.asked),
            ("renewals", "Renewals that brought a new state", tally.renewals),
            ("renewals_failed", "Renewals that brought none", tally.failed_renewals),
            ("plugin_calls", "Calls of plugins", tally.calls),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(number).encode(metric)?;
        }
        let (name, help) = ("plugin", "How long plugins ran");
        let time =
            encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Counter)?;
        ConstCounter::new(tally.call_time.as_secs_f64()).encode(time)?;
        let (name, help) = ("plugin_faults", "How plugins broke");
        let mut faults = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (fault, number) in tally.faults {
            let labels = [("fault", fault)];
            ConstCounter::new(number).encode(faults.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
