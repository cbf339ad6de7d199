//! Sends a finished request, and streams the reply back.
//!
//! The request that comes in is final: its headers were settled before a plugin saw them
//! ([`settle`]), the edits are applied. On `Ok`, exactly that request was sent, once, to an address
//! that the operator permits: same method, same URL byte for byte, same headers but for `host`,
//! which follows from the URL, and what frames the body, which follows from the body. On `Err`, the
//! error tells whether anything may have been sent
//! ([`EgressError::may_have_been_sent`]).
//!
//! Nothing is taken from the environment (proxies), kept between requests (cookies), followed
//! (redirects), repeated (retries) or unpacked (compression).

mod address;
mod config;
mod destination;
mod dial;
mod error;
mod headers;
mod outgoing;
mod reply;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::{timeout, timeout_at};
use zeroize::Zeroizing;

use self::address::AddressPolicy;
use self::destination::Destination;
use self::dial::{Guarded, Mapped};
use self::outgoing::{Outgoing, Progress};

pub use self::config::{
    EgressConfig, EgressConfigError, ResolveOverride, ResolveOverrideError, Timeouts,
};
pub use self::dial::{Resolver, SystemResolver};
pub use self::error::{EgressError, Phase};
pub use self::headers::settle;
pub use self::reply::ReplyBody;

/// The way out. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

struct Inner {
    client: reqwest::Client,
    /// One client for each mapping: a client's resolver is told a host but not the port, and its
    /// pool is shared by all that it dials.
    mapped: Vec<(ResolveOverride, reqwest::Client)>,
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
        let roots = certificates(&config.upstream_ca)?;
        refuse_double_mappings(&config.resolve)?;
        warn_of_exceptions(&config, roots.len());

        let addresses = Arc::new(AddressPolicy::new(config.allowed_networks));
        let guarded = Guarded { resolver, addresses: Arc::clone(&addresses) };
        let client = build_client(&config.timeouts, &roots, guarded)?;
        let mapped = config
            .resolve
            .into_iter()
            .map(|mapping| {
                let client = build_client(&config.timeouts, &roots, Mapped(mapping.address()))?;
                Ok((mapping, client))
            })
            .collect::<Result<_, EgressConfigError>>()?;
        Ok(Self {
            inner: Arc::new(Inner {
                client,
                mapped,
                addresses,
                allow_http: config.allow_http,
                timeouts: config.timeouts,
                max_fetched_bytes: config.max_fetched_bytes,
            }),
        })
    }

    /// Sends the request and waits for the head of the reply. Both bodies stream.
    ///
    /// The reply's hop-by-hop headers are dropped; the request's were by [`settle`]. Trailers of the
    /// request are not sent, those of the reply are passed on.
    pub async fn send<B>(&self, request: Request<B>) -> Result<Response<ReplyBody>, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let (mut parts, body) = request.into_parts();
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            return Err(EgressError::Method);
        }
        let destination = self.destination(&parts.uri)?;
        let client = self.client_for(&destination)?;
        let Destination { url, host } = destination;
        headers::finish(&mut parts.headers);
        let length = outgoing::frame(&parts.method, &mut parts.headers, &body)?;
        let progress = Progress::new();

        let mut outgoing = reqwest::Request::new(parts.method, url);
        *outgoing.headers_mut() = parts.headers;
        *outgoing.body_mut() =
            Some(reqwest::Body::wrap(Outgoing::new(body, length, progress.clone())));
        let sending = client.execute(outgoing);
        let reply = self.first_byte(sending, &progress, &host).await?;
        let (mut parts, body) = Response::from(reply).into_parts();
        headers::settle_reply(&mut parts.headers);
        // What the client notes there is its own business, and names addresses.
        parts.extensions.clear();
        let body = ReplyBody::new(body, host, self.inner.timeouts.idle, progress);
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
        let host = self.destination(request.uri())?.host;
        let limit = limit.min(self.inner.max_fetched_bytes);
        match timeout(deadline, self.fetch_whole(request, limit, &host)).await {
            Ok(result) => result,
            Err(_) => Err(EgressError::TimedOut { host, phase: Phase::Deadline }),
        }
    }

    async fn fetch_whole(
        &self,
        request: Request<Bytes>,
        limit: usize,
        host: &Arc<str>,
    ) -> Result<Response<Bytes>, EgressError> {
        let too_large = || EgressError::TooLarge { host: Arc::clone(host), limit };
        let (parts, mut body) = self.send(request.map(Full::new)).await?.into_parts();
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

    fn destination(&self, uri: &http::Uri) -> Result<Destination, EgressError> {
        Destination::check(uri, self.inner.allow_http, &self.inner.addresses)
    }

    fn client_for(&self, destination: &Destination) -> Result<&reqwest::Client, EgressError> {
        let port = destination.port();
        let mapping =
            self.inner.mapped.iter().find(|(mapping, _)| {
                mapping.host() == &*destination.host && mapping.port() == port
            });
        match mapping {
            None => Ok(&self.inner.client),
            // `http://HOST:443`: the client would dial 443 whatever its resolver says.
            Some((mapping, _))
                if destination.url.port().is_some() && mapping.address().port() != port =>
            {
                Err(EgressError::Url { reason: "its port is written out, so it cannot be mapped" })
            }
            Some((_, client)) => Ok(client),
        }
    }

    /// Waits for the head of the reply for as long as the request's body moves.
    async fn first_byte(
        &self,
        sending: impl Future<Output = Result<reqwest::Response, reqwest::Error>>,
        progress: &Progress,
        host: &Arc<str>,
    ) -> Result<reqwest::Response, EgressError> {
        let mut sending = pin!(sending);
        loop {
            let last = progress.last();
            match timeout_at(last + self.inner.timeouts.first_byte, &mut sending).await {
                Ok(reply) => return reply.map_err(|error| EgressError::from_client(&error, host)),
                Err(_) if progress.last() > last => {}
                Err(_) => {
                    let host = Arc::clone(host);
                    return Err(EgressError::TimedOut { host, phase: Phase::FirstByte });
                }
            }
        }
    }
}

fn build_client(
    timeouts: &Timeouts,
    roots: &[reqwest::Certificate],
    resolver: impl reqwest::dns::Resolve + 'static,
) -> Result<reqwest::Client, EgressConfigError> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // By default the client repeats what an HTTP/2 server says it has not worked on, where it
        // can copy the body. Ours cannot be copied; this says so even if that changes. What
        // remains is a request that found its pooled connection closed, no byte of it written.
        .retry(reqwest::retry::never())
        .connect_timeout(timeouts.connect)
        .dns_resolver(resolver);
    for root in roots {
        builder = builder.add_root_certificate(root.clone());
    }
    builder.build().map_err(|error| EgressConfigError::Tls(error.into()))
}

fn certificates(bundles: &[Vec<u8>]) -> Result<Vec<reqwest::Certificate>, EgressConfigError> {
    let mut roots = Vec::new();
    for (index, bundle) in bundles.iter().enumerate() {
        match reqwest::Certificate::from_pem_bundle(bundle) {
            Ok(found) if !found.is_empty() => roots.extend(found),
            _ => return Err(EgressConfigError::UpstreamCa { index }),
        }
    }
    Ok(roots)
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
