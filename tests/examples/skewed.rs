//! Requests signed for a store on loopback by a host whose clock is wrong.
//!
//! Takes the store's URL, an access key and its secret, where the signature goes, by how many seconds the
//! clock is ahead, and paths; says the status of each, one after the other. `cargo xtask check` runs it
//! with SeaweedFS at the other end, which refuses what is of another time.

use std::sync::Arc;

use anyhow::{Result, bail};
use countersign::clock::{Clock, SystemClock};
use countersign::store::MemoryStore;
use countersign::{Countersign, Registry, Sandbox, sandbox::Limits};
use countersign_tests::{subject, world};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, id, secret, placement, ahead, paths @ ..] = &arguments[..] else {
        bail!("a URL, an id, a secret, a placement and a number of seconds are needed")
    };
    let sandbox = Arc::new(Sandbox::new(Limits::default(), None)?);
    let registry = Registry::bundled(Arc::clone(&sandbox), &countersign_bundle::all())?;
    let (egress, settings) = world::unencrypted();
    let host = Countersign::builder(sandbox, registry.into(), egress)
        .store(Arc::new(MemoryStore::default()))
        .clock(Arc::new(Wrong(ahead.parse()?)))
        .settings(settings)
        .build();
    let field = |name: &str| json!({"field_name": name, "required": true});
    let provider = json!({
        "display_name": "Store", "proxy_url": url, "proxy_enabled": true,
        "auth_patterns": [{
            "type": "AWS_SIGV4",
            "aws_sigv4": {"service": "s3", "region": "eu-1", "placement": placement},
            "fields": [field("access_key_id"), field("secret_access_key")],
        }],
    });
    let details = json!({"access_key_id": id, "secret_access_key": secret});
    let account = json!({"identifier": "user-1",
        "authorization_details": {"static_auth": {"details": details}}});
    let subject = subject(&provider, &json!({}), &account);
    let mut statuses = Vec::new();
    for path in paths {
        statuses.push(world::status(&host, &subject, path).await?.0.to_string());
    }
    say(&statuses.join(" "));
    Ok(())
}

/// By so many seconds.
struct Wrong(i64);

impl Clock for Wrong {
    fn unix_millis(&self) -> u64 {
        SystemClock.unix_millis().saturating_add_signed(1000 * self.0)
    }
}

#[expect(clippy::print_stdout, reason = "what a program tells its caller")]
fn say(line: &str) {
    println!("{line}");
}
