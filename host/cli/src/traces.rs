//! Traces, for a collector that speaks OTLP over HTTP.
//!
//! Spans that have ended wait in a queue of a fixed length for a thread that sends them in batches: a
//! collector that is slow or away costs its traces and holds up no request. What is lost is said in
//! the log, once in a while. Only spans of this program are exported, and of those only what is
//! written on them where they are made: no line of the log, and nothing of other libraries, the one
//! that sends the traces among them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanData,
    SpanExporter,
};
use tokio::runtime::Handle;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config;
use crate::failure::Failure;

/// Spans that wait. Some 1 KiB each, and those of the last two seconds of a thousand requests each.
const MOST_WAITING: usize = 8192;

/// Spans that are sent at once.
const BATCH: usize = 512;

/// For spans to come together to a batch.
const DELAY: Duration = Duration::from_secs(2);

/// Of a collector's answer, which says next to nothing.
const LONGEST_ANSWER: usize = 64 << 10;

/// Between two lines about a collector that takes no traces.
const SILENCE: Duration = Duration::from_mins(1);

/// Exports spans until it is closed.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    timeout: Duration,
}

impl Traces {
    /// Begins; `None` where no collector is named. Requests to it are made on this runtime.
    pub(crate) fn start(
        settings: &config::Traces,
        runtime: &Handle,
    ) -> Result<Option<Self>, Failure> {
        let Some(collector) = &settings.endpoint else { return Ok(None) };
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(settings.timeout)
            .build()
            .context("setting up the way to the collector of traces")?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client { http, runtime: runtime.clone() })
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(collector.traces())
            .with_timeout(settings.timeout)
            .build()
            .context("setting up the export of traces")?;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let processor = BatchSpanProcessor::builder(Patient { exporter, said: Mutex::default() })
            .with_batch_config(config)
            .build();
        // What the environment says about the resource is the environment's business.
        let resource = Resource::builder().with_service_name(settings.service_name.0.clone());
        let sampler = Sampler::TraceIdRatioBased(settings.sample.0);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource.build())
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .build();
        let tracer = provider.tracer("countersign");
        Ok(Some(Self { provider, tracer, timeout: settings.timeout }))
    }

    /// What takes spans from the log's subscriber.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_context_activation(false)
            // Where in the source a span was made, on which thread, how loud.
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_level(false)
            .with_target(false)
            .with_filter(filter_fn(is_ours))
    }

    /// Sends what still waits, and waits for that no longer than the collector may take. The runtime that
    /// it is sent on may have no other thread than this one, which therefore must not wait.
    pub(crate) async fn close(self) {
        let closing =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(self.timeout));
        if let Ok(Err(error)) = closing.await {
            tracing::warn!(%error, "the last traces did not reach the collector");
        }
    }
}

/// Lines of the log may tell more than a span does, and other libraries' spans anything at all. Of our
/// own, those are meant for a collector that say what kind they are to it.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    let krate = metadata.target().split("::").next().unwrap_or_default();
    let ours = krate == "countersign" || krate == "countersign_gateway";
    ours && metadata.is_span() && metadata.fields().field("otel.kind").is_some()
}

/// The way to the collector. The thread that sends batches is on no runtime.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let http = self.http.clone();
        let exchange = self.runtime.spawn(async move {
            let mut reply = http.execute(request).await?;
            let mut body = BytesMut::new();
            while let Some(piece) = reply.chunk().await? {
                if body.len() + piece.len() > LONGEST_ANSWER {
                    return Err(HttpError::from("the collector's answer is too long"));
                }
                body.extend_from_slice(&piece);
            }
            let mut answer = Response::new(body.freeze());
            *answer.status_mut() = reply.status();
            *answer.headers_mut() = std::mem::take(reply.headers_mut());
            Ok(answer)
        });
        exchange.await?
    }
}

/// Says once in a while, and not with each batch, that the collector takes none.
#[derive(Debug)]
struct Patient<E> {
    exporter: E,
    said: Mutex<Trouble>,
}

#[derive(Debug, Default)]
struct Trouble {
    /// When it was last said, since the collector last took a batch.
    said: Option<Instant>,
    /// Spans that were lost and not yet told of.
    lost: usize,
}

impl<E: SpanExporter> SpanExporter for Patient<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        let mut trouble = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match &exported {
            Ok(()) => {
                if trouble.said.take().is_some() {
                    let lost = std::mem::take(&mut trouble.lost);
                    tracing::info!(lost, "traces reach the collector again");
                }
            }
            Err(error) => {
                trouble.lost += spans;
                if trouble.said.is_none_or(|said| said.elapsed() >= SILENCE) {
                    trouble.said = Some(Instant::now());
                    let lost = std::mem::take(&mut trouble.lost);
                    tracing::warn!(lost, %error, "traces do not reach the collector");
                }
            }
        }
        // It was said: the processor has nothing to add.
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
