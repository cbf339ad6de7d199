//! A service, its callers, and documents to send it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use countersign::clock::SystemClock;
use countersign::egress::EgressConfig;
use countersign::random::{SeededRandom, SystemRandom};
use countersign::sandbox::Limits;
use countersign::{Countersign, Egress, Registry, Sandbox};
use countersign_gateway::{AccountName, Caller, Fault, NewAccount, NewConnection, Service, Shown};
use countersign_vault::key::MasterKey;
use countersign_vault::{
    Account, Client, Connection, Follows as _, From, Page, Provider, Role, SqlVault,
};
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

pub(crate) struct Scene {
    pub(crate) service: Service,
    pub(crate) host: Countersign,
    pub(crate) vault: Arc<SqlVault>,
    pub(crate) caller: Caller,
    _folder: TempDir,
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

/// A caller with these roles and no limits.
pub(crate) fn caller(roles: &[Role]) -> Caller {
    limited(roles, None, None)
}

pub(crate) fn limited(
    roles: &[Role],
    connections: Option<&[&str]>,
    identifiers: Option<&[&str]>,
) -> Caller {
    let list = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    let client = Client {
        id: "skc_1".to_owned(),
        name: "test".to_owned(),
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        connections: connections.map(list),
        identifiers: identifiers.map(list),
        created_at: 0,
        updated_at: 0,
        revoked_at: None,
    };
    Caller::new(Arc::new(client), "r-1".parse().unwrap())
}

pub(crate) fn page() -> Page {
    Page { size: 50, from: From::Start }
}

/// The fields of a fault that are wrong.
pub(crate) fn fields(fault: &Fault) -> Vec<&str> {
    fault.fields.iter().map(|it| it.field.as_str()).collect()
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::generate(&SeededRandom::new(1)).unwrap();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let path = folder.path().join("vault.db");
        let vault = SqlVault::open(&path, vec![master], clock, random).await;
        let vault = Arc::new(vault.unwrap());
        let (sandbox, registry) = plugins();
        let egress = Egress::new(EgressConfig::default()).unwrap();
        let host =
            Countersign::builder(sandbox, registry, egress).store(Arc::clone(&vault) as _).build();
        let caller = caller(&Role::ALL);
        let following = vault.follow().await.unwrap();
        let service = Service::new(Arc::clone(&vault) as _, host.clone(), &following, 1000);
        Self { service, host, vault, caller, _folder: folder }
    }

    pub(crate) async fn provider(&self, payload: &Json) -> Provider {
        self.service.create_provider(&self.caller, payload).await.unwrap()
    }

    pub(crate) async fn connection(
        &self,
        provider: &Provider,
        name: &str,
        settings: Json,
    ) -> Connection {
        let new = NewConnection {
            provider: provider.identifier.clone(),
            name: Some(name.to_owned()),
            auth_pattern: None,
        };
        self.service.create_connection(&self.caller, &new, &object(settings)).await.unwrap()
    }

    pub(crate) async fn account(
        &self,
        connector: &str,
        identifier: &str,
        details: Json,
        config: Json,
    ) -> Result<Account, Fault> {
        let new = NewAccount {
            connector: connector.to_owned(),
            identifier: identifier.to_owned(),
            authorization_details: details,
            api_config: config,
        };
        self.service.create_account(&self.caller, new).await
    }

    pub(crate) async fn revealed(&self, account: &Account) -> (Json, Json) {
        let shown = self.service.reveal_account(&self.caller, &by_id(account)).await.unwrap();
        let Shown { authorization_details, api_config, .. } = shown;
        let [details, config] = [authorization_details, api_config]
            .map(|text| serde_json::from_str(text.expose()).unwrap());
        (details, config)
    }
}

pub(crate) fn by_id(account: &Account) -> AccountName {
    AccountName { id: Some(account.id.clone()), ..AccountName::default() }
}

pub(crate) fn object(json: Json) -> Map<String, Json> {
    let Json::Object(object) = json else { panic!("no object") };
    object
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

/// OAuth, at a host of the account's own.
pub(crate) fn shop() -> Json {
    json!({
        "display_name": "Shop", "proxy_url": "https://{{shop}}.shops.example/api",
        "proxy_enabled": true,
        "auth_patterns": [{
            "type": "OAUTH", "account_fields": [{"field_name": "shop"},
                {"field_name": "tenant", "pattern": "[a-z]+", "is_path_param": true}],
            "oauth_config": {
                "authorize_uri": "https://login.shops.example/authorize",
                "token_uri": "https://login.shops.example/token",
            },
        }],
    })
}
