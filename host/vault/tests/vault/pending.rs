//! Flows that wait for a user: given once, to whoever comes in time, and to nobody who reads the file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::account::Status;
use countersign::clock::Clock as _;
use countersign::store::{Row, Store as _};
use countersign_vault::{
    Account, AccountChange, Accounts as _, Connection, ConnectionChange, Connections as _, Hash,
    NewOrigins, PendingFlow, PendingFlows as _, ProviderChange, Providers as _, SqlVault, Taken,
    VaultError,
};
use tokio::task::JoinSet;

use crate::scene::{API, LOGIN, Scene, account, by, connection, fill, key, origins, state};

const CONTENT: &str = r#"{"cursor":"canary-of-the-flow"}"#;
const TOKEN: &str = "canary-of-the-token";
const MINUTE: u64 = 60;

/// A flow of the row at its first version, which ends in a minute.
fn flow(scene: &Scene, id: &str) -> PendingFlow {
    PendingFlow {
        row: Row { id: id.into(), version: 1 },
        origins: origins(&[API, LOGIN]),
        content: CONTENT.into(),
        ends_at: scene.clock.unix_millis() + MINUTE * 1000,
    }
}

async fn put(scene: &Scene, vault: &SqlVault, token: &str, id: &str) {
    vault.put_flow(&Hash::of(token), &flow(scene, id)).await.unwrap();
}

async fn take(vault: &SqlVault, token: &str) -> Taken {
    vault.take_flow(&Hash::of(token)).await.unwrap()
}

async fn kept(scene: &Scene) -> i64 {
    scene.number("SELECT COUNT(*) FROM pending_flows").await
}

fn told(taken: &Taken) -> &'static str {
    match taken {
        Taken::Flow(_) => "flow",
        Taken::Ended => "ended",
        Taken::Moved => "moved",
        Taken::Nothing => "nothing",
    }
}

#[tokio::test]
async fn a_flow_waits_through_the_death_of_its_process_and_is_given_once() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    for id in [&account.id, &connection.id] {
        put(&scene, &vault, id, id).await;
        // The first one is not closed, as one that is killed is not.
        let other = scene.open().await;
        let Taken::Flow(found) = take(&other, id).await else { panic!("it waits") };
        let kept = flow(&scene, id);
        assert_eq!((found.row, found.origins), (kept.row, kept.origins));
        assert_eq!((found.content.expose(), found.ends_at), (CONTENT, kept.ends_at));
        for vault in [&vault, &other] {
            assert_eq!(told(&take(vault, id).await), "nothing");
        }
    }
    assert_eq!(told(&take(&vault, "made up").await), "nothing");
}

