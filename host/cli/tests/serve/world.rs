//! What is around a server: its callers, and what its vault holds.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use countersign::clock::SystemClock;
use countersign::egress::EgressConfig;
use countersign::random::SystemRandom;
use countersign::sandbox::Limits;
use countersign::{Countersign, Egress, Registry, Sandbox, Settings};
use countersign_gateway::{Caller, NewAccount, NewConnection, Service};
use countersign_vault::key::KeySource;
use countersign_vault::{Client, Follows as _, Role, SqlVault};
use reqwest::{Response, StatusCode};
use serde_json::{Value as Json, json};

/// Asks for a token.
pub(crate) async fn ask_token(
    http: &reqwest::Client,
    url: &str,
    id: &str,
    secret: &str,
) -> Response {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let request = http.post(format!("{url}/oauth/token"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(form).send().await.unwrap()
}

/// A token, which is given.
pub(crate) async fn token(url: &str, id: &str, secret: &str) -> String {
    let reply = ask_token(&reqwest::Client::new(), url, id, secret).await;
    assert_eq!(reply.status(), StatusCode::OK);
    let json: Json = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
    json["access_token"].as_str().unwrap().to_owned()
}

/// A request through the proxy for the account `user` of the connection `slow`.
pub(crate) async fn proxied(url: &str, token: &str) -> reqwest::Result<Response> {
    let request = reqwest::Client::new().get(format!("{url}/proxy/things"));
    let request = request.header("connection_name", "slow").header("identifier", "user");
    request.bearer_auth(token).send().await
}

/// Puts a provider at this address into the vault, with the connection `slow` and the account `user`.
pub(crate) async fn populate(folder: &Path, proxy_url: &str) {
    let master = KeySource::File(folder.join("master.key")).read().unwrap();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let vault = SqlVault::open(&folder.join("countersign.db"), vec![master], clock, random).await;
    let vault = Arc::new(vault.unwrap());
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command-cache");
    let sandbox = Arc::new(Sandbox::new(Limits::default(), Some(&cache)).unwrap());
    let bundled: Vec<_> =
        countersign_bundle::components().iter().map(|it| (it.name, it.bytes)).collect();
    let registry = Arc::new(Registry::bundled(Arc::clone(&sandbox), &bundled).unwrap());
    let egress = Egress::new(EgressConfig::default()).unwrap();
    let mut settings = Settings::default();
    settings.target.http = true;
    let builder = Countersign::builder(sandbox, registry, egress).settings(settings);
    let host = builder.store(Arc::clone(&vault) as _).build();
    let following = vault.follow().await.unwrap();
    let service = Service::new(Arc::clone(&vault) as _, host, &following, 10);
    let client = Client {
        id: "test".to_owned(),
        name: "test".to_owned(),
        roles: BTreeSet::from(Role::ALL),
        connections: None,
        identifiers: None,
        created_at: 0,
        updated_at: 0,
        revoked_at: None,
    };
    let caller = Caller::new(Arc::new(client), "r-1".parse().unwrap());
    let payload = json!({
        "display_name": "Slow", "proxy_url": proxy_url, "proxy_enabled": true,
        "auth_patterns": [{"type": "BEARER", "fields": [
            {"field_name": "token", "required": true, "input_type": "password"},
        ]}],
    });
    let provider = service.create_provider(&caller, &payload).await.unwrap();
    let new = NewConnection {
        provider: provider.identifier,
        name: Some("slow".to_owned()),
        auth_pattern: None,
    };
    service.create_connection(&caller, &new, &serde_json::Map::new()).await.unwrap();
    let new = NewAccount {
        connector: "slow".to_owned(),
        identifier: "user".to_owned(),
        authorization_details: json!({"static_auth": {"details": {"token": "canary-account"}}}),
        api_config: json!({}),
    };
    service.create_account(&caller, new).await.unwrap();
    vault.close().await;
}
