//! A gateway around a vault in a folder of its own, and clients of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::clock::SystemClock;
use countersign::random::SystemRandom;
use countersign::{Countersign, Egress};
use countersign_gateway::{
    AccountUpdate, Caller, Gateway, NewAccount, NewConnection, Parts, Server, Service, Settings,
};
use countersign_tests::sandbox;
use countersign_tests::world::{bundled_registry, unencrypted};
use countersign_vault::cache::CachedStore;
use countersign_vault::key::MasterKey;
use countersign_vault::{
    Account, By, Client, Clients as _, Following, Follows as _, Hash, NewClient, Role, SqlVault,
};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::upstream::Upstream;

/// The secret of all clients.
pub(crate) const SECRET: &str = "sks_canary-of-a-client";

pub(crate) struct Scene {
    pub(crate) address: SocketAddr,
    pub(crate) folder: TempDir,
    pub(crate) vault: Arc<SqlVault>,
    pub(crate) service: Service,
    pub(crate) gateway: Gateway,
    pub(crate) http: reqwest::Client,
    /// With all roles and no limits.
    pub(crate) token: String,
    caller: Caller,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let (egress, of_host) = unencrypted();
        Self::reaching(egress, of_host, settings).await
    }

    /// One whose requests leave in this way.
    pub(crate) async fn reaching(
        egress: Egress,
        of_host: countersign::Settings,
        settings: Settings,
    ) -> Self {
        Self::begin(egress, of_host, settings, Caches::InUse).await
    }

    /// One that reads everything anew for each request, as on a machine that stalls again and again.
    pub(crate) async fn stalled() -> Self {
        let (egress, of_host) = unencrypted();
        Self::begin(egress, of_host, Settings::default(), Caches::OutOfUse).await
    }

    async fn begin(
        egress: Egress,
        of_host: countersign::Settings,
        settings: Settings,
        caches: Caches,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::generate(&SystemRandom).unwrap();
        let key = master.to_text();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let path = folder.path().join("vault.db");
        let vault = SqlVault::open(&path, vec![master], clock.clone(), random.clone()).await;
        let vault = Arc::new(vault.unwrap());
        let following = match caches {
            Caches::InUse => vault.follow().await.unwrap(),
            Caches::OutOfUse => ended(&path, &key).await,
        };
        let host = Countersign::builder(sandbox(), bundled_registry(), egress)
            .store(Arc::new(CachedStore::new(Arc::clone(&vault) as _, &following, 1000)))
            .settings(of_host)
            .build();
        let parts = Parts {
            vault: Arc::clone(&vault) as _,
            following: following.clone(),
            host: host.clone(),
            clock,
            random,
            settings,
            audit: Some(folder.path().to_owned()),
            public_url: None,
        };
        let gateway = Gateway::new(parts).unwrap();
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), None, gateway.clone());
        let server = server.await.unwrap();
        let address = server.address().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            server.run(stopped, Duration::from_secs(20)).await;
        });
        let service = Service::new(Arc::clone(&vault) as _, host, &following, 1000);
        let client = make_client(&vault, "skc_all", &Role::ALL, None).await;
        let http = reqwest::Client::builder().no_proxy();
        let http = http.redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut scene = Self {
            address,
            folder,
            vault,
            service,
            gateway,
            http,
            token: String::new(),
            caller: Caller::new(Arc::new(client), "r-1".parse().unwrap()),
            stop: Some(stop),
            running,
        };
        scene.token = scene.token_of("skc_all").await;
        scene
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client with these roles, and its token.
    pub(crate) async fn client(&self, id: &str, roles: &[Role]) -> String {
        make_client(&self.vault, id, roles, None).await;
        self.token_of(id).await
    }

    /// One that is limited to these identifiers.
    pub(crate) async fn limited(&self, id: &str, roles: &[Role], identifiers: &[&str]) -> String {
        make_client(&self.vault, id, roles, Some(identifiers)).await;
        self.token_of(id).await
    }

    pub(crate) async fn token_of(&self, id: &str) -> String {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={SECRET}");
        let answer = self.ask_token(&form).await;
        assert_eq!(answer.status(), 200);
        json_of(answer).await["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn ask_token(&self, form: &str) -> Response {
        let request = self.http.post(self.url("/oauth/token")).body(form.to_owned());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.send().await.unwrap()
    }

    /// A provider of bearer tokens at the upstream, and a connection to it.
    pub(crate) async fn connect(&self, name: &str, upstream: &Upstream) {
        self.provide(name, &bearer(name, &upstream.url("/base"))).await;
    }

    /// A provider, and a connection to it of the same name.
    pub(crate) async fn provide(&self, name: &str, payload: &Json) {
        let provider = self.service.create_provider(&self.caller, payload).await.unwrap();
        let new = NewConnection {
            provider: provider.identifier,
            name: Some(name.to_owned()),
            auth_pattern: None,
        };
        let settings = serde_json::Map::new();
        self.service.create_connection(&self.caller, &new, &settings).await.unwrap();
    }

    pub(crate) async fn account(&self, connector: &str, identifier: &str, token: &str) -> Account {
        let details = json!({"static_auth": {"details": {"token": token}}});
        self.account_of(connector, identifier, details).await
    }

    pub(crate) async fn account_of(
        &self,
        connector: &str,
        identifier: &str,
        details: Json,
    ) -> Account {
        let new = NewAccount {
            connector: connector.to_owned(),
            identifier: identifier.to_owned(),
            authorization_details: details,
            api_config: Json::Null,
        };
        self.service.create_account(&self.caller, new).await.unwrap()
    }

    pub(crate) async fn give(&self, account: &Account, token: &str) {
        let update = AccountUpdate {
            authorization_details: json!({"static_auth": {"details": {"token": token}}}),
            api_config: Json::Null,
        };
        let name = countersign_gateway::AccountName {
            id: Some(account.id.clone()),
            ..countersign_gateway::AccountName::default()
        };
        self.service.update_account(&self.caller, &name, update).await.unwrap();
    }

    /// A request through the proxy for the account `u1` of `api`.
    pub(crate) fn proxied(&self, method: &str, path: &str) -> RequestBuilder {
        self.proxied_for(method, path, "api", "u1")
    }

    pub(crate) fn proxied_for(
        &self,
        method: &str,
        path: &str,
        connector: &str,
        identifier: &str,
    ) -> RequestBuilder {
        self.http
            .request(method.parse().unwrap(), self.url(&format!("/proxy{path}")))
            .bearer_auth(&self.token)
            .header("connection_name", connector)
            .header("identifier", identifier)
    }

    /// Stops as on SIGTERM, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        (&mut self.running).await.unwrap();
        self.gateway.close().await;
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// Whether anything that was read is used again.
#[derive(Clone, Copy)]
enum Caches {
    InUse,
    OutOfUse,
}

/// What follows no more.
async fn ended(path: &Path, key: &str) -> Following {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let master = MasterKey::parse(key).unwrap();
    let vault = SqlVault::open(path, vec![master], clock, random).await.unwrap();
    let following = vault.follow().await.unwrap();
    vault.close().await;
    assert!(!following.is_current());
    following
}

/// A scene with the connection `api` to the upstream, and the account `u1` with the token `canary`.
pub(crate) async fn with_account(upstream: &Upstream) -> Scene {
    let scene = Scene::new().await;
    scene.connect("api", upstream).await;
    scene.account("api", "u1", "canary").await;
    scene
}

/// A provider of bearer tokens.
pub(crate) fn bearer(name: &str, url: &str) -> Json {
    json!({
        "display_name": name, "proxy_url": url, "proxy_enabled": true,
        "auth_patterns": [{"type": "BEARER", "fields": [
            {"field_name": "token", "required": true, "input_type": "password"},
        ]}],
    })
}

async fn make_client(
    vault: &SqlVault,
    id: &str,
    roles: &[Role],
    identifiers: Option<&[&str]>,
) -> Client {
    let list = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    let new = NewClient {
        id: Some(id.to_owned()),
        name: id.to_owned(),
        secret_hash: Hash::of(SECRET),
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        connections: None,
        identifiers: identifiers.map(list),
    };
    let by = By { client: "test".to_owned(), request: "r-0".to_owned() };
    vault.create_client(&by, &new).await.unwrap()
}

pub(crate) async fn json_of(answer: Response) -> Json {
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// The code of a fault, which the header and the body both say, and its status.
pub(crate) async fn fault(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let header = answer.headers().get("countersign-error");
    let header = header.map(|it| it.to_str().unwrap().to_owned());
    let json = json_of(answer).await;
    assert_eq!(json["error_code"].as_str(), header.as_deref(), "{json}");
    assert_eq!(json["details"][0]["error_code"], json["error_code"]);
    (status, header.unwrap())
}
