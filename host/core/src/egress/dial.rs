//! From a host name to the addresses that are dialled, and to no other ones.
//!
//! The client dials exactly what is handed to it here, on every new connection. So a name that
//! changes its address between a check and the dial (DNS rebinding) gains nothing: there is no
//! earlier check.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::AddressPolicy;

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

/// Hands on only those addresses that the policy permits.
pub(super) struct Guarded {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) addresses: Arc<AddressPolicy>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.resolver);
        let addresses = Arc::clone(&self.addresses);
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
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
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// The operator's own answer; asked for one host only, and not checked.
pub(super) struct Mapped(pub(super) SocketAddr);

impl Resolve for Mapped {
    fn resolve(&self, _: Name) -> Resolving {
        let address = self.0;
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}
