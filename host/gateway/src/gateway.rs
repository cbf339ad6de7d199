//! One request, from its head to its answer.
//!
//! Every answer carries the request's id. Whatever goes wrong on the way is told as a fault, and
//! logged by its code, never with what the request holds.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use countersign::Countersign;
use countersign::body::BodyError;
use countersign::clock::Clock;
use countersign::random::{Random, RandomError};
use countersign_vault::{Following, Role, Vault};
use http::{HeaderMap, Method, Request, StatusCode, request};
use http_body::Body;
use serde_json::json;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use crate::answer::{self, Answer, AnswerBody, REQUEST_ID_HEADER};
use crate::api;
use crate::authentication::Authentication;
use crate::caller::Caller;
use crate::door::Door;
use crate::fault::{Fault, Kind};
use crate::injections::Injections;
use crate::metrics::{self, Metrics};
use crate::proxy::{Crowd, Proxy};
use crate::request_id::{Ids, RequestId};
use crate::service::Service;
use crate::settings::{InForce, Settings};
use crate::token::Tokens;
use crate::trace::Trace;
use crate::usage::Usage;

/// For a call of the management API: its body, and what it asks for.
const DOCUMENT_TIMEOUT: Duration = Duration::from_mins(1);

/// The OpenAPI document. Anybody may ask for it, so it is written once.
static DESCRIPTION: LazyLock<Bytes> = LazyLock::new(|| api::description().to_string().into());

/// What a gateway is made of.
pub struct Parts {
    /// Where everything rests.
    pub vault: Arc<dyn Vault>,
    /// What tells of the vault's changes.
    pub following: Following,
    /// The path of a request, over the same vault's state.
    pub host: Countersign,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For tokens and ids.
    pub random: Arc<dyn Random>,
    /// What the operator decides.
    pub settings: Settings,
    /// The folder of the audit of injections; `None` where none is kept.
    pub audit: Option<PathBuf>,
    /// What callers and browsers reach the gateway by, where that is known: a scheme and a host,
    /// without a slash after it.
    pub public_url: Option<String>,
}

/// A gateway that cannot be had. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The operating system gave no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The audit's file cannot be written.
    #[error("the audit of injections cannot be kept in {}: {cause}", .folder.display())]
    Audit {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

/// Answers requests. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    settings: InForce,
    authentication: Authentication,
    tokens: Tokens,
    api: axum::Router,
    proxy: Proxy,
    metrics: Arc<Metrics>,
    injections: Option<Arc<Injections>>,
    usage: Arc<Usage>,
    ids: Ids,
    draining: AtomicBool,
}

