//! The other accounts: whoever attacks, these go on being served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign::{Countersign, Subject};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::{header, json, seen, subject};

/// Where the requests of [`bearer`] go.
pub const BEARER_HOST: &str = "api.example.com";

/// A new account with a token of its own, under the untouched BEARER payload.
pub fn bearer(id: &str) -> Arc<Subject> {
    let payload = json("tests/vectors/payloads/bearer.json");
    let details = json!({"token": format!("token-of-{id}")});
    let account =
        json!({"identifier": id, "authorization_details": {"static_auth": {"details": details}}});
    subject(&payload, &json!({}), &account)
}

/// Requests for BEARER accounts, one after the other, until stopped.
pub struct Others {
    stop: Arc<AtomicBool>,
    task: JoinHandle<usize>,
}

impl Others {
    /// Begins. Each account is a new one, so that each request calls into the sandbox.
    pub fn start(host: &Countersign) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (host, stopped) = (host.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut served = 0;
            while served == 0 || !stopped.load(Ordering::Relaxed) {
                serve_one(&host, &format!("other-{served}")).await;
                served += 1;
            }
            served
        });
        Self { stop, task }
    }

    /// Ends, and says how many were served.
    ///
    /// # Panics
    ///
    /// Where one was not.
    pub async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("every other account is served")
    }
}

/// One request for an account of its own, which must be served with its own token.
///
/// # Panics
///
/// Where it is not, or not within half a minute.
pub async fn serve_one(host: &Countersign, id: &str) {
    let account = bearer(id);
    let request = seen(host, &account, "/v1/x");
    let seen = tokio::time::timeout(Duration::from_secs(30), request).await;
    let seen = seen.expect("in time").expect("served");
    assert_eq!(header(&seen, "authorization"), [format!("Bearer token-of-{id}")]);
}
