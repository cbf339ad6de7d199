//! A proxy of your own: whatever is sent to port 8080 goes to Notion, with your token on it.
//!
//! `NOTION_TOKEN=… cargo run -p countersign-example-embed`, then
//! `curl http://127.0.0.1:8080/v1/users/me`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use countersign::{Countersign, Egress, Registry, Sandbox, Subject};
use countersign::{account::Account, connection::Connection, provider::Provider};
use countersign::{egress::EgressConfig, sandbox::Limits};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sandbox = Arc::new(Sandbox::new(Limits::default(), None)?);
    let registry = Registry::bundled(Arc::clone(&sandbox), &countersign_bundle::all())?;
    let egress = Egress::new(EgressConfig::default())?;
    let countersign = Countersign::builder(sandbox, registry.into(), egress).build();

    let provider = Provider::parse_text(include_str!("../../../providers/notion.json"))?;
    let details = serde_json::json!({"token": std::env::var("NOTION_TOKEN")?});
    let account = Account::parse(&serde_json::json!({
        "identifier": "me", "authorization_details": {"static_auth": {"details": details}}}))?;
    let (provider, connection) =
        (Arc::new(provider), Arc::new(Connection::parse(&serde_json::json!({"type": "BEARER"}))?));
    let subject = Arc::new(Subject::new("", provider, connection, account.into())?);

    let app = axum::Router::new().fallback(move |request: Request| {
        let (countersign, subject) = (countersign.clone(), Arc::clone(&subject));
        async move {
            match countersign.send(&subject, request).await {
                Ok(reply) => reply.map(Body::new),
                Err(error) => (StatusCode::BAD_GATEWAY, error.code()).into_response(),
            }
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, app).await?)
}
