//! A grant of OAuth 1.0a from its beginning to a request, with a server on loopback that speaks it.
//!
//! Takes the server's URL, the client's key and its secret, and says in one line what came of it.
//! `cargo xtask check` runs it with oauthlib at the other end, whose user consents at once.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use countersign::flow::{Callback, GrantRequest, Progress};
use countersign::store::MemoryStore;
use countersign::{Countersign, Registry, Sandbox, sandbox::Limits};
use countersign_tests::{subject, world};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, id, secret] = &arguments[..] else { bail!("a URL, an id and a secret are needed") };
    say(&granted(url, id, secret).await?);
    Ok(())
}

async fn granted(url: &str, id: &str, secret: &str) -> Result<String> {
    let sandbox = Arc::new(Sandbox::new(Limits::default(), None)?);
    let registry = Registry::bundled(Arc::clone(&sandbox), &countersign_bundle::all())?;
    let (egress, settings) = world::unencrypted();
    let host = Countersign::builder(sandbox, registry.into(), egress)
        .store(Arc::new(MemoryStore::default()))
        .settings(settings)
        .build();
    let provider = json!({
        "display_name": "Photos", "proxy_url": url, "proxy_enabled": true,
        "auth_patterns": [{"type": "OAUTH1", "oauth_config": {
            "request_token_uri": format!("{url}/initiate"),
            "authorize_uri": format!("{url}/authorize"),
            "token_uri": format!("{url}/token"),
            "attributes": ["user"],
        }}],
    });
    let connection = json!({"client_id": id, "client_secret": secret});
    let account = json!({"identifier": "user-1", "authorization_details": {"oauth_token": {}}});
    let subject = subject(&provider, &connection, &account);

    let redirect_uri = "https://gw.example/back?x=1".to_owned();
    let request = GrantRequest { redirect_uri, ..GrantRequest::default() };
    let paused = match host.begin_grant(&subject, request).await {
        Ok(Progress::Paused(paused)) => *paused,
        Ok(Progress::Done(_)) => bail!("nobody was asked"),
        Err(error) => return Ok(format!("refused: {}", error.code())),
    };
    let page = paused.prompt.as_ref().context("there is no page")?.url.clone();
    let back = consent(page).await?;
    let callback = Callback::Parameters(back.query_pairs().into_owned().collect());
    let Progress::Done(state) = host.resume(&subject, paused, callback).await? else {
        bail!("it does not end");
    };
    let user = state.attributes.get("user").context("the server names no user")?;
    let (status, body) = world::status(&host, &subject, "/photos?size=original&size=small").await?;
    Ok(format!("granted for {user}: {status} {}", String::from_utf8_lossy(&body)))
}

/// Where the user's browser is sent once they have consented.
async fn consent(page: url::Url) -> Result<url::Url> {
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let reply = browser.build()?.get(page).send().await?;
    let location = reply.headers().get("location").context("the server does not send it back")?;
    Ok(location.to_str()?.parse()?)
}

#[expect(clippy::print_stdout, reason = "what a program tells its caller")]
fn say(line: &str) {
    println!("{line}");
}
