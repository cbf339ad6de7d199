//! What a write leaves of what was cached, in one process and in another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use countersign::account::Status;
use countersign::store::Store as _;
use countersign_vault::{
    Account, AccountChange, Accounts as _, Change, Client, Clients as _, Connection,
    ConnectionChange, Connections as _, Follows as _, Hash, NewClient, NewOrigins, Provider,
    ProviderChange, Providers as _, SqlVault, StateChange,
};

use crate::entries::{Entries, LONG, has, keep};
use crate::scene::{API, LOGIN, Scene, account, by, connection, fill, given, key, origins, state};

fn client(id: Option<&str>) -> NewClient {
    NewClient {
        id: id.map(str::to_owned),
        name: "agents".to_owned(),
        secret_hash: Hash::of("secret"),
        roles: BTreeSet::new(),
        connections: None,
        identifiers: None,
    }
}

/// Two processes, and what there is for them to change.
struct Stage {
    scene: Scene,
    vault: SqlVault,
    _other: SqlVault,
    caches: [Arc<Entries>; 2],
    names: Vec<(&'static str, Change)>,
    provider: Provider,
    connection: Connection,
    empty: Connection,
    account: Account,
    client: Client,
}

impl Stage {
    async fn new() -> Self {
        let scene = Scene::new();
        let vault = scene.open().await.with_cache_lease(LONG);
        let other = scene.open().await.with_cache_lease(LONG);
        let (provider, connection, account) = fill(&vault).await;
        let empty = crate::scene::connection("acme-2", &provider);
        let empty = vault.create_connection(&by(), &empty).await.unwrap();
        vault.create_provider(&by(), "unused", "{}").await.unwrap();
        let client = vault.create_client(&by(), &client(None)).await.unwrap();
        let shared = key("acme-1", None);
        let claim = vault.claim(&shared).await.unwrap();
        vault.save(&shared, &claim, 0, state("shared")).await.unwrap();
        drop(claim);
        let names = vec![
            ("acme", Change::Provider("acme".into())),
            ("unused", Change::Provider("unused".into())),
            ("new", Change::Provider("new".into())),
            ("acme-1", Change::Connection(connection.id.as_str().into())),
            ("shared", Change::State(connection.id.as_str().into())),
            ("acme-2", Change::Connection(empty.id.as_str().into())),
            ("u1", Change::Account(account.id.as_str().into())),
            ("state", Change::State(account.id.as_str().into())),
            ("client", Change::Client(client.id.as_str().into())),
            ("chosen", Change::Client("chosen".into())),
        ];
        let caches = [
            Entries::new(&vault.follow().await.unwrap(), 100),
            Entries::new(&other.follow().await.unwrap(), 100),
        ];
        for cache in &caches {
            for (name, change) in &names {
                keep(cache, name, change);
            }
        }
        Self {
            scene,
            vault,
            _other: other,
            caches,
            names,
            provider,
            connection,
            empty,
            account,
            client,
        }
    }

    async fn newest(&self) -> i64 {
        self.scene.number("SELECT MAX(number) FROM changes").await
    }

    fn gone(&self, cache: &Entries) -> Vec<&'static str> {
        let names = self.names.iter().map(|(name, _)| *name);
        names.filter(|name| !has(cache, name)).collect()
    }

    async fn update_provider(&self, wanted: &[&str], new_origins: NewOrigins) {
        let ids = [&self.connection.id, &self.empty.id];
        let origins = BTreeMap::from(ids.map(|id| (id.clone(), origins(wanted))));
        let payload = "{}".to_owned();
        let change = ProviderChange { over: 1, payload, origins, new_origins };
        self.vault.update_provider(&by(), "acme", &change).await.unwrap();
    }

    async fn update_connection(&self, change: ConnectionChange) {
        let change = ConnectionChange { over: 1, ..change };
        self.vault.update_connection(&by(), &self.connection.id, &change).await.unwrap();
    }

    async fn update_account(&self, change: AccountChange) {
        let change = AccountChange { over: 1, ..change };
        self.vault.update_account(&by(), &self.account.id, &change).await.unwrap();
    }

    async fn save(&self, identifier: Option<&str>) {
        let key = key("acme-1", identifier);
        let claim = self.vault.claim(&key).await.unwrap();
        let over = self.vault.state(&key).await.unwrap().unwrap().version;
        self.vault.save(&key, &claim, over, state("renewed")).await.unwrap();
    }