#[tokio::test]
async fn neither_a_pending_flow_nor_its_token_is_in_the_files_in_any_spelling() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (.., account) = fill(&vault).await;
    put(&scene, &vault, TOKEN, &account.id).await;
    let mut spellings = Vec::new();
    for word in ["canary-of-the-flow", TOKEN] {
        spellings.push(word.as_bytes().to_vec());
        spellings.push(word.encode_utf16().flat_map(u16::to_le_bytes).collect());
        let hex: Vec<u8> =
            word.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
        spellings.extend([hex.to_ascii_uppercase(), hex]);
        // Wherever it begins in a longer text: what stands for its own bytes alone.
        for before in 0..3 {
            let text = STANDARD.encode([&b"..."[..before], word.as_bytes()].concat());
            spellings.push(text.trim_end_matches('=').as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    let has = |text: &[u8]| scene.bytes().windows(text.len()).any(|it| it == text);
    for step in ["kept", "taken", "closed"] {
        match step {
            "kept" => assert!(has(account.id.as_bytes()), "the files are searched"),
            "taken" => assert_eq!(told(&take(&vault, TOKEN).await), "flow"),
            _ => vault.close().await,
        }
        for spelling in &spellings {
            assert!(!has(spelling), "{step}: {}", String::from_utf8_lossy(spelling));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_ask_at_the_same_time_in_two_processes_one_is_given_the_flow() {
    let scene = Scene::new();
    let vaults = [Arc::new(scene.open().await), Arc::new(scene.open().await)];
    let (.., account) = fill(&vaults[0]).await;
    for round in 0..8 {
        let token = format!("token-{round}");
        put(&scene, &vaults[0], &token, &account.id).await;
        let together = Arc::new(tokio::sync::Barrier::new(8));
        let mut takers = JoinSet::new();
        for nth in 0..8 {
            let (vault, token) = (Arc::clone(&vaults[nth % 2]), token.clone());
            let together = Arc::clone(&together);
            takers.spawn(async move {
                together.wait().await;
                told(&take(&vault, &token).await)
            });
        }
        let mut told = takers.join_all().await;
        told.sort_unstable();
        assert_eq!(told, [&["flow"][..], &["nothing"; 7]].concat());
    }
}

/// What happens to a flow's row between its beginning and its callback.
#[derive(Clone, Copy, Debug)]
enum Event {
    Seconds(u64),
    Used,
    Renewed,
    Changed,
    Confirmed,
    ConnectionChanged,
    Deleted,
    DeletedBeneath,
    MadeAnew,
}

async fn happen(event: Event, scene: &Scene, vault: &SqlVault, it: (&Connection, &Account)) {
    let (first, it) = it;
    match event {
        Event::Seconds(seconds) => scene.clock.pass(seconds),
        Event::Used => vault.used(&[(it.id.clone(), 60_000)]).await.unwrap(),
        Event::Renewed => {
            let key = key("acme-1", Some("u1"));
            let claim = vault.claim(&key).await.unwrap();
            let over = vault.state(&key).await.unwrap().unwrap().version;
            vault.save(&key, &claim, over, state("renewed")).await.unwrap();
        }
        Event::Changed => {
            let status = Some(Status::PendingAuth);
            let change = AccountChange { over: 1, status, ..AccountChange::default() };
            vault.update_account(&by(), &it.id, &change).await.unwrap();
        }
        Event::Confirmed => {
            let change = ProviderChange {
                over: 1,
                payload: "{}".to_owned(),
                origins: BTreeMap::from([(first.id.clone(), origins(&[API, LOGIN]))]),
                new_origins: NewOrigins::Confirm,
            };
            vault.update_provider(&by(), "acme", &change).await.unwrap();
        }
        Event::ConnectionChanged => {
            let enabled = Some(true);
            let change = ConnectionChange { over: 1, enabled, ..ConnectionChange::default() };
            vault.update_connection(&by(), &first.id, &change).await.unwrap();
        }
        Event::Deleted => vault.delete_account(&by(), &it.id).await.unwrap(),
        Event::DeletedBeneath => scene.meddle("DELETE FROM accounts").await,
        Event::MadeAnew => {
            vault.delete_account(&by(), &it.id).await.unwrap();
            vault.create_account(&by(), &account("u1", first)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_flow_is_given_before_its_end_and_while_its_row_is_what_it_was_begun_for() {
    for (event, of_the_account, of_the_connection) in [
        (Event::Seconds(MINUTE - 1), "flow", "flow"),
        (Event::Seconds(MINUTE), "ended", "ended"),
        (Event::Seconds(2 * MINUTE), "ended", "ended"),
        (Event::Used, "flow", "flow"),
        (Event::Renewed, "flow", "flow"),
        (Event::Changed, "moved", "flow"),
        (Event::Confirmed, "moved", "moved"),
        (Event::ConnectionChanged, "flow", "moved"),
        (Event::Deleted, "nothing", "flow"),
        (Event::DeletedBeneath, "moved", "flow"),
        (Event::MadeAnew, "nothing", "flow"),
    ] {
        let scene = Scene::new();
        let vault = scene.open().await;
        let (_, connection, account) = fill(&vault).await;
        put(&scene, &vault, "a", &account.id).await;
        put(&scene, &vault, "c", &connection.id).await;
        happen(event, &scene, &vault, (&connection, &account)).await;
        let found = [take(&vault, "a").await, take(&vault, "c").await];
        assert_eq!(found.each_ref().map(told), [of_the_account, of_the_connection], "{event:?}");
        for token in ["a", "c"] {
            assert_eq!(told(&take(&vault, token).await), "nothing", "{event:?}: it is gone");
        }
        assert_eq!(kept(&scene).await, 0, "{event:?}");
    }
}

#[tokio::test]
async fn the_flows_of_a_connection_go_with_it() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (provider, ..) = fill(&vault).await;
    let second = vault.create_connection(&by(), &connection("acme-2", &provider)).await.unwrap();
    put(&scene, &vault, TOKEN, &second.id).await;
    vault.delete_connection(&by(), &second.id).await.unwrap();
    assert_eq!(kept(&scene).await, 0);
    assert_eq!(told(&take(&vault, TOKEN).await), "nothing");
}

/// Nor is it lost: the operator may want to see it, and the file may be put right.
#[tokio::test]
async fn a_flow_that_was_moved_or_given_more_by_other_means_does_not_open() {
    for statement in [
        "UPDATE pending_flows SET content = (SELECT content FROM pending_flows other \
         WHERE other.account <> pending_flows.account)",
        "CREATE TABLE spare AS SELECT * FROM pending_flows; \
         UPDATE pending_flows SET hash = hash || 'x'; UPDATE pending_flows SET hash = \
         (SELECT hash FROM spare WHERE spare.account <> pending_flows.account)",
        "UPDATE pending_flows SET account = \
         (SELECT id FROM accounts WHERE id <> pending_flows.account)",
        "UPDATE pending_flows SET account = NULL, connection = (SELECT id FROM connections)",
        "UPDATE accounts SET version = 2; UPDATE pending_flows SET version = 2",
        "UPDATE pending_flows SET origins = '[\"https://evil.example\"]'",
        "UPDATE pending_flows SET ends_at = ends_at + 60000",
    ] {
        let scene = Scene::new();
        let vault = scene.open().await;
        let (_, connection, first) = fill(&vault).await;
        let second = vault.create_account(&by(), &account("u2", &connection)).await.unwrap();
        put(&scene, &vault, "first", &first.id).await;
        put(&scene, &vault, "second", &second.id).await;
        scene.meddle(statement).await;
        let error = vault.take_flow(&Hash::of("first")).await.err();
        let damaged = matches!(error, Some(VaultError::Damaged { table: "pending_flows", .. }));
        assert!(damaged, "{statement}: {error:?}");
        assert_eq!(kept(&scene).await, 2, "{statement}");
    }
}

#[tokio::test]
async fn an_account_has_eight_flows_that_wait_and_no_more() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, first) = fill(&vault).await;
    let second = vault.create_account(&by(), &account("u2", &connection)).await.unwrap();
    let third = vault.create_account(&by(), &account("u3", &connection)).await.unwrap();
    let accounts = [&first, &second, &third].map(|it| (&it.id, "account"));
    for (id, of) in accounts.into_iter().chain([(&connection.id, "connection")]) {
        for nth in 0..8 {
            put(&scene, &vault, &format!("{id}-{nth}"), id).await;
        }
        let error = vault.put_flow(&Hash::of("more"), &flow(&scene, id)).await.err();
        let Some(VaultError::TooMany { of: told, most: 8, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(told, of);
    }
    // One that is taken makes room.
    assert_eq!(told(&take(&vault, &format!("{}-0", first.id)).await), "flow");
    put(&scene, &vault, "more", &first.id).await;
    assert!(vault.put_flow(&Hash::of("most"), &flow(&scene, &first.id)).await.is_err());
    // So do those that have ended, though others that ended before them are swept first.
    scene
        .meddle(
            "UPDATE pending_flows SET ends_at = ends_at + 1 \
             WHERE account = (SELECT id FROM accounts WHERE identifier = 'u1')",
        )
        .await;
    scene.clock.pass(2 * MINUTE);
    for nth in 0..8 {
        put(&scene, &vault, &format!("later-{nth}"), &first.id).await;
    }
}

#[tokio::test]
async fn a_flow_of_more_than_128_kib_is_not_kept() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (.., account) = fill(&vault).await;
    let of = |length| {
        let content = "x".repeat(length).as_str().into();
        PendingFlow { content, ..flow(&scene, &account.id) }
    };
    let error = vault.put_flow(&Hash::of(TOKEN), &of(131_073)).await.err();
    assert!(matches!(error, Some(VaultError::TooLong { most: 131_072, .. })), "{error:?}");
    vault.put_flow(&Hash::of(TOKEN), &of(131_072)).await.unwrap();
    let Taken::Flow(found) = take(&vault, TOKEN).await else { panic!("it waits") };
    assert_eq!(found.content.expose().len(), 131_072);
}

#[tokio::test]
async fn a_flow_is_kept_for_a_row_as_it_is_and_under_a_token_of_its_own() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    for (id, version, what) in [
        ("ca_0", 1, "missing account or connection"),
        (account.id.as_str(), 2, "overtaken account"),
        (account.id.as_str(), 0, "overtaken account"),
        (connection.id.as_str(), 2, "overtaken connection"),
    ] {
        let row = Row { id: id.into(), version };
        let flow = PendingFlow { row, ..flow(&scene, id) };
        let error = match vault.put_flow(&Hash::of(TOKEN), &flow).await.err() {
            Some(VaultError::Missing { what }) => format!("missing {what}"),
            Some(VaultError::Overtaken { what }) => format!("overtaken {what}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(error, what, "{id} {version}");
    }
    put(&scene, &vault, TOKEN, &account.id).await;
    let error = vault.put_flow(&Hash::of(TOKEN), &flow(&scene, &connection.id)).await.err();
    assert!(matches!(error, Some(VaultError::Exists { .. })), "{error:?}");
    let Taken::Flow(found) = take(&vault, TOKEN).await else { panic!("it waits") };
    assert_eq!(*found.row.id, *account.id, "the first one");
}

#[tokio::test]
async fn flows_that_have_ended_are_swept_sixteen_at_a_time() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, first) = fill(&vault).await;
    for nth in 0..5 {
        let new = account(&format!("later-{nth}"), &connection);
        let owner = vault.create_account(&by(), &new).await.unwrap();
        for flow in 0..8 {
            put(&scene, &vault, &format!("{nth}-{flow}"), &owner.id).await;
        }
    }
    put(&scene, &vault, "before", &first.id).await;
    assert_eq!(kept(&scene).await, 41, "nothing has ended");
    scene.clock.pass(MINUTE);
    for (nth, left) in [26, 11, 3, 4].into_iter().enumerate() {
        put(&scene, &vault, &format!("after-{nth}"), &first.id).await;
        assert_eq!(kept(&scene).await, left, "{nth}");
    }
    for nth in 0..4 {
        assert_eq!(told(&take(&vault, &format!("after-{nth}")).await), "flow");
    }
}

#[tokio::test]
async fn flows_wait_through_a_rotation_and_need_the_old_master_key_no_more() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    for (token, id) in [("a", &account.id), ("b", &account.id), ("c", &connection.id)] {
        put(&scene, &vault, token, id).await;
    }
    vault.close().await;

    let vault = scene.open_with(&[2, 1]).await.unwrap();
    let mut last = (0, 0);
    let progress = vault.rotate(|it| last = (it.done, it.total)).await.unwrap();
    // A provider, a connection, an account and its state are there as well.
    assert_eq!((progress.done, progress.damaged, progress.total), (7, 0, 7));
    assert_eq!(last, (7, 7));
    assert_eq!(told(&take(&vault, "a").await), "flow");
    vault.close().await;

    let vault = scene.open_with(&[2]).await.unwrap();
    scene.meddle("UPDATE pending_flows SET origins = '[]' WHERE connection IS NOT NULL").await;
    let progress = vault.rotate(|_| {}).await.unwrap();
    assert_eq!((progress.done, progress.damaged, progress.total), (5, 1, 6));
    vault.close().await;
    assert!(scene.open_with(&[1]).await.is_err());
    let old = "SELECT COUNT(*) FROM pending_flows WHERE account IS NOT NULL AND sealed_by < 3";
    assert_eq!(scene.number(old).await, 0);
    let vault = scene.open_with(&[2]).await.unwrap();
    let Taken::Flow(found) = take(&vault, "b").await else { panic!("it waits") };
    assert_eq!(found.content.expose(), CONTENT);
}

/// Anybody may come to a callback with anything.
#[tokio::test]
async fn a_made_up_token_does_not_wait_for_whoever_writes() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let _writer = scene.hold().await;
    let taken = tokio::time::timeout(Duration::from_secs(5), take(&vault, "made up")).await;
    assert_eq!(told(&taken.unwrap()), "nothing");
}

#[tokio::test]
async fn a_vault_of_the_version_before_keeps_them_once_it_is_opened() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (.., account) = fill(&vault).await;
    vault.close().await;
    scene.meddle("DROP TABLE pending_flows; DELETE FROM _sqlx_migrations WHERE version = 2").await;
    let vault = scene.open().await;
    put(&scene, &vault, TOKEN, &account.id).await;
    assert_eq!(told(&take(&vault, TOKEN).await), "flow");
}
