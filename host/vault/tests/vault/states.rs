//! State: compared and swapped by version, under a claim.

use std::sync::Arc;

use countersign::store::{Row, StateKey, Store as _, StoreError};
use countersign_vault::{AccountChange, Accounts as _, StateChange};

use crate::scene::{API, LOGIN, Scene, account, by, fill, given, key, state, token};

#[tokio::test]
async fn state_is_written_over_the_version_that_was_read_and_no_other() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    let key = key("acme-1", Some("u1"));
    let first = vault.state(&key).await.unwrap().unwrap().version;
    let claim = vault.claim(&key).await.unwrap();
    for over in [0, first + 1] {
        let late = vault.save(&key, &claim, over, state("late")).await;
        assert!(matches!(late, Err(StoreError::Overtaken)), "{over}");
    }
    let saved = vault.save(&key, &claim, first, state("new")).await.unwrap();
    assert_eq!(token(&saved), "new");
    let kept = vault.state(&key).await.unwrap().unwrap();
    assert_eq!((token(&kept), kept.version), ("new", saved.version));
    assert!(saved.version > first);
}

/// Otherwise its token would be kept for origins that it was not given for, or over a newer one.
#[tokio::test]
async fn a_flow_that_an_update_has_overtaken_writes_nothing() {
    for (what, change) in [
        ("new state", AccountChange { state: StateChange::Replace(state("new")), ..change() }),
        ("no state", AccountChange { state: StateChange::Forget, ..change() }),
        ("details", AccountChange { details: Some(given("{}", &[API], 1)), ..change() }),
        ("fewer", AccountChange { details: Some(given("{}", &[LOGIN], 1)), ..change() }),
    ] {
        let scene = Scene::new();
        let vault = scene.open().await;
        let (.., account) = fill(&vault).await;
        let key = key("acme-1", Some("u1"));
        let claim = vault.claim(&key).await.unwrap();
        let over = vault.state(&key).await.unwrap().unwrap().version;
        vault.update_account(&by(), &account.id, &change).await.unwrap();
        let now = vault.state(&key).await.unwrap().map_or(0, |state| state.version);
        for over in [over, now] {
            let late = vault.save(&key, &claim, over, state("late")).await;
            assert!(matches!(late, Err(StoreError::Overtaken)), "{what}");
        }
    }
}

fn change() -> AccountChange {
    AccountChange { over: 1, ..AccountChange::default() }
}

#[tokio::test]
async fn an_account_that_is_made_anew_gets_nothing_of_the_old_ones_flow() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, first) = fill(&vault).await;
    let key = key("acme-1", Some("u1"));
    let old = vault.claim(&key).await.unwrap();
    let over = vault.state(&key).await.unwrap().unwrap().version;
    vault.delete_account(&by(), &first.id).await.unwrap();
    vault.create_account(&by(), &account("u1", &connection)).await.unwrap();
    let new = vault.state(&key).await.unwrap().unwrap().version;
    assert_ne!(new, over);
    for over in [over, new] {
        let late = vault.save(&key, &old, over, state("late")).await;
        assert!(matches!(late, Err(StoreError::Overtaken)));
    }
    // Nor with a claim of its own, which it has the right to.
    drop(old);
    let claim = vault.claim(&key).await.unwrap();
    let late = vault.save(&key, &claim, over, state("late")).await;
    assert!(matches!(late, Err(StoreError::Overtaken)));
}

/// What is sealed and what it is bound to change together.
#[tokio::test(flavor = "multi_thread")]
async fn state_opens_while_its_origins_change() {
    let scene = Scene::new();
    let vault = Arc::new(scene.open().await);
    let (.., account) = fill(&vault).await;
    let writer = Arc::clone(&vault);
    let writes = tokio::spawn(async move {
        for over in 1..100 {
            let wanted: &[&str] = if over % 2 == 0 { &[API] } else { &[API, LOGIN] };
            let change = AccountChange {
                over,
                details: Some(given("{}", wanted, 1)),
                state: StateChange::Replace(state("next")),
                ..AccountChange::default()
            };
            writer.update_account(&by(), &account.id, &change).await.unwrap();
        }
    });
    while !writes.is_finished() {
        assert!(vault.state(&key("acme-1", Some("u1"))).await.unwrap().is_some());
    }
    writes.await.unwrap();
}

#[tokio::test]
async fn another_environment_has_nothing_here() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    let other = StateKey { environment: "other".into(), ..key("acme-1", Some("u1")) };
    assert!(vault.state(&other).await.unwrap().is_none());
    assert!(vault.claim(&other).await.is_err());
}

#[tokio::test]
async fn what_a_connection_shares_is_kept_apart_from_its_accounts() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    let shared = key("acme-1", None);
    assert!(vault.state(&shared).await.unwrap().is_none());
    let claim = vault.claim(&shared).await.unwrap();
    vault.save(&shared, &claim, 0, state("shared")).await.unwrap();
    assert_eq!(token(&vault.state(&shared).await.unwrap().unwrap()), "shared");
    let own = vault.state(&key("acme-1", Some("u1"))).await.unwrap().unwrap();
    assert_eq!(token(&own), "canary-of-the-state");
}

#[tokio::test]
async fn an_account_that_is_gone_has_no_state_and_gets_none() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (.., account) = fill(&vault).await;
    let key = key("acme-1", Some("u1"));
    let claim = vault.claim(&key).await.unwrap();
    vault.delete_account(&by(), &account.id).await.unwrap();
    assert!(vault.state(&key).await.unwrap().is_none());
    let late = vault.save(&key, &claim, 1, state("late")).await;
    assert!(matches!(late, Err(StoreError::Overtaken)));
    drop(claim);
    assert!(vault.claim(&key).await.is_err());
}

/// Or a token that was given for an account's new host would go to its old one, with a request that
/// was on its way meanwhile.
#[tokio::test]
async fn state_is_given_for_the_row_that_was_read_and_for_no_other() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    let of = |identifier, id: &str, version| StateKey {
        row: Some(Row { id: id.into(), version }),
        ..key("acme-1", identifier)
    };
    for (identifier, id) in [(Some("u1"), &account.id), (None, &connection.id)] {
        let claim = vault.claim(&of(identifier, id, 1)).await.unwrap();
        let over = vault.state(&of(identifier, id, 1)).await.unwrap().map_or(0, |it| it.version);
        for (other, version) in [(id.as_str(), 2), ("another", 1)] {
            let moved = vault.state(&of(identifier, other, version)).await;
            assert!(matches!(moved, Err(StoreError::Moved)), "{identifier:?} {other} {version}");
        }
        assert!(matches!(vault.claim(&of(identifier, "another", 1)).await, Err(StoreError::Moved)));
        let late = vault.save(&of(identifier, "another", 1), &claim, over, state("late")).await;
        assert!(matches!(late, Err(StoreError::Overtaken)));
        // A token that was rotated meanwhile is not lost.
        vault.save(&of(identifier, id, 2), &claim, over, state("new")).await.unwrap();
        vault.state(&of(identifier, id, 1)).await.unwrap().unwrap();
    }
    vault.delete_account(&by(), &account.id).await.unwrap();
    let gone = vault.state(&of(Some("u1"), &account.id, 1)).await;
    assert!(matches!(gone, Err(StoreError::Moved)));
}
