//! Master keys: the right one, a wrong one, and the next one.

use countersign::store::Store as _;
use countersign_vault::{Accounts as _, Connections as _, VaultError};

use crate::scene::{Scene, fill, key, master, token};

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

#[tokio::test]
async fn rotation_leaves_nothing_under_the_old_master_key() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    vault.close().await;
    // The new key first, which seals; then the old one, which opens.
    let vault = scene.open_with(&[2, 1]).await.unwrap();
    let mut told = Vec::new();
    let progress = vault.rotate(|progress| told.push((progress.done, progress.total))).await;
    assert_eq!(progress.unwrap().done, 3);
    assert_eq!(told, [(0, 3), (1, 3), (2, 3), (3, 3)]);
    vault.close().await;
    let old = scene.open_with(&[1]).await.err();
    assert!(matches!(old, Some(VaultError::WrongMasterKey { .. })));
    let vault = scene.open_with(&[2]).await.unwrap();
    let (details, state) = vault.details(&account).await.unwrap().unwrap();
    assert!(details.expose().contains("canary-of-the-account"));
    assert_eq!(token(&state.unwrap()), "canary-of-the-state");
    let connection = vault.connection(&connection.id).await.unwrap().unwrap();
    assert!(connection.settings.expose().contains("canary"));
    for statement in [
        "SELECT COUNT(*) FROM accounts WHERE sealed_by < 2",
        "SELECT COUNT(*) FROM connections WHERE sealed_by < 2",
        "SELECT COUNT(*) FROM states WHERE sealed_by < 2",
    ] {
        assert_eq!(scene.number(statement).await, 0, "{statement}");
    }
}

/// The other process learns of the new key as it comes upon a value under it.
#[tokio::test]
async fn another_process_goes_on_through_a_rotation() {
    let scene = Scene::new();
    let first = scene.open_with(&[2, 1]).await.unwrap();
    fill(&first).await;
    let second = scene.open_with(&[2, 1]).await.unwrap();
    first.rotate(|_| {}).await.unwrap();
    let state = second.state(&key("acme-1", Some("u1"))).await.unwrap().unwrap();
    assert_eq!(token(&state), "canary-of-the-state");
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