impl Gateway {
    /// Joins the parts. Needs a runtime to be on.
    pub fn new(parts: Parts) -> Result<Self, GatewayError> {
        let Parts { vault, following, host, clock, random, settings, audit, public_url } = parts;
        let service =
            Service::new(Arc::clone(&vault), host.clone(), &following, settings.cached_accounts);
        let service = Arc::new(service);
        let usage = Usage::start(Arc::clone(&vault));
        let metrics = Metrics::new(host.clone());
        let injections = audit.map(|folder| {
            Injections::open(&folder, Arc::clone(&clock), metrics.lost_lines.clone())
                .map_err(|cause| GatewayError::Audit { folder, cause })
        });
        let injections = injections.transpose()?.map(Arc::new);
        let crowd = Crowd::new(
            settings.most_in_flight,
            settings.most_in_flight_per_account,
            metrics.under_way.clone(),
        );
        let tokens = Tokens::new(vault.clone(), Arc::clone(&clock), random.clone(), &settings);
        let traces = settings.traces;
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let inner = Inner {
            settings: Arc::clone(&settings),
            authentication: Authentication::new(vault, Arc::clone(&clock), &following),
            ids: Ids::new(&*random)?,
            tokens,
            api: api::router(Arc::clone(&service), Arc::clone(&settings), public_url),
            proxy: Proxy {
                service,
                host,
                clock,
                settings,
                traces,
                metrics: Arc::clone(&metrics),
                injections: injections.clone(),
                usage: Arc::clone(&usage),
                crowd,
                tunnels: TaskTracker::new(),
            },
            metrics,
            injections,
            usage,
            draining: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Keeps to these from now on: the next request does, and what is under way ends under what it
    /// began with. How many accounts are kept in memory stays as it was.
    ///
    /// Where callers may ask for another number of tokens in a minute, all of them begin anew.
    pub fn set_settings(&self, settings: Settings) {
        let inner = &self.inner;
        inner.tokens.set(&settings);
        inner.proxy.crowd.set(settings.most_in_flight, settings.most_in_flight_per_account);
        inner.settings.store(Arc::new(settings));
    }

    /// From now on it is not ready: whoever balances load sends new requests elsewhere.
    pub fn drain(&self) {
        self.inner.draining.store(true, Ordering::Relaxed);
    }

    /// Waits until the WebSockets have ended that callers have opened through the proxy.
    pub(crate) async fn tunnels_ended(&self) {
        let tunnels = &self.inner.proxy.tunnels;
        tunnels.close();
        tunnels.wait().await;
    }

    /// Keeps what has only been noted so far. For the end, once nothing is under way.
    pub async fn close(&self) {
        self.inner.usage.close().await;
        if let Some(injections) = &self.inner.injections {
            injections.close();
        }
    }

    /// Answers one request, which comes from this address. Its extensions hold what an upgrade needs.
    pub async fn answer<B>(&self, from: IpAddr, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        // On the heap, as each function that waits while it has them keeps room for them.
        let mut parts = Box::new(parts);
        let id = self.inner.ids.of(&parts.headers);
        let door = Door::of(&parts);
        let name = door.as_ref().map_or("none", |door| door.name());
        let traces = self.inner.proxy.traces;
        let trace = Trace::begin(traces, door.as_ref().ok().copied(), &mut parts, id.as_str());
        let answered = match door {
            Ok(door) => {
                // Boxed, as what goes into a span is moved.
                let answering = Box::pin(self.inner.answer(door, from, parts, body, &id));
                answering.instrument(trace.span().clone()).await
            }
            Err(fault) => Err(fault),
        };
        let (mut answer, code) = match answered {
            Ok(answer) => (answer, ""),
            Err(fault) => {
                trace.span().in_scope(|| tracing::info!(code = fault.code, "refused"));
                (answer::fault(&fault, id.as_str()), fault.code)
            }
        };
        // An upstream's status may be any number.
        let status = answer.status();
        let class = metrics::class(status.as_u16());
        self.inner.metrics.answered(name, class, code);
        trace.answered(status, code);
        answer.headers_mut().insert(REQUEST_ID_HEADER, id.header());
        answer
    }
}

impl Inner {
    async fn answer<B>(
        &self,
        door: Door,
        from: IpAddr,
        parts: Box<request::Parts>,
        body: B,
        id: &RequestId,
    ) -> Result<Answer, Fault>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError>,
    {
        match door {
            Door::Proxy => {
                let caller = self.caller(&parts.headers, id).await?;
                self.proxy.answer(&caller, parts, body).await
            }
            Door::Api => {
                let caller = self.caller(&parts.headers, id).await?;
                let mut request = Request::from_parts(*parts, axum::body::Body::new(body));
                request.extensions_mut().insert(caller);
                // Boxed, as is the next: what is proxied shall have no more room than it needs.
                Box::pin(self.api(request)).await
            }
            Door::Token => {
                only(&parts.method, &Method::POST)?;
                Ok(Box::pin(self.tokens.answer(from, &parts.headers, body, id.as_str())).await)
            }
            Door::OpenApi => {
                only(&parts.method, &Method::GET)?;
                Ok(answer::text("application/json", DESCRIPTION.clone()))
            }
            Door::Keys => {
                only(&parts.method, &Method::GET)?;
                Ok(answer::document(StatusCode::OK, &json!({"keys": []})))
            }
            Door::Health => {
                only(&parts.method, &Method::GET)?;
                Ok(answer::document(StatusCode::OK, &json!({"status": "ok"})))
            }
            Door::Ready => {
                only(&parts.method, &Method::GET)?;
                self.ready()
            }
            Door::Metrics => {
                only(&parts.method, &Method::GET)?;
                // Numbers of the whole gateway are for those who manage it.
                let caller = self.caller(&parts.headers, id).await?;
                caller.need(Role::Manage).and_then(|()| caller.need_no_limits())?;
                Ok(answer::text(metrics::CONTENT_TYPE, self.metrics.text()))
            }
            Door::None => Err(Fault::not_found("path")),
        }
    }

    async fn caller(&self, headers: &HeaderMap, id: &RequestId) -> Result<Caller, Fault> {
        self.authentication.caller(headers, id).await
    }

    async fn api(&self, request: Request<axum::body::Body>) -> Result<Answer, Fault> {
        let answering = timeout(DOCUMENT_TIMEOUT, self.api.clone().oneshot(request));
        let answered = answering.await.map_err(|_| {
            let message = "the request took too long; whether it was done is not known";
            Fault::new(Kind::Deadline, "request_timeout", message)
        })?;
        let mut response = answered.unwrap_or_else(|never| match never {}).into_response();
        match response.extensions_mut().remove::<Fault>() {
            Some(fault) => Err(fault),
            None => Ok(response.map(AnswerBody::Api)),
        }
    }

    fn ready(&self) -> Result<Answer, Fault> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Fault::new(Kind::Unavailable, "draining", "the gateway is about to stop"));
        }
        Ok(answer::document(StatusCode::OK, &json!({"status": "ready"})))
    }
}

/// There is one method at this door.
fn only(method: &Method, wanted: &Method) -> Result<(), Fault> {
    // What answers to GET answers to HEAD (RFC 9110, section 9.3.2).
    if method == wanted || (method == Method::HEAD && wanted == Method::GET) {
        return Ok(());
    }
    Err(Fault::method(if wanted == Method::GET { "GET,HEAD" } else { wanted.as_str() }))
}
