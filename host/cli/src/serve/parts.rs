//! What the server is made of, as its configuration says.

use std::sync::Arc;

use anyhow::Context as _;
use countersign::egress::{EgressConfig, Timeouts};
use countersign::sandbox::Limits as SandboxLimits;
use countersign::store::Store;
use countersign::{Countersign, Egress, Registry, Sandbox};

use crate::config::{Interpreted, Limits, Loaded};
use crate::failure::Failure;
use crate::host::{Host, Parts};
use crate::json;
use crate::policy::Policy;

/// The sandbox and the plugins. Takes as long as compiling them takes.
pub(super) fn host(loaded: &Loaded) -> Result<Host, Failure> {
    let settings = &loaded.settings.sandbox;
    let mut limits = SandboxLimits::default();
    if let Some(calls) = settings.concurrent_calls {
        limits.concurrent_calls = calls.get();
        limits.concurrent_calls_per_plugin = calls.get().div_ceil(2);
        limits.waiting_calls_per_plugin = 500 * calls.get();
    }
    if let Some(calls) = settings.concurrent_calls_per_plugin {
        limits.concurrent_calls_per_plugin = calls.get();
    }
    if let Some(calls) = settings.waiting_calls_per_plugin {
        limits.waiting_calls_per_plugin = calls.get();
    }
    limits.request_budget = settings.request_budget;
    limits.flow_budget = settings.flow_budget;
    limits.memory_bytes = settings.memory_bytes.in_memory();
    limits.component_bytes = settings.component_bytes.in_memory();
    let folder = loaded.plugins();
    Host::load(Parts {
        limits,
        interpreted: interpreted(&loaded.settings.interpreted),
        chosen: &loaded.settings.interpreted.plugins,
        cache: Some(&loaded.cache()),
        folder: Some(&folder),
        pins: &loaded.settings.server.pins,
    })
}

/// What plugins that carry an interpreter may use up.
fn interpreted(given: &Interpreted) -> SandboxLimits {
    let mut limits = SandboxLimits::interpreted();
    if let Some(calls) = given.concurrent_calls {
        limits.concurrent_calls = calls.get();
        limits.concurrent_calls_per_plugin = calls.get().div_ceil(2);
        limits.waiting_calls_per_plugin = 100 * calls.get();
    }
    if let Some(calls) = given.concurrent_calls_per_plugin {
        limits.concurrent_calls_per_plugin = calls.get();
    }
    limits.request_budget = given.request_budget;
    limits.flow_budget = given.flow_budget;
    limits.memory_bytes = given.memory_bytes.in_memory();
    limits
}

/// The path of a request.
pub(super) fn client(
    loaded: &Loaded,
    sandbox: Arc<Sandbox>,
    registry: Arc<Registry>,
    store: Arc<dyn Store>,
) -> Result<Countersign, Failure> {
    let settings = requests(loaded, &registry.auth_types())?;
    let egress = egress(loaded)?;
    Ok(Countersign::builder(sandbox, registry, egress).store(store).settings(settings).build())
}

/// How requests are authorized and sent, and what plugins are let have: `known` are the auth types
/// that they answer to.
pub(super) fn requests(
    loaded: &Loaded,
    known: &[String],
) -> Result<countersign::Settings, Failure> {
    let policy = Policy::load(loaded.settings.server.policy.as_deref(), known)?;
    let given = &loaded.settings.requests;
    let mut settings = policy.settings(loaded.settings.egress.allow_http_upstream);
    settings.spool_bytes = given.spool_bytes.in_memory();
    settings.resend_bytes = given.resend_bytes.0;
    settings.flow_deadline = given.flow_deadline;
    settings.longest_hold = given.longest_hold;
    settings.forced_renewal_gap = given.forced_renewal_gap;
    Ok(settings)
}

fn egress(loaded: &Loaded) -> Result<Egress, Failure> {
    let given = &loaded.settings.egress;
    let upstream_ca = given.upstream_ca.iter().map(|path| json::read(path));
    let config = EgressConfig {
        allow_http: given.allow_http_upstream,
        allowed_networks: given.allow_upstream.clone(),
        resolve: given.resolve.clone(),
        upstream_ca: upstream_ca.collect::<Result<_, _>>()?,
        timeouts: Timeouts {
            connect: given.connect_timeout,
            first_byte: given.first_byte_timeout,
            idle: given.idle_timeout,
        },
        max_fetched_bytes: given.max_fetched_bytes.in_memory(),
    };
    Ok(Egress::new(config).context("setting up the way out")?)
}

/// What callers can take from one another.
pub(super) fn limits(given: &Limits) -> countersign_gateway::Settings {
    let mut settings = countersign_gateway::Settings::default();
    settings.token_lifetime = given.token_lifetime;
    settings.tokens_per_minute = given.tokens_per_minute.get();
    settings.token_attempts_per_minute = given.token_attempts_per_minute.get();
    settings.most_in_flight = given.most_in_flight.get();
    settings.most_in_flight_per_account = given.most_in_flight_per_account.get();
    settings.longest_body = given.longest_body.0;
    settings.longest_document = given.longest_document.in_memory();
    settings.deadline = given.deadline;
    settings.tunnel_idle = given.tunnel_idle;
    settings.cached_accounts = given.cached_accounts.get();
    settings.pass_cookies = given.pass_cookies;
    settings
}

#[cfg(test)]
mod tests;
