//! A server, its clients, and documents to send it. Every answer passes [`Scene::send`], which sees
//! that no secret is in any that must not hold one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign::clock::SystemClock;
use countersign::egress::EgressConfig;
use countersign::random::{SeededRandom, SystemRandom};
use countersign::sandbox::Limits;
use countersign::{Countersign, Egress, Registry, Sandbox};
use countersign_gateway::{Gateway, Parts, Server, Settings};
use countersign_vault::key::MasterKey;
use countersign_vault::{By, Clients as _, Follows as _, Hash, NewClient, Role, SqlVault};
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// In every secret that these tests send. No answer but one that reveals may hold it.
pub(crate) const CANARY: &str = "canary";

/// What callers reach the gateway by, as it is told.
pub(crate) const PUBLIC_URL: &str = "https://gateway.example";

/// What clients of these tests authenticate with.
const SECRET: &str = "sks_test-canary";

pub(crate) struct Scene {
    pub(crate) url: String,
    pub(crate) vault: Arc<SqlVault>,
    /// Of a client that may do everything.
    pub(crate) token: String,
    client: Client,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Json,
}

/// The bundled plugins, loaded once.
fn plugins() -> (Arc<Sandbox>, Arc<Registry>) {
    static PLUGINS: OnceLock<(Arc<Sandbox>, Arc<Registry>)> = OnceLock::new();
    PLUGINS
        .get_or_init(|| {
            let sandbox = Arc::new(Sandbox::new(Limits::default(), None).unwrap());
            let bundled: Vec<_> =
                countersign_bundle::components().iter().map(|it| (it.name, it.bytes)).collect();
            let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
            let pins = BTreeMap::new();
            let registry = Registry::new(sandbox.clone(), clock, random, &bundled, None, pins);
            (sandbox, Arc::new(registry.unwrap()))
        })
        .clone()
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(mut settings: Settings) -> Self {
        settings.tokens_per_minute = 10_000;
        settings.token_attempts_per_minute = 10_000;
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::generate(&SeededRandom::new(1)).unwrap();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let path = folder.path().join("vault.db");
        let vault = SqlVault::open(&path, vec![master], clock.clone(), random.clone()).await;
        let vault = Arc::new(vault.unwrap());
        let (sandbox, registry) = plugins();
        let egress = Egress::new(EgressConfig::default()).unwrap();
        let host =
            Countersign::builder(sandbox, registry, egress).store(Arc::clone(&vault) as _).build();
        let following = vault.follow().await.unwrap();
        let parts = Parts {
            vault: Arc::clone(&vault) as _,
            following,
            host,
            clock,
            random,
            settings,
            audit: None,
            public_url: Some(PUBLIC_URL.to_owned()),
        };
        let address: SocketAddr = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(address, None, Gateway::new(parts).unwrap()).await.unwrap();
        let url = format!("http://{}", server.address().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.run(async { drop(stopped.await) }, Duration::ZERO));
        let client = Client::builder().no_proxy().build().unwrap();
        let token = String::new();
        let mut scene = Self { url, vault, token, client, _stop: stop, _folder: folder };
        scene.token = scene.caller("root", &Role::ALL, None, None).await;
        scene
    }

    /// The token of a new client.
    pub(crate) async fn caller(
        &self,
        id: &str,
        roles: &[Role],
        connections: Option<&[&str]>,
        identifiers: Option<&[&str]>,
    ) -> String {
        let list = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        let new = NewClient {
            id: Some(id.to_owned()),
            name: id.to_owned(),
            secret_hash: Hash::of(SECRET),
            roles: roles.iter().copied().collect::<BTreeSet<_>>(),
            connections: connections.map(list),
            identifiers: identifiers.map(list),
        };
        let by = By { client: "test".to_owned(), request: "test".to_owned() };
        self.vault.create_client(&by, &new).await.unwrap();
        self.token_of(id, SECRET).await.unwrap()
    }

    /// The token of a client with this secret.
    pub(crate) async fn token_of(&self, id: &str, secret: &str) -> Option<String> {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let request = self.client.post(format!("{}/oauth/token", self.url));
        let answer = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        let json: Json = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        json["access_token"].as_str().map(str::to_owned)
    }

    /// One call, by the client of this token, of a path under `/api/v1`.
    pub(crate) async fn send(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<(&str, String)>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method.clone(), format!("{}/api/v1{path}", self.url));
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        if !path.starts_with("/connected_accounts/auth") {
            assert!(!text.contains(CANARY), "{method} {path} tells a secret: {text}");
        }
        let tells = method == "POST" && path.starts_with("/clients");
        assert!(tells || !text.contains("sks_"), "{method} {path} tells a secret: {text}");
        assert_eq!(headers[CACHE_CONTROL], "no-store", "{method} {path}");
        assert_eq!(headers.contains_key("countersign-error"), status >= 400, "{method} {path}");
        let json =
            if method == "HEAD" { json!(null) } else { serde_json::from_str(&text).unwrap() };
        Answer { status, headers, json }
    }

    /// One call, with a JSON body unless it is null.
    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &Json,
    ) -> Answer {
        let body = (!body.is_null()).then(|| ("application/json", body.to_string()));
        self.send(token, method, path, body).await
    }

    /// The same, by the client that may do everything.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Json) -> Answer {
        self.call_as(&self.token, method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &json!(null)).await
    }

    /// A provider, and a connection to it of this name; the connection.
    pub(crate) async fn connection(&self, provider: &Json, name: &str, settings: Json) -> Json {
        let made = self.call("POST", "/custom-providers", provider).await;
        assert!([201, 409].contains(&made.status), "{}", made.json);
        let mut connection = settings;
        connection["provider_key"] =
            provider["display_name"].as_str().unwrap().to_lowercase().into();
        connection["key_id"] = name.into();
        let body = json!({"connection": connection});
        let made = self.call("POST", "/connections", &body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["connection"].clone()
    }

    pub(crate) async fn account(&self, connector: &str, identifier: &str, details: Json) -> Answer {
        let body = json!({"connector": connector, "identifier": identifier,
            "connected_account": {"authorization_details": details}});
        self.call("POST", "/connected_accounts", &body).await
    }
}

