//! Accounts, made as callers make them, and used once, so that what is measured finds them remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

use super::process::{CLIENT, SECRET};

/// Callers that make accounts side by side.
const SIDE_BY_SIDE: usize = 8;

/// Makes a provider, a connection `bench` and the accounts `user-0` and on; gives back a token.
pub(super) async fn fill(gateway: u16, upstream: u16, accounts: usize) -> Result<String> {
    let api = Arc::new(Api::open(gateway).await?);
    let provider = json!({
        "display_name": "Bench", "proxy_url": format!("http://127.0.0.1:{upstream}"),
        "proxy_enabled": true,
        "auth_patterns": [{"type": "BEARER", "fields": [
            {"field_name": "token", "required": true, "input_type": "password"},
        ]}],
    });
    api.post("custom-providers", &provider).await?;
    let connection = json!({"connection": {"provider_key": "bench", "key_id": "bench"}});
    api.post("connections", &connection).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let makers = (0..SIDE_BY_SIDE).map(|_| {
        let (api, next) = (Arc::clone(&api), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= accounts {
                    return anyhow::Ok(());
                }
                let details =
                    json!({"static_auth": {"details": {"token": format!("token-{nth}")}}});
                let account = json!({
                    "connector": "bench", "identifier": format!("user-{nth}"),
                    "connected_account": {"authorization_details": details},
                });
                api.post("connected_accounts", &account).await?;
                api.proxied(&format!("user-{nth}")).await?;
            }
        })
    });
    for maker in makers.collect::<Vec<_>>() {
        maker.await??;
    }
    Ok(api.token.clone())
}

/// The gateway's API, with all that its first client may do.
pub(crate) struct Api {
    http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Api {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://127.0.0.1:{port}");
        let form =
            format!("grant_type=client_credentials&client_id={CLIENT}&client_secret={SECRET}");
        let request = http.post(format!("{url}/oauth/token")).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        let json: Json = serde_json::from_slice(&answer)?;
        let token = json["access_token"].as_str().context("a token")?.to_owned();
        Ok(Self { http, url, token })
    }

    pub(crate) async fn post(&self, path: &str, json: &Json) -> Result<()> {
        let request =
            self.http.post(format!("{}/api/v1/{path}", self.url)).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").body(json.to_string());
        let answer = request.send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{path}: {status} {}", answer.text().await?);
        Ok(())
    }

    async fn proxied(&self, identifier: &str) -> Result<()> {
        let request = self.http.get(format!("{}/proxy/v1/things", self.url));
        let request = request.bearer_auth(&self.token).header("connection_name", "bench");
        let answer = request.header("identifier", identifier).send().await?.error_for_status()?;
        answer.bytes().await?;
        Ok(())
    }
}
