//! Sends a finished request, and streams the reply back.
//!
//! The request that comes in is final: its headers were settled before a plugin saw them
//! ([`settle`]), the edits are applied. On `Ok`, exactly that request was sent, once, to an address
//! that the operator permits: same method, same URL byte for byte, same headers but for `host`,
//! which follows from the URL, and what frames the body, which follows from the body; and so do its
//! trailers, but for what may not be said there. On `Err`, the error tells whether anything may have
//! been sent ([`EgressError::may_have_been_sent`]).
//!
//! Nothing is taken from the environment (proxies), kept between requests (cookies), followed
//! (redirects), repeated (retries) or unpacked (compression).

mod address;
mod certificate;
mod clients;
mod config;
mod connect;
mod destination;
mod dial;
mod error;
mod headers;
mod identities;
mod outgoing;
mod own;
mod reply;
mod route;
mod sending;
mod tls;
mod tunnel;
mod websocket;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::timeout;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use zeroize::Zeroizing;

use crate::target::TargetUrl;

use self::address::AddressPolicy;
use self::clients::Clients;
use self::dial::Dial;
use self::identities::Identities;
use self::outgoing::{Outgoing, Progress, UpstreamBody};
use self::sending::By;

pub(crate) use self::certificate::is_presentable;
pub use self::certificate::{CertificateError, CertificateFlaw, ClientCertificate};
pub use self::config::{
    EgressConfig, EgressConfigError, ResolveOverride, ResolveOverrideError, Timeouts,
};
pub(crate) use self::destination::Destination;
pub use self::dial::{Resolver, SystemResolver};
pub use self::error::{EgressError, Phase};
pub use self::headers::settle;
pub(crate) use self::headers::{announce, may_trail, retain, say_trailer};
pub use self::own::OwnConnection;
pub use self::reply::ReplyBody;
pub use self::route::Route;
pub(crate) use self::sending::Sending;
pub use self::tunnel::Tunnel;
pub use self::websocket::{HandshakeError, WebSocket};

/// The way out. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

struct Inner {
    clients: Clients,
    identities: Identities,
    addresses: Arc<AddressPolicy>,
    allow_http: bool,
    timeouts: Timeouts,
    max_fetched_bytes: usize,
}

impl Egress {
    /// An egress that resolves names as the system does.
    pub fn new(config: EgressConfig) -> Result<Self, EgressConfigError> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// An egress that resolves names as told.
    pub fn with_resolver(
        config: EgressConfig,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, EgressConfigError> {
        let authorities = tls::certificates(&config.upstream_ca)?;
        refuse_double_mappings(&config.resolve)?;
        warn_of_exceptions(&config, authorities.len());

        let addresses = Arc::new(AddressPolicy::new(config.allowed_networks));
        let connect = config.timeouts.connect;
        let dial = Dial::new(resolver, Arc::clone(&addresses), config.resolve, connect);
        let tls = tls::config(authorities)?;
        let clients = Clients::new(&dial, &tls, connect);
        let identities = Identities::new(dial, tls, connect);
        Ok(Self {
            inner: Arc::new(Inner {
                clients,
                identities,
                addresses,
                allow_http: config.allow_http,
                timeouts: config.timeouts,
                max_fetched_bytes: config.max_fetched_bytes,
            }),
        })
    }

    /// Sends the request and waits for the head of the reply. Both bodies stream.
    ///
    /// The reply's hop-by-hop headers are dropped; the request's were by [`settle`]. Trailers are
    /// passed on both ways, but for those that frame, route or authenticate; of a request's over
    /// HTTP/1.1, those that its `trailer` header names.
    ///
    /// A request that is marked as a [`WebSocket`] asks for that upgrade; a reply with status 101 has
    /// proven that it is one, and holds a [`Tunnel`]. To switch protocols unasked is an error.
    pub async fn send<B>(&self, request: Request<B>) -> Result<Response<ReplyBody>, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        self.send_by(Route::default(), request).await
    }

