//! Clients and their tokens, and the audit.

use std::collections::BTreeSet;

use countersign_vault::{
    Accounts as _, Audits as _, Clients as _, Hash, NewClient, Providers as _, Role, SqlVault,
    VaultError,
};

use crate::scene::{Scene, account, by, fill, page};

fn new(secret: &str) -> NewClient {
    NewClient {
        id: None,
        name: "agents".to_owned(),
        secret_hash: Hash::of(secret),
        roles: BTreeSet::from([Role::Proxy, Role::Reveal]),
        connections: Some(vec!["acme-1".to_owned()]),
        identifiers: None,
    }
}

async fn issued(vault: &SqlVault, id: &str, secret: &str, token: &str, ends: u64) -> bool {
    let issued = vault.issue_token(id, &Hash::of(secret), &Hash::of(token), ends).await;
    issued.unwrap().is_some()
}

#[tokio::test]
async fn a_token_is_given_for_the_right_secret_and_until_its_time_is_over() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let client = vault.create_client(&by(), &new("right")).await.unwrap();
    assert!(client.id.starts_with("skc_"));
    let ends = client.created_at + 60_000;
    assert!(!issued(&vault, &client.id, "wrong", "t0", ends).await);
    assert!(!issued(&vault, "skc_0", "right", "t0", ends).await);
    assert!(issued(&vault, &client.id, "right", "t1", ends).await);
    assert!(vault.token(&Hash::of("t0")).await.unwrap().is_none());
    let (found, until) = vault.token(&Hash::of("t1")).await.unwrap().unwrap();
    assert_eq!((found, until), (client, ends));
    scene.clock.pass(60);
    assert!(vault.token(&Hash::of("t1")).await.unwrap().is_none());
}

#[tokio::test]
async fn another_secret_or_a_revocation_ends_live_tokens_at_once_and_in_every_process() {
    let scene = Scene::new();
    let [vault, other] = [scene.open().await, scene.open().await];
    let client = vault.create_client(&by(), &new("first")).await.unwrap();
    let ends = client.created_at + 60_000;
    assert!(issued(&vault, &client.id, "first", "t1", ends).await);
    vault.rotate_client(&by(), &client.id, &Hash::of("second")).await.unwrap();
    assert!(other.token(&Hash::of("t1")).await.unwrap().is_none());
    assert!(!issued(&vault, &client.id, "first", "t2", ends).await);
    assert!(issued(&vault, &client.id, "second", "t2", ends).await);
    let revoked = vault.revoke_client(&by(), &client.id).await.unwrap();
    assert!(revoked.revoked_at.is_some());
    assert!(other.token(&Hash::of("t2")).await.unwrap().is_none());
    assert!(!issued(&vault, &client.id, "second", "t3", ends).await);
    let again = vault.rotate_client(&by(), &client.id, &Hash::of("third")).await.err();
    assert!(matches!(again, Some(VaultError::Missing { what: "client" })));
    assert_eq!(vault.clients().await.unwrap(), [revoked]);
}

/// Also where another program has revoked it, and left its tokens.
#[tokio::test]
async fn a_token_of_a_revoked_client_is_nobodys() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let client = vault.create_client(&by(), &new("right")).await.unwrap();
    assert!(issued(&vault, &client.id, "right", "t1", client.created_at + 60_000).await);
    scene.meddle("UPDATE clients SET revoked_at = 1").await;
    assert!(vault.token(&Hash::of("t1")).await.unwrap().is_none());
}

#[tokio::test]
async fn tokens_that_have_ended_do_not_pile_up() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let client = vault.create_client(&by(), &new("right")).await.unwrap();
    for n in 0..40 {
        assert!(issued(&vault, &client.id, "right", &format!("t{n}"), client.created_at + 1).await);
        scene.clock.pass(1);
    }
    assert!(scene.number("SELECT COUNT(*) FROM tokens").await <= 2);
}

#[tokio::test]
async fn a_client_of_a_chosen_id_is_made_once() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let first = NewClient { id: Some("first".to_owned()), ..new("right") };
    vault.create_client(&by(), &first).await.unwrap();
    let again = vault.create_client(&by(), &first).await.err();
    assert!(matches!(again, Some(VaultError::Exists { what: "client" })));
    assert!(vault.client("first").await.unwrap().is_some());
}

#[tokio::test]
async fn each_change_is_in_the_audit_and_what_failed_is_not() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, first) = fill(&vault).await;
    assert!(vault.create_account(&by(), &account("u1", &connection)).await.is_err());
    assert!(vault.delete_provider(&by(), "acme").await.is_err());
    scene.clock.pass(1);
    vault.delete_account(&by(), &first.id).await.unwrap();
    let listed = vault.audited(None, &page(9)).await.unwrap();
    let mut actions: Vec<_> = listed.rows.iter().map(|it| it.action.as_str()).collect();
    assert_eq!(actions.pop(), Some("account.delete"));
    actions.sort_unstable();
    assert_eq!(actions, ["account.create", "connection.create", "provider.create"]);
    let of_the_account = vault.audited(Some(&first.id), &page(9)).await.unwrap();
    assert_eq!(of_the_account.rows.len(), 2);
    assert!(of_the_account.rows.iter().all(|it| it.by == by()));
}
