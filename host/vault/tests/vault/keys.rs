//! Master keys: the right one, a wrong one, and the next one.

use std::sync::Arc;
use std::time::Duration;

use countersign::store::Store as _;
use countersign_vault::{
    Accounts as _, ConnectionFilter, Connections as _, Providers as _, VaultError,
};
use tokio::task::JoinSet;

use crate::scene::{Scene, fill, key, master, page, token};

#[tokio::test]
async fn a_wrong_or_missing_master_key_is_said_with_the_one_that_is_needed() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    vault.close().await;
    let needed = master(1).id().to_string();
    for (masters, given) in [(&[2][..], master(2).id().to_string()), (&[], "none".to_owned())] {
        let error = scene.open_with(masters).await.err().expect("refused");
        assert!(matches!(error, VaultError::WrongMasterKey { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&needed) && text.contains(&given), "{text}");
    }
    scene.open_with(&[2, 1]).await.unwrap();
    let fresh = Scene::new();
    assert!(matches!(fresh.open_with(&[]).await.err(), Some(VaultError::NoMasterKey)));
}

/// Three steps: both keys are given and it is rotated; the new one alone is given, and again.
#[tokio::test]
async fn rotation_leaves_nothing_under_the_old_master_key() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    vault.close().await;

    let vault = scene.open_with(&[2, 1]).await.unwrap();
    let mut told = Vec::new();
    let progress = vault.rotate(|progress| told.push((progress.done, progress.total))).await;
    assert_eq!(progress.unwrap().done, 4);
    assert_eq!(told, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]);
    // A process that has the old key alone goes on meanwhile.
    let old = scene.open_with(&[1]).await.unwrap();
    assert!(old.details(&account, &account.origins).await.unwrap().is_some());
    old.close().await;
    vault.close().await;

    let vault = scene.open_with(&[2]).await.unwrap();
    vault.rotate(|_| {}).await.unwrap();
    let old = scene.open_with(&[1]).await.err();
    assert!(matches!(old, Some(VaultError::WrongMasterKey { .. })));
    let (details, state) = vault.details(&account, &account.origins).await.unwrap().unwrap();
    assert!(details.expose().contains("canary-of-the-account"));
    assert_eq!(token(&state.unwrap()), "canary-of-the-state");
    let settings = vault.settings(&connection, &connection.origins).await.unwrap().unwrap();
    assert!(settings.expose().contains("canary"));
    assert!(vault.provider("acme").await.unwrap().unwrap().payload.contains("Acme"));
    for statement in [
        "SELECT COUNT(*) FROM providers WHERE sealed_by < 3",
        "SELECT COUNT(*) FROM accounts WHERE sealed_by < 3",
        "SELECT COUNT(*) FROM connections WHERE sealed_by < 3",
        "SELECT COUNT(*) FROM states WHERE sealed_by < 3",
    ] {
        assert_eq!(scene.number(statement).await, 0, "{statement}");
    }
}

/// More at once than there are connections to the database.
#[tokio::test(flavor = "multi_thread")]
async fn another_process_goes_on_through_a_rotation() {
    let scene = Scene::new();
    let first = scene.open().await;
    fill(&first).await;
    let second = Arc::new(scene.open().await);
    first.rotate(|_| {}).await.unwrap();
    let mut readers = JoinSet::new();
    for _ in 0..64 {
        let second = Arc::clone(&second);
        readers.spawn(async move {
            let state = second.state(&key("acme-1", Some("u1"))).await.unwrap().unwrap();
            token(&state).to_owned()
        });
    }
    let read = tokio::time::timeout(Duration::from_secs(10), readers.join_all()).await.unwrap();
    assert!(read.iter().all(|token| token == "canary-of-the-state"));
}

#[tokio::test]
async fn what_is_damaged_is_left_as_it_is_and_keeps_nothing_else_from_being_sealed_anew() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    scene.meddle("UPDATE connections SET settings = x'0102'").await;
    assert_eq!(vault.connections(&ConnectionFilter::default(), &page(9)).await.unwrap().total, 1);
    let progress = vault.rotate(|_| {}).await.unwrap();
    assert_eq!((progress.done, progress.damaged, progress.total), (3, 1, 4));
    assert!(vault.details(&account, &account.origins).await.unwrap().is_some());
    assert!(vault.settings(&connection, &connection.origins).await.is_err());
}

#[tokio::test]
async fn a_vault_whose_data_keys_are_gone_is_not_taken_for_a_new_one() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    vault.close().await;
    scene.meddle("DELETE FROM data_keys").await;
    let error = scene.open_with(&[1]).await.err().expect("refused");
    assert!(matches!(error, VaultError::Damaged { table: "data_keys", .. }), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    let mut count = 0;
    for file in std::fs::read_dir(scene.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
        count += 1;
    }
    assert!(count > 1, "the journals are among them");
    vault.close().await;
    std::fs::set_permissions(scene.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = scene.open_with(&[1]).await.err().expect("refused");
    assert!(error.to_string().contains("chmod 600"), "{error}");
}
