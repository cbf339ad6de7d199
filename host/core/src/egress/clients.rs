//! The clients that share one way of finding addresses: for requests, and for handshakes.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::Resolve;

use super::config::EgressConfigError;

/// What dials, and keeps connections.
pub(super) struct Clients {
    ordinary: reqwest::Client,
    /// HTTP/2 has no upgrades, so these offer HTTP/1.1 alone. Made when the first is asked for: most
    /// programs send none, and each client reads the system's authorities.
    handshakes: OnceLock<reqwest::Client>,
    recipe: Recipe,
}

struct Recipe {
    connect: Duration,
    roots: Arc<[reqwest::Certificate]>,
    resolver: Arc<dyn Resolve>,
}

impl Clients {
    pub(super) fn new(
        connect: Duration,
        roots: Arc<[reqwest::Certificate]>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, EgressConfigError> {
        let recipe = Recipe { connect, roots, resolver };
        let built = recipe.builder().build();
        let ordinary = built.map_err(|error| EgressConfigError::Tls(error.into()))?;
        Ok(Self { ordinary, handshakes: OnceLock::new(), recipe })
    }

    pub(super) fn ordinary(&self) -> &reqwest::Client {
        &self.ordinary
    }

    pub(super) fn for_handshakes(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.handshakes.get() {
            return Ok(client);
        }
        let built = self.recipe.builder().http1_only().build()?;
        // Of two that are built at once, one stays.
        Ok(self.handshakes.get_or_init(|| built))
    }
}

impl Recipe {
    fn builder(&self) -> reqwest::ClientBuilder {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // By default the client repeats what an HTTP/2 server says it has not worked on, where
            // it can copy the body. Ours cannot be copied; this says so even if that changes. What
            // remains is a request that found its pooled connection closed, no byte of it written.
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect)
            .dns_resolver(Arc::clone(&self.resolver));
        for root in &*self.roots {
            builder = builder.add_root_certificate(root.clone());
        }
        builder
    }
}