    /// The same by a route that may be another than the ordinary one.
    pub async fn send_by<B>(
        &self,
        route: Route,
        request: Request<B>,
    ) -> Result<Response<ReplyBody>, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let destination = self.destination(request.uri())?;
        let sending = self.begin(destination, route, request)?;
        self.head(sending).await
    }

    /// Where a request goes whose URL was checked already.
    pub(crate) fn destination_of(&self, url: TargetUrl) -> Result<Destination, EgressError> {
        let Inner { allow_http, addresses, .. } = &*self.inner;
        Destination::of(url.into_url(), *allow_http, addresses)
    }

    /// Where this URI leads, if it is one to send to.
    pub(crate) fn destination(&self, uri: &http::Uri) -> Result<Destination, EgressError> {
        Destination::check(uri, self.inner.allow_http, &self.inner.addresses)
    }

    /// Gives the request to the client that sends it, as one step of its trace. Nothing leaves before
    /// [`head`](Self::head) waits for that. The request's URI is not looked at.
    ///
    /// All of the request has moved by then: what waits is made and moved for each request, and small so.
    pub(crate) fn begin<B>(
        &self,
        destination: Destination,
        route: Route,
        request: Request<B>,
    ) -> Result<Sending, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let span = tracing::debug_span!(
            "upstream",
            otel.kind = "client",
            otel.status_code = Empty,
            http.response.status_code = Empty,
        );
        let begun = span.in_scope(|| self.give(&span, destination, route, request));
        if begun.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        begun
    }

    /// The reply, once its head is here.
    pub(crate) async fn head(&self, sending: Sending) -> Result<Response<ReplyBody>, EgressError> {
        let span = sending.span.clone();
        let sent = self.head_of(sending).instrument(span.clone()).await;
        match &sent {
            Ok(reply) => {
                span.record("http.response.status_code", i64::from(reply.status().as_u16()))
            }
            Err(_) => span.record("otel.status_code", "ERROR"),
        };
        sent
    }

    fn give<B>(
        &self,
        span: &Span,
        destination: Destination,
        route: Route,
        request: Request<B>,
    ) -> Result<Sending, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let (mut parts, body) = request.into_parts();
        sendable(&parts.method)?;
        let websocket = parts.extensions.remove::<WebSocket>();
        headers::finish(&mut parts.headers);
        let framing = outgoing::frame(&parts.method, &mut parts.headers, &body)?;
        let Destination { uri, host } = destination;
        let own_clients;
        let clients = match &route.certificate {
            None => &self.inner.clients,
            // Nobody could be shown it, and the request would go out without.
            Some(_) if uri.scheme() != Some(&Scheme::HTTPS) => {
                return Err(EgressError::CertificateWithoutTls { host });
            }
            Some(certificate) => {
                own_clients = self.inner.identities.clients(certificate);
                &*own_clients
            }
        };
        let client = match &websocket {
            None => &clients.ordinary,
            Some(websocket) => {
                websocket.ask(&parts.method, &mut parts.headers, !body.is_end_stream())?;
                &clients.handshakes
            }
        };
        let progress = Progress::new();
        let body: UpstreamBody = Box::pin(Outgoing::new(body, &framing, progress.clone()));
        let mut outgoing = Request::new(body);
        *outgoing.method_mut() = parts.method;
        *outgoing.uri_mut() = uri;
        *outgoing.headers_mut() = parts.headers;
        // Whoever put it there: it may prove who is at the other end of the connection.
        let unshared =
            || headers::proves_connection(outgoing.headers()).then(OwnConnection::default);
        let by = match route.own.or_else(unshared) {
            None => By::Pool(client.request(outgoing)),
            Some(own) => {
                let identity = route.certificate.as_ref().map(ClientCertificate::identity);
                let connector = clients.own.clone();
                By::Own(Box::pin(own.request(connector, identity, outgoing, Arc::clone(&host))))
            }
        };
        Ok(Sending { by, host, progress, websocket, span: span.clone() })
    }

    async fn head_of(&self, mut sending: Sending) -> Result<Response<ReplyBody>, EgressError> {
        let reply = sending.first_byte(self.inner.timeouts.first_byte).await?;
        if reply.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Box::pin(self.switch(sending, reply)).await;
        }
        let (mut parts, body) = reply.into_parts();
        headers::settle_reply(&mut parts.headers);
        // What the client notes there is its own business, and names addresses.
        parts.extensions.clear();
        let Sending { host, progress, .. } = sending;
        let body = ReplyBody::new(Some(body), host, self.inner.timeouts.idle, progress);
        Ok(Response::from_parts(parts, body))
    }

    /// Sends the request and reads the whole answer: what a flow's fetch is done with.
    ///
    /// `limit` is in bytes, and lowered to what the configuration allows; `deadline` holds for the
    /// whole exchange. Sent once: an error after bytes may have left is final.
    pub async fn fetch(
        &self,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        self.fetch_by(Route::default(), request, limit, deadline).await
    }

    /// The same by a route that may be another than the ordinary one.
    pub async fn fetch_by(
        &self,
        route: Route,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        let host = self.destination(request.uri())?.host;
        let limit = limit.min(self.inner.max_fetched_bytes);
        let fetched = timeout(deadline, self.fetch_whole(route, request, limit, &host)).await;
        let late = |_| {
            let after = Some(deadline);
            Err(EgressError::TimedOut { host, after, phase: Phase::Deadline })
        };
        fetched.unwrap_or_else(late)
    }

    async fn fetch_whole(
        &self,
        route: Route,
        request: Request<Bytes>,
        limit: usize,
        host: &Arc<str>,
    ) -> Result<Response<Bytes>, EgressError> {
        let too_large = || EgressError::TooLarge { host: Arc::clone(host), limit };
        let (parts, mut body) = self.send_by(route, request.map(Full::new)).await?.into_parts();
        // It may hold tokens, so what is left behind is overwritten, while it grows as well.
        let mut read = Zeroizing::new(Vec::<u8>::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if data.len() > limit - read.len() {
                return Err(too_large());
            }
            let length = read.len() + data.len();
            if length > read.capacity() {
                let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
                larger.extend_from_slice(&read);
                read = larger;
            }
            read.extend_from_slice(&data);
        }
        Ok(Response::from_parts(parts, Bytes::from_owner(read)))
    }

    /// Leaves HTTP, where that was asked for and the upstream has proven to have read the question.
    async fn switch(
        &self,
        sending: Sending,
        reply: Response<Incoming>,
    ) -> Result<Response<ReplyBody>, EgressError> {
        let Sending { websocket, host, progress, .. } = sending;
        let refused = |reason| EgressError::Switch { host: Arc::clone(&host), reason };
        let websocket = websocket.ok_or_else(|| refused("it was not asked to"))?;
        let (version, mut headers) = (reply.version(), reply.headers().clone());
        websocket.accept(version, &mut headers).map_err(refused)?;
        let upgrade = timeout(self.inner.timeouts.first_byte, hyper::upgrade::on(reply)).await;
        let Ok(Ok(io)) = upgrade else { return Err(EgressError::Closed { host }) };
        let idle = self.inner.timeouts.idle;
        let body = ReplyBody::new(None, host, idle, progress);
        let mut reply = Response::new(body);
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *reply.version_mut() = version;
        *reply.headers_mut() = headers;
        Tunnel::new(io).keep(reply.extensions_mut());
        Ok(reply)
    }
}

