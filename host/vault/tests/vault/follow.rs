//! What a process may use of its cache while it cannot hear of changes, and who waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_vault::{
    Account, AccountChange, Accounts as _, Change, Following, Follows as _, Providers as _,
    SqlVault,
};
use tokio::runtime::{Builder, Runtime};

use crate::entries::{Entries, LONG, has, keep};
use crate::scene::{Scene, by, fill};

const SHORT: Duration = Duration::from_millis(400);

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
