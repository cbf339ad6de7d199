//! From a host and port to the addresses that are dialled, and to no other ones.
//!
//! Names are looked up for every new connection, and what is dialled is exactly what was found then
//! and is permitted. So a name that changes its address between a check and the dial (DNS rebinding)
//! gains nothing: there is no earlier check.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use async_trait::async_trait;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::address::AddressPolicy;
use super::config::ResolveOverride;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An upstream that has gone without a word is noticed within a minute: by probes on a connection that
/// rests, and by what it does not acknowledge on one that is used. Left to itself the system goes on for
/// hours with the one, and with the other for a quarter of an hour, in which HTTP/2 would put every
/// request on that connection.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_TRIES: u32 = 3;
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const LONGEST_UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Turns host names into addresses. Production uses [`SystemResolver`]; a test fixes the answers.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of that host, in the order in which to try them.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system, with its hosts file and search rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// No address of the name may be dialled.
#[derive(Debug, thiserror::Error)]
#[error("every address of the host is refused")]
pub(super) struct Refused;

/// The name has no address.
#[derive(Debug, thiserror::Error)]
#[error("the name was not resolved")]
pub(super) struct Unresolved(#[source] pub(super) io::Error);

/// Dials. Cheap to clone.
#[derive(Clone)]
pub(super) struct Dial {
    tcp: HttpConnector<Guarded>,
    mapped: Arc<[ResolveOverride]>,
}

impl Dial {
    /// A host and port that is mapped is dialled where the operator says; any other at those of its
    /// addresses that are permitted, each of which has its share of `longest` to answer.
    pub(super) fn new(
        resolver: Arc<dyn Resolver>,
        addresses: Arc<AddressPolicy>,
        mapped: Vec<ResolveOverride>,
        longest: Duration,
    ) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Guarded { resolver, addresses });
        tcp.enforce_http(false);
        // Small requests go out at once.
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE));
        tcp.set_keepalive_retries(Some(KEEPALIVE_TRIES));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(LONGEST_UNACKNOWLEDGED));
        tcp.set_connect_timeout(Some(longest));
        Self { tcp, mapped: mapped.into() }
    }

    /// Where the operator has this origin dialled. An address is never asked for by its name.
    fn mapped(&self, origin: &Uri) -> Option<SocketAddr> {
        let (host, port) = (origin.host()?, port(origin)?);
        let found = self.mapped.iter().find(|it| it.host() == host && it.port() == port)?;
        Some(found.address())
    }
}

/// The port that a request to it goes to.
fn port(origin: &Uri) -> Option<u16> {
    let default = || match origin.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Some(443),
        Some(scheme) if *scheme == Scheme::HTTP => Some(80),
        _ => None,
    };
    origin.port_u16().or_else(default)
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let dialled = match self.mapped(&origin) {
            // A literal address is dialled as it stands.
            Some(address) => format!("http://{address}/").parse().map_err(BoxError::from),
            None => Ok(origin),
        };
        let mut tcp = self.tcp.clone();
        Box::pin(async move { Ok(tcp.call(dialled?).await?) })
    }
}

/// Hands on only those addresses that the policy permits.
#[derive(Clone)]
struct Guarded {
    resolver: Arc<dyn Resolver>,
    addresses: Arc<AddressPolicy>,
}

impl Service<Name> for Guarded {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolver, addresses) = (Arc::clone(&self.resolver), Arc::clone(&self.addresses));
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await.map_err(Unresolved)?;
            if found.is_empty() {
                return Err(Unresolved(io::ErrorKind::NotFound.into()).into());
            }
            let permitted: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| addresses.permits(*address))
                // Port 0 stands for the port of the URL.
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if permitted.is_empty() {
                return Err(Refused.into());
            }
            Ok(permitted.into_iter())
        })
    }
}