fn sendable(method: &Method) -> Result<(), EgressError> {
    if matches!(*method, Method::CONNECT | Method::TRACE) {
        return Err(EgressError::Method);
    }
    Ok(())
}

fn refuse_double_mappings(mappings: &[ResolveOverride]) -> Result<(), EgressConfigError> {
    for (index, mapping) in mappings.iter().enumerate() {
        let (host, port) = (mapping.host(), mapping.port());
        if mappings[..index].iter().any(|other| other.host() == host && other.port() == port) {
            return Err(EgressConfigError::MappedTwice { host: host.to_owned(), port });
        }
    }
    Ok(())
}

/// Each of these sends credentials where they would not go by default.
fn warn_of_exceptions(config: &EgressConfig, roots: usize) {
    for mapping in &config.resolve {
        let (host, port, address) = (mapping.host(), mapping.port(), mapping.address());
        tracing::warn!(host, port, %address, "DEVELOPMENT: this host is not looked up but mapped");
    }
    if roots > 0 {
        tracing::warn!(
            certificates = roots,
            "DEVELOPMENT: more authorities may vouch for upstreams"
        );
    }
    for network in &config.allowed_networks {
        tracing::warn!(%network, "requests may go to this network, public or not");
    }
    if config.allow_http {
        tracing::warn!("requests may leave unencrypted");
    }
}