impl Answer {
    /// The status and the code of a fault.
    pub(crate) fn fault(&self) -> (u16, &str) {
        (self.status, self.json["error_code"].as_str().unwrap_or_default())
    }

    /// The fields that are wrong.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let info = &self.json["details"][0]["validation_error_info"]["field_violations"];
        info.as_array().into_iter().flatten().map(|it| it["field"].as_str().unwrap()).collect()
    }

    /// What this member of each row is.
    pub(crate) fn each(&self, list: &str, member: &str) -> Vec<&str> {
        let list = self.json[list].as_array().unwrap();
        list.iter().map(|it| it[member].as_str().unwrap()).collect()
    }
}

pub(crate) fn details(values: &Json) -> Json {
    json!({"static_auth": {"details": values}})
}

/// A key, at a host of the account's own.
pub(crate) fn desk() -> Json {
    json!({
        "display_name": "Desk", "proxy_url": "https://{{domain}}/api", "proxy_enabled": true,
        "auth_patterns": [{"type": "BASIC", "fields": [
            {"field_name": "domain", "required": true},
            {"field_name": "username", "required": true, "input_type": "password"},
        ]}],
    })
}

/// OAuth.
pub(crate) fn shop() -> Json {
    json!({
        "display_name": "Shop", "proxy_url": "https://api.shops.example", "proxy_enabled": true,
        "auth_patterns": [{
            "type": "OAUTH", "account_fields": [{"field_name": "tenant"}],
            "oauth_config": {
                "authorize_uri": "https://login.shops.example/authorize",
                "token_uri": "https://login.shops.example/token",
            },
        }],
    })
}