    async fn perform(&self, deed: &str) {
        let Self { vault, provider, connection: parent, account: child, client: caller, .. } = self;
        let settings = |wanted| Some(given("{}", wanted, 1));
        match deed {
            "create provider" => drop(vault.create_provider(&by(), "new", "{}").await.unwrap()),
            "update provider" => self.update_provider(&[API], NewOrigins::Refuse).await,
            "confirm provider" => self.update_provider(&[API, LOGIN], NewOrigins::Confirm).await,
            "disconnect provider" => self.update_provider(&[LOGIN], NewOrigins::Disconnect).await,
            "delete provider" => vault.delete_provider(&by(), "unused").await.unwrap(),
            "create connection" => {
                let new = connection("acme-3", provider);
                vault.create_connection(&by(), &new).await.unwrap();
            }
            "disable connection" => {
                let enabled = Some(false);
                self.update_connection(ConnectionChange { enabled, ..Default::default() }).await;
            }
            "give connection" => {
                let settings = settings(&[LOGIN]);
                self.update_connection(ConnectionChange { settings, ..Default::default() }).await;
            }
            "delete connection" => {
                vault.delete_connection(&by(), &self.empty.id).await.unwrap();
            }
            "create account" => {
                vault.create_account(&by(), &account("u2", parent)).await.unwrap();
            }
            "suspend account" => {
                let status = Some(Status::Disconnected);
                self.update_account(AccountChange { status, ..Default::default() }).await;
            }
            "give account" => {
                let details = settings(&[API]);
                self.update_account(AccountChange { details, ..Default::default() }).await;
            }
            "replace state" => {
                let state = StateChange::Replace(state("new"));
                self.update_account(AccountChange { state, ..Default::default() }).await;
            }
            "forget state" => {
                let state = StateChange::Forget;
                self.update_account(AccountChange { state, ..Default::default() }).await;
            }
            "delete account" => vault.delete_account(&by(), &child.id).await.unwrap(),
            "save" => self.save(Some("u1")).await,
            "save shared" => self.save(None).await,
            "create client" => {
                vault.create_client(&by(), &client(Some("chosen"))).await.unwrap();
            }
            "rotate client" => {
                vault.rotate_client(&by(), &caller.id, &Hash::of("next")).await.unwrap();
            }
            "revoke client" => drop(vault.revoke_client(&by(), &caller.id).await.unwrap()),
            "issue token" => {
                let [secret, token] = ["secret", "token"].map(Hash::of);
                let issued = vault.issue_token(&caller.id, &secret, &token, u64::MAX).await;
                assert!(issued.unwrap().is_some());
            }
            "claim" => drop(vault.claim(&key("acme-1", Some("u1"))).await.unwrap()),
            "use" => vault.used(&[(child.id.clone(), 120_000)]).await.unwrap(),
            "rotate" => drop(vault.rotate(|_| {}).await.unwrap()),
            deed => panic!("{deed}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_evicts_what_it_changes_and_no_more_in_each_process_before_it_returns() {
    for (deed, evicted) in [
        ("create provider", &["new"][..]),
        ("update provider", &["acme"]),
        ("confirm provider", &["acme", "acme-1", "shared", "acme-2", "u1", "state"]),
        ("disconnect provider", &["acme", "u1", "state"]),
        ("delete provider", &["unused"]),
        ("create connection", &[]),
        ("disable connection", &["acme-1"]),
        ("give connection", &["acme-1", "shared"]),
        ("delete connection", &["acme-2"]),
        ("create account", &[]),
        ("suspend account", &["u1"]),
        ("give account", &["u1", "state"]),
        ("replace state", &["u1", "state"]),
        ("forget state", &["u1", "state"]),
        ("delete account", &["u1", "state"]),
        ("save", &["state"]),
        ("save shared", &["shared"]),
        ("create client", &["chosen"]),
        ("rotate client", &["client"]),
        ("revoke client", &["client"]),
    ] {
        let stage = Stage::new().await;
        let before = stage.newest().await;
        stage.perform(deed).await;
        let gone = stage.caches.each_ref().map(|cache| stage.gone(cache));
        assert_eq!(gone, [evicted, evicted], "{deed}");
        assert!(stage.newest().await > before, "{deed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_caches_evicts_nothing() {
    let stage = Stage::new().await;
    let before = stage.newest().await;
    for deed in ["issue token", "claim", "use", "rotate"] {
        stage.perform(deed).await;
        assert_eq!(stage.newest().await, before, "{deed}");
    }
    for cache in &stage.caches {
        assert!(stage.gone(cache).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_a_write_is_not_kept_after_it_in_any_process() {
    let stage = Stage::new().await;
    let readings = stage.caches.each_ref().map(|cache| cache.begin());
    stage.perform("suspend account").await;
    let made_of = [Change::Account(stage.account.id.as_str().into())];
    for (cache, reading) in stage.caches.iter().zip(readings) {
        cache.keep(reading, "u1".to_owned(), Arc::new(()), &made_of);
        assert!(!has(cache, "u1"));
        cache.keep(cache.begin(), "u1".to_owned(), Arc::new(()), &made_of);
        assert!(has(cache, "u1"));
    }
}
