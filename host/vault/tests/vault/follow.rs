//! What was cached, in one process and in another, and what a write leaves of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::account::Status;
use countersign::store::Store as _;
use countersign_vault::cache::Cache;
use countersign_vault::{
    Account, AccountChange, Accounts as _, Change, Client, Clients as _, Connection,
    ConnectionChange, Connections as _, Following, Follows as _, Hash, NewClient, NewOrigins,
    Provider, ProviderChange, Providers as _, SqlVault, StateChange,
};
use tokio::runtime::{Builder, Runtime};

use crate::scene::{API, LOGIN, Scene, account, by, connection, fill, given, key, origins, state};

/// So long that a busy machine does not end it.
const LONG: Duration = Duration::from_mins(1);

const SHORT: Duration = Duration::from_millis(400);

/// One entry for each thing that may change, by a name for it.
type Entries = Cache<String, ()>;

fn keep(entries: &Entries, key: &str, change: &Change) {
    entries.keep(entries.begin(), key.to_owned(), Arc::new(()), std::slice::from_ref(change));
}

fn has(entries: &Entries, key: &str) -> bool {
    entries.get(&key.to_owned()).is_some()
}

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

/// A process that runs only while it is told to: its runtime has no thread of its own.
struct Process {
    runtime: Runtime,
    _vault: SqlVault,
    following: Following,
    cache: Arc<Entries>,
}

impl Process {
    fn new(scene: &Scene, lease: Duration) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (vault, following) = runtime.block_on(async {
            let vault = scene.open().await.with_cache_lease(lease);
            let following = vault.follow().await.unwrap();
            (vault, following)
        });
        let cache = Entries::new(&following, 100);
        Self { runtime, _vault: vault, following, cache }
    }

    /// Runs until its cache may be used.
    fn wake(&self) {
        self.run(|| self.following.is_current());
    }

    /// Runs until then.
    fn run(&self, until: impl Fn() -> bool) {
        let waits = async {
            while !until() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        self.runtime.block_on(async { tokio::time::timeout(LONG, waits).await.unwrap() });
    }

    /// Keeps one entry, which it answers with.
    fn remember(&self, key: &str, change: &Change) {
        self.run(|| {
            keep(&self.cache, key, change);
            has(&self.cache, key)
        });
    }
}

/// A writer with threads of its own, and the accounts that it writes.
struct Writer {
    runtime: Runtime,
    vault: SqlVault,
    account: Account,
}

impl Writer {
    fn new(scene: &Scene, lease: Duration) -> Self {
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        let (vault, account) = runtime.block_on(async {
            let vault = scene.open().await.with_cache_lease(lease);
            let (.., account) = fill(&vault).await;
            (vault, account)
        });
        Self { runtime, vault, account }
    }

    fn change(&self) -> Change {
        Change::Account(self.account.id.as_str().into())
    }

    /// Changes the account; how long that took.
    fn write(&self, over: u64) -> Duration {
        let began = Instant::now();
        let (by, change) = (by(), AccountChange { over, ..Default::default() });
        let write = self.vault.update_account(&by, &self.account.id, &change);
        self.runtime.block_on(write).unwrap();
        began.elapsed()
    }

    fn number(&self, scene: &Scene, statement: &'static str) -> i64 {
        self.runtime.block_on(scene.number(statement))
    }

    fn meddle(&self, scene: &Scene, statement: &'static str) {
        self.runtime.block_on(scene.meddle(statement));
    }
}

const NODES: &str = "SELECT COUNT(*) FROM nodes";

#[test]
fn a_process_that_stalls_is_waited_for_until_its_cache_is_out_of_use_and_comes_back_with_nothing() {
    let scene = Scene::new();
    let writer = Writer::new(&scene, SHORT);
    let process = Process::new(&scene, SHORT);
    // Beyond its first lease, so that it has looked.
    let began = Instant::now();
    process.run(|| began.elapsed() > SHORT);
    process.wake();
    process.remember("u1", &writer.change());
    let reading = process.cache.begin();
    // Nothing of it runs from here on.
    let took = writer.write(1);
    assert!(!process.following.is_current() && !has(&process.cache, "u1"));
    assert!(took < 20 * SHORT, "{took:?}");
    assert_eq!(writer.number(&scene, NODES), 0, "nobody has to wait for it again");
    assert_eq!(process.cache.len(), 1, "it does not know yet");
    process.wake();
    assert!(process.cache.is_empty());
    process.cache.keep(reading, "u1".to_owned(), Arc::new(()), &[writer.change()]);
    assert!(process.cache.is_empty(), "it was read before");
    assert_eq!(writer.number(&scene, NODES), 1);
}

