//! What is sealed is bound to its row, and to the origins that it was given for.

use std::collections::BTreeMap;

use countersign::account::Status;
use countersign::store::Store as _;
use countersign_vault::{
    Accounts as _, Affected, Connection, Connections as _, NewOrigins, ProviderChange,
    Providers as _, VaultError,
};

use crate::scene::{API, LOGIN, Scene, account, by, fill, key, origins, token};

fn change(over: u64, connection: &Connection, wanted: &[&str], how: NewOrigins) -> ProviderChange {
    ProviderChange {
        over,
        payload: "{}".to_owned(),
        origins: BTreeMap::from([(connection.id.clone(), origins(wanted))]),
        new_origins: how,
    }
}

#[tokio::test]
async fn a_value_that_is_moved_or_given_other_origins_does_not_open() {
    for (statement, spares_the_second) in [
        (
            "UPDATE accounts SET details = (SELECT details FROM accounts WHERE identifier = 'u2') \
             WHERE identifier = 'u1'",
            true,
        ),
        (
            "UPDATE accounts SET origins = '[\"https://evil.example\"]' WHERE identifier = 'u1'",
            true,
        ),
        ("UPDATE accounts SET identifier = 'u3' WHERE identifier = 'u1'", true),
        ("UPDATE connections SET id = 'conn_x'; UPDATE accounts SET connection = 'conn_x'", false),
        (
            "UPDATE states SET owner = 'x' WHERE owner = (SELECT id FROM accounts WHERE \
             identifier = 'u1'); UPDATE states SET owner = (SELECT id FROM accounts WHERE \
             identifier = 'u1') WHERE owner = (SELECT id FROM accounts WHERE identifier = 'u2')",
            true,
        ),
        ("UPDATE states SET version = version + 7", false),
    ] {
        let scene = Scene::new();
        let vault = scene.open().await;
        let (_, connection, first) = fill(&vault).await;
        let second = vault.create_account(&by(), &account("u2", &connection)).await.unwrap();
        scene.meddle(statement).await;
        let first = vault.account(&first.id).await.unwrap().unwrap();
        let error = vault.details(&first, &first.origins).await.err().expect("refused");
        assert!(matches!(error, VaultError::Damaged { .. }), "{statement}: {error}");
        if spares_the_second {
            assert!(vault.details(&second, &second.origins).await.is_ok(), "{statement}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_given_other_origins_does_not_open() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, _) = fill(&vault).await;
    for statement in [
        "UPDATE connections SET origins = '[\"https://evil.example\"]'",
        "UPDATE connections SET name = 'other', origins = '[\"https://api.example.com\"]'",
    ] {
        scene.meddle(statement).await;
        let found = vault.connection(&connection.id).await.unwrap().unwrap();
        let error = vault.settings(&found, &found.origins).await.err().expect("refused");
        assert!(matches!(error, VaultError::Damaged { table: "connections", .. }), "{error}");
    }
}

/// A payload decides where secrets go.
#[tokio::test]
async fn a_payload_that_was_changed_beneath_the_vault_does_not_open() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    vault.create_provider(&by(), "evil", "{}").await.unwrap();
    scene
        .meddle(
            "UPDATE providers SET payload = (SELECT payload FROM providers WHERE \
             identifier = 'evil') WHERE identifier = 'acme'",
        )
        .await;
    let error = vault.provider("acme").await.err().expect("refused");
    assert!(matches!(error, VaultError::Damaged { table: "providers", .. }), "{error}");
}

#[tokio::test]
async fn a_provider_that_takes_secrets_elsewhere_is_not_changed_until_that_is_confirmed() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (provider, connection, first) = fill(&vault).await;
    let wanted = [API, LOGIN];

    let refuse = change(1, &connection, &wanted, NewOrigins::Refuse);
    let error = vault.update_provider(&by(), "acme", &refuse).await.err().expect("refused");
    let VaultError::NewOrigins(affected) = error else { panic!("{error}") };
    let accounts = vec![("acme-1".to_owned(), "u1".to_owned())];
    assert_eq!(*affected, Affected { connections: vec!["acme-1".to_owned()], accounts });
    let same = vault.provider("acme").await.unwrap().unwrap();
    assert_eq!((same.version, same.payload), (1, provider.payload));

    let confirm = change(1, &connection, &wanted, NewOrigins::Confirm);
    assert_eq!(vault.update_provider(&by(), "acme", &confirm).await.unwrap().version, 2);
    let account = vault.account(&first.id).await.unwrap().unwrap();
    assert_eq!((account.origins.as_slice(), account.version), (&origins(&wanted)[..], 2));
    let (details, state) = vault.details(&account, &origins(&wanted)).await.unwrap().unwrap();
    assert!(details.expose().contains("canary-of-the-account"));
    assert_eq!(token(&state.unwrap()), "canary-of-the-state");
    let connection = vault.connection(&connection.id).await.unwrap().unwrap();
    assert_eq!(connection.origins, wanted);
    let settings = vault.settings(&connection, &origins(&wanted)).await.unwrap().unwrap();
    assert!(settings.expose().contains("canary"));

    // Fewer origins, and then those again, need nobody.
    for (over, wanted) in [(2, &wanted[..1]), (3, &wanted[..])] {
        let narrow = change(over, &connection, wanted, NewOrigins::Refuse);
        vault.update_provider(&by(), "acme", &narrow).await.unwrap();
    }
}

#[tokio::test]
async fn accounts_may_be_disconnected_in_place_of_a_confirmation() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, first) = fill(&vault).await;
    let disconnect = change(1, &connection, &[LOGIN], NewOrigins::Disconnect);
    vault.update_provider(&by(), "acme", &disconnect).await.unwrap();
    let account = vault.account(&first.id).await.unwrap().unwrap();
    assert_eq!((account.status, account.version), (Status::PendingAuth, 2));
    assert_eq!(account.origins, [API], "its secrets are bound to what they were given for");
    let wanted = origins(&[LOGIN]);
    let error = vault.details(&account, &wanted).await.err().expect("refused");
    assert!(matches!(error, VaultError::NotGiven { what: "account" }), "{error}");
    assert!(vault.state(&key("acme-1", Some("u1"))).await.unwrap().is_none());
    let connection = vault.connection(&connection.id).await.unwrap().unwrap();
    let error = vault.settings(&connection, &wanted).await.err().expect("refused");
    assert!(matches!(error, VaultError::NotGiven { what: "connection" }), "{error}");
}

