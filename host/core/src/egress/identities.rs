//! Connections that a client certificate was presented on: each certificate has its own, and its own
//! memory of TLS sessions, since one that is taken up again counts as if it had been presented.
//!
//! What is kept for a certificate goes when nobody has used it for a while, or when there are too many:
//! the one first that was used the longest ago. Requests on their way are not disturbed by that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::sign::SingleCertAndKey;
use tokio::time::{Instant, sleep};

use super::certificate::{ClientCertificate, Identity};
use super::clients::Clients;
use super::dial::Dial;

/// Certificates that are kept. Each takes some 50 KiB, and a gateway rarely has more in use.
const MOST: usize = 1000;
/// Past the minute and a half for which a connection is kept that nobody uses.
const LONGEST_UNUSED: Duration = Duration::from_mins(5);
/// Servers with which sessions may be taken up again. An account has one or two: its API, and one that
/// renews its tokens.
const SERVERS: usize = 2;
/// What rustls counts for one.
const TICKETS: usize = 8;

/// The clients of each certificate.
pub(super) struct Identities {
    dial: Dial,
    /// Without a certificate.
    tls: ClientConfig,
    connect: Duration,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    by_identity: Mutex<HashMap<Identity, Entry>>,
}

struct Entry {
    clients: Arc<Clients>,
    used: Instant,
}

impl Identities {
    /// All of them dial alike, and trust the same authorities.
    pub(super) fn new(dial: Dial, tls: ClientConfig, connect: Duration) -> Self {
        Self { dial, tls, connect, kept: Arc::default() }
    }

    /// What sends requests with that certificate.
    pub(super) fn clients(&self, certificate: &ClientCertificate) -> Arc<Clients> {
        let now = Instant::now();
        let mut kept = self.kept.lock();
        if let Some(entry) = kept.get_mut(&certificate.identity()) {
            entry.used = now;
            return Arc::clone(&entry.clients);
        }
        if kept.is_empty() {
            tokio::spawn(sweep(Arc::downgrade(&self.kept)));
        }
        while kept.len() >= MOST {
            let oldest = kept.iter().min_by_key(|(_, entry)| entry.used).map(|(it, _)| *it);
            oldest.and_then(|oldest| kept.remove(&oldest));
        }
        let mut tls = self.tls.clone();
        tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certificate.certified()));
        tls.resumption = Resumption::in_memory_sessions(SERVERS * TICKETS);
        let clients = Arc::new(Clients::new(&self.dial, &tls, self.connect));
        kept.insert(certificate.identity(), Entry { clients: Arc::clone(&clients), used: now });
        clients
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, HashMap<Identity, Entry>> {
        // Each change is whole by itself.
        self.by_identity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets go of what nobody uses, until nothing is left.
async fn sweep(kept: Weak<Kept>) {
    loop {
        sleep(LONGEST_UNUSED / 5).await;
        let Some(kept) = kept.upgrade() else { return };
        let mut kept = kept.lock();
        kept.retain(|_, entry| entry.used.elapsed() < LONGEST_UNUSED);
        if kept.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
