//! State: compared and swapped by version, under a claim.

use countersign::store::{Store as _, StoreError};
use countersign_vault::Accounts as _;

use crate::scene::{Scene, by, fill, key, state, token};

#[tokio::test]
async fn state_is_written_over_the_version_that_was_read_and_no_other() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    let key = key("acme-1", Some("u1"));
    let claim = vault.claim(&key).await.unwrap();
    for over in [0, 2] {
        let late = vault.save(&key, &claim, over, state("late")).await;
        assert!(matches!(late, Err(StoreError::Overtaken)), "{over}");
    }
    let saved = vault.save(&key, &claim, 1, state("new")).await.unwrap();
    assert_eq!((saved.version, token(&saved)), (2, "new"));
    assert_eq!(token(&vault.state(&key).await.unwrap().unwrap()), "new");
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