#[tokio::test]
async fn a_confirmation_is_for_the_providers_own_connections_alone() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, first, _) = fill(&vault).await;
    let bank = vault.create_provider(&by(), "bank", "{}").await.unwrap();
    let bank = vault.create_connection(&by(), &crate::scene::connection("bank-1", &bank)).await;
    let bank = bank.unwrap();
    let mut confirm = change(1, &first, &[API, LOGIN], NewOrigins::Confirm);
    confirm.origins.insert(bank.id.clone(), origins(&[LOGIN]));
    vault.update_provider(&by(), "acme", &confirm).await.unwrap();
    assert_eq!(vault.connection(&bank.id).await.unwrap().unwrap(), bank);
}

#[tokio::test]
async fn a_change_that_does_not_know_of_a_connection_was_overtaken() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, _) = fill(&vault).await;
    let mut unaware = change(1, &connection, &[API], NewOrigins::Confirm);
    unaware.origins.clear();
    let error = vault.update_provider(&by(), "acme", &unaware).await.err().expect("refused");
    assert!(matches!(error, VaultError::Overtaken { what: "provider" }));
    let late = change(9, &connection, &[API], NewOrigins::Confirm);
    let error = vault.update_provider(&by(), "acme", &late).await.err().expect("refused");
    assert!(matches!(error, VaultError::Overtaken { what: "provider" }));
    // Of which there is state that opens all the same.
    assert!(vault.state(&key("acme-1", Some("u1"))).await.unwrap().is_some());
}