#[test]
fn a_process_that_was_silent_for_a_lease_trusts_nothing_that_it_has() {
    let scene = Scene::new();
    let writer = Writer::new(&scene, SHORT);
    let process = Process::new(&scene, SHORT);
    process.remember("u1", &writer.change());
    while process.following.is_current() {
        std::thread::yield_now();
    }
    process.wake();
    assert!(process.cache.is_empty());
}

#[test]
fn a_process_that_has_died_costs_one_write_a_lease_and_the_next_ones_nothing() {
    let scene = Scene::new();
    let lease = Duration::from_secs(2);
    let writer = Writer::new(&scene, lease);
    writer.meddle(&scene, "INSERT INTO nodes (node, seen) VALUES ('dead', 0)");
    assert!(writer.write(1) >= lease);
    assert!(writer.write(2) < lease);
}

#[test]
fn a_process_whose_row_is_gone_registers_again_with_nothing() {
    for statement in [
        "DELETE FROM nodes",
        // The database was put back to what it was.
        "UPDATE nodes SET seen = seen - 1",
    ] {
        let scene = Scene::new();
        let writer = Writer::new(&scene, LONG);
        let process = Process::new(&scene, LONG);
        process.remember("u1", &writer.change());
        writer.meddle(&scene, statement);
        process.run(|| process.cache.is_empty());
        process.wake();
        assert_eq!(writer.number(&scene, NODES), 1, "{statement}");
    }
}

#[test]
fn a_process_that_has_missed_changes_trusts_nothing_that_it_has() {
    for (statement, trusts) in [
        ("DELETE FROM changes WHERE number < (SELECT MAX(number) FROM changes)", false),
        ("UPDATE counter SET value = value + 1", true),
        // By a newer version of this program.
        (
            "UPDATE changes SET kind = 'other' WHERE number = (SELECT MAX(number) FROM changes)",
            false,
        ),
    ] {
        let scene = Scene::new();
        let writer = Writer::new(&scene, LONG);
        let process = Process::new(&scene, LONG);
        process.remember("other", &Change::Account("other".into()));
        std::thread::scope(|scope| {
            // It waits for the process, and has logged its changes before.
            let before = writer.number(&scene, "SELECT MAX(number) FROM changes");
            let written = scope.spawn(|| writer.write(1));
            while writer.number(&scene, "SELECT MAX(number) FROM changes") == before {}
            writer.meddle(&scene, statement);
            process.run(|| written.is_finished());
            written.join().unwrap();
        });
        process.wake();
        assert_eq!(has(&process.cache, "other"), trusts, "{statement}");
    }
}

/// Or it would be taken away and yet be in use.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_cannot_say_what_it_has_seen_is_out_of_use_before_it_is_given_up() {
    let scene = Scene::new();
    let vault = scene.open().await.with_cache_lease(SHORT);
    let other = scene.open().await.with_cache_lease(SHORT);
    let (.., account) = fill(&vault).await;
    let following = other.follow().await.unwrap();
    for statement in [
        "CREATE TRIGGER silent BEFORE UPDATE ON nodes BEGIN SELECT RAISE(ABORT, 'no'); END",
        "CREATE TRIGGER absent BEFORE INSERT ON nodes BEGIN SELECT RAISE(ABORT, 'no'); END",
    ] {
        scene.meddle(statement).await;
    }
    let change = AccountChange { over: 1, ..Default::default() };
    vault.update_account(&by(), &account.id, &change).await.unwrap();
    assert!(!following.is_current());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_closed_or_dropped_is_waited_for_no_more_and_its_cache_is_out_of_use() {
    let scene = Scene::new();
    let vault = scene.open().await.with_cache_lease(LONG);
    let following = vault.follow().await.unwrap();
    assert!(following.is_current());
    assert_eq!(scene.number(NODES).await, 1);
    vault.close().await;
    assert!(!following.is_current());
    assert_eq!(scene.number(NODES).await, 0);

    let vault = scene.open().await.with_cache_lease(LONG);
    let following = vault.follow().await.unwrap();
    drop(vault);
    while following.is_current() || scene.number(NODES).await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn only_the_newest_changes_are_kept() {
    let scene = Scene::new();
    fill(&scene.open().await).await;
    scene
        .meddle(
            "WITH RECURSIVE n (value) AS (SELECT 1000 UNION ALL SELECT value + 1 FROM n \
             WHERE value < 25000) INSERT INTO changes SELECT value, 'account', 'a', '' FROM n",
        )
        .await;
    scene.meddle("UPDATE counter SET value = 26000").await;
    let vault = scene.open().await;
    vault.create_provider(&by(), "another", "{}").await.unwrap();
    assert_eq!(scene.number("SELECT COUNT(*) FROM changes").await, 10_000);
    let newest = "SELECT COUNT(*) FROM changes WHERE name = 'another'";
    assert_eq!(scene.number(newest).await, 1);
}
