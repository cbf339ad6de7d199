//! The egress, on real sockets of the loopback interface: nothing is simulated but names.

// clippy.toml allows it in tests; it does not know what serves them.
#![allow(clippy::unwrap_used)]

#[path = "../upstream/mod.rs"]
mod upstream;

mod addresses;
mod bodies;
mod certificates;
mod connections;
mod failures;
mod headers;
mod isolation;
mod own;
mod redirects;
mod timeouts;
mod tls;
mod trailers;
mod url_exactness;
mod websocket;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig, Resolver};
use http::Request;
use http_body_util::Full;

/// Answers with the listed addresses, one list a question; the last one again and again.
struct Script(Mutex<VecDeque<Vec<IpAddr>>>);

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

#[async_trait]
impl Resolver for Script {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap();
        match answers.len() {
            0 => Err(io::ErrorKind::NotFound.into()),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop_front().unwrap()),
        }
    }
}

/// A certificate authority for the tests, so that none needs those of the machine.
struct Authority {
    pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { pem, issuer: rcgen::Issuer::new(params, key) }
});

/// The defaults, and a certificate authority.
fn config() -> EgressConfig {
    EgressConfig {
        upstream_ca: vec![AUTHORITY.pem.clone().into_bytes()],
        ..EgressConfig::default()
    }
}

/// Plain HTTP to loopback is allowed.
fn loopback() -> EgressConfig {
    EgressConfig {
        allow_http: true,
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..config()
    }
}

fn egress() -> Egress {
    Egress::new(loopback()).unwrap()
}

fn get(url: &str) -> Request<Full<Bytes>> {
    Request::get(url).body(Full::default()).unwrap()
}

/// Ample for loopback; a test that reaches it has failed.
const SOON: Duration = Duration::from_secs(20);
