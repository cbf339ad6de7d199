//! A proxy of your own: whatever is sent to port 8080 goes to Notion, with your token on it.
//!
//! `NOTION_TOKEN=… cargo run -p countersign-example-embed`, then
//! `curl http://127.0.0.1:8080/v1/users/me`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use countersign::account::Account;
use countersign::connection::Connection;
use countersign::egress::EgressConfig;
use countersign::provider::Provider;
use countersign::sandbox::Limits;
use countersign::{Countersign, Egress, Registry, Sandbox, Subject};
use serde_json::json;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sandbox = Arc::new(Sandbox::new(Limits::default(), None)?);
    let registry = Registry::bundled(Arc::clone(&sandbox), &countersign_bundle::all())?;
    let egress = Egress::new(EgressConfig::default())?;
    let countersign = Countersign::builder(sandbox, registry.into(), egress).build();

    let provider = Provider::parse_text(include_str!("../../../providers/notion.json"))?;
    let token = std::env::var("NOTION_TOKEN")?;
    let details = json!({"static_auth": {"details": {"token": token}}});
    let account = json!({"identifier": "me", "authorization_details": details});
    let (connection, account) = (Connection::default(), Account::parse(&account)?);
    let subject = Subject::new("", provider.into(), connection.into(), account.into())?;

    let forward =
        async |countersign: Countersign, subject: Arc<Subject>, request: Request| match countersign
            .send(&subject, request)
            .await
        {
            Ok(reply) => reply.map(Body::new),
            Err(error) => (StatusCode::BAD_GATEWAY, error.code()).into_response(),
        };
    let subject = Arc::new(subject);
    let app = axum::Router::new().fallback(move |request: Request| {
        forward(countersign.clone(), Arc::clone(&subject), request)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, app).await?)
}
