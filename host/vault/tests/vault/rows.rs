//! Providers, connections and accounts: kept, changed by version, and removed in their order.

use countersign::account::Status;
use countersign_vault::{
    AccountChange, Accounts as _, ConnectionChange, Connections as _, Providers as _, StateChange,
    VaultError,
};

use crate::scene::{API, LOGIN, Scene, account, by, connection, fill, given, state, token};

#[tokio::test]
async fn what_is_written_is_there_when_the_database_is_opened_again() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (provider, connection, account) = fill(&vault).await;
    vault.close().await;

    let vault = scene.open().await;
    let found = vault.provider("acme").await.unwrap().unwrap();
    assert_eq!((found.id, found.payload), (provider.id, provider.payload));
    for found in [
        vault.connection(&connection.id).await.unwrap().unwrap(),
        vault.connection_named("acme-1").await.unwrap().unwrap(),
    ] {
        assert_eq!((&found.id, found.version, found.enabled), (&connection.id, 1, true));
        assert_eq!(found.origins, [API]);
        let settings = vault.settings(&found, &found.origins).await.unwrap().unwrap();
        assert!(settings.expose().contains("canary-of-the-connection"));
    }
    let found = vault.account_named("acme-1", "u1").await.unwrap().unwrap();
    assert_eq!(found.id, account.id);
    assert_eq!((found.version, found.status, found.expires_at), (1, Status::Active, Some(9)));
    let (details, state) = vault.details(&found, &found.origins).await.unwrap().unwrap();
    assert!(details.expose().contains("canary-of-the-account"));
    let state = state.unwrap();
    assert_eq!(token(&state), "canary-of-the-state");
    assert_eq!((state.renew_at, state.attributes["scope"].as_str()), (Some(5), "a b"));
}

#[tokio::test]
async fn nothing_secret_is_in_the_files() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, _, account) = fill(&vault).await;
    let change = AccountChange {
        over: 1,
        state: StateChange::Replace(state("canary-anew")),
        ..Default::default()
    };
    vault.update_account(&by(), &account.id, &change).await.unwrap();
    for closed in [false, true] {
        if closed {
            vault.close().await;
        }
        let bytes = scene.bytes();
        assert!(bytes.windows(4).any(|it| it == b"acme"), "the files are searched");
        assert!(!bytes.windows(6).any(|it| it == b"canary"), "closed: {closed}");
    }
}

#[tokio::test]
async fn a_name_is_given_once() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (provider, first, _) = fill(&vault).await;
    let taken = |error: VaultError| matches!(error, VaultError::Exists { .. });
    assert!(taken(vault.create_provider(&by(), "acme", "{}").await.err().unwrap()));
    let again = connection("acme-1", &provider);
    assert!(taken(vault.create_connection(&by(), &again).await.err().unwrap()));
    assert!(taken(vault.create_account(&by(), &account("u1", &first)).await.err().unwrap()));
    // Another connection's account may have the same identifier.
    let other = vault.create_connection(&by(), &connection("acme-2", &provider)).await.unwrap();
    vault.create_account(&by(), &account("u1", &other)).await.unwrap();
}

#[tokio::test]
async fn a_change_over_an_older_version_changes_nothing() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, first, account) = fill(&vault).await;
    let disable = ConnectionChange { over: 1, enabled: Some(false), ..Default::default() };
    let changed = vault.update_connection(&by(), &first.id, &disable).await.unwrap();
    assert_eq!((changed.version, changed.enabled), (2, false));
    let enable = ConnectionChange { over: 1, enabled: Some(true), ..Default::default() };
    let late = vault.update_connection(&by(), &first.id, &enable).await.err().unwrap();
    assert!(matches!(late, VaultError::Overtaken { what: "connection" }));
    assert!(!vault.connection(&first.id).await.unwrap().unwrap().enabled);

    let suspend =
        |over| AccountChange { over, status: Some(Status::Disconnected), ..Default::default() };
    vault.update_account(&by(), &account.id, &suspend(1)).await.unwrap();
    let late = vault.update_account(&by(), &account.id, &suspend(1)).await.err().unwrap();
    assert!(matches!(late, VaultError::Overtaken { what: "account" }));
    assert!(
        vault.details(&account, &account.origins).await.unwrap().is_none(),
        "it was read at version 1"
    );
}

#[tokio::test]
async fn what_is_used_is_not_removed() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    let used = |error: VaultError| matches!(error, VaultError::InUse { count: 1, .. });
    assert!(used(vault.delete_provider(&by(), "acme").await.err().unwrap()));
    assert!(used(vault.delete_connection(&by(), &connection.id).await.err().unwrap()));
    vault.delete_account(&by(), &account.id).await.unwrap();
    vault.delete_connection(&by(), &connection.id).await.unwrap();
    vault.delete_provider(&by(), "acme").await.unwrap();
    let missing = |error: VaultError| matches!(error, VaultError::Missing { .. });
    assert!(missing(vault.delete_account(&by(), &account.id).await.err().unwrap()));
    assert!(missing(vault.delete_connection(&by(), &connection.id).await.err().unwrap()));
    assert!(missing(vault.delete_provider(&by(), "acme").await.err().unwrap()));
    for statement in ["SELECT COUNT(*) FROM states", "SELECT COUNT(*) FROM claims"] {
        assert_eq!(scene.number(statement).await, 0, "{statement}");
    }
}

#[tokio::test]
async fn a_connection_is_made_for_the_provider_that_its_maker_has_read() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (mut provider, ..) = fill(&vault).await;
    provider.version = 7;
    let late =
        vault.create_connection(&by(), &connection("acme-2", &provider)).await.err().unwrap();
    assert!(matches!(late, VaultError::Overtaken { what: "provider" }));
    provider.identifier = "other".to_owned();
    let missing =
        vault.create_connection(&by(), &connection("acme-2", &provider)).await.err().unwrap();
    assert!(matches!(missing, VaultError::Missing { what: "provider" }));
}

#[tokio::test]
async fn details_that_are_given_again_leave_state_only_what_it_was_given_for() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (.., account) = fill(&vault).await;
    let give = |over, wanted: &[&str]| AccountChange {
        over,
        details: Some(given("{}", wanted, 1)),
        ..Default::default()
    };
    let account = vault.update_account(&by(), &account.id, &give(1, &[API])).await.unwrap();
    let (_, kept) = vault.details(&account, &account.origins).await.unwrap().unwrap();
    assert_eq!(token(&kept.unwrap()), "canary-of-the-state");
    let account = vault.update_account(&by(), &account.id, &give(2, &[API, LOGIN])).await.unwrap();
    assert!(vault.details(&account, &account.origins).await.unwrap().unwrap().1.is_none());
    let anew = AccountChange { state: StateChange::Replace(state("new")), ..give(3, &[API]) };
    let account = vault.update_account(&by(), &account.id, &anew).await.unwrap();
    let (_, kept) = vault.details(&account, &account.origins).await.unwrap().unwrap();
    assert_eq!(token(&kept.unwrap()), "new");
    let forget = AccountChange { over: 4, state: StateChange::Forget, ..Default::default() };
    let account = vault.update_account(&by(), &account.id, &forget).await.unwrap();
    assert!(vault.details(&account, &account.origins).await.unwrap().unwrap().1.is_none());
}

/// A document that was judged under another version of the provider may be for other origins.
#[tokio::test]
async fn secrets_are_given_under_the_provider_that_there_is() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, account) = fill(&vault).await;
    let mut new = crate::scene::account("u2", &connection);
    new.details.provider_version = 2;
    let overtaken = |error: VaultError| matches!(error, VaultError::Overtaken { what: "provider" });
    assert!(overtaken(vault.create_account(&by(), &new).await.err().unwrap()));
    let details = Some(given("{}", &[API], 2));
    let change = AccountChange { over: 1, details, ..Default::default() };
    assert!(overtaken(vault.update_account(&by(), &account.id, &change).await.err().unwrap()));
    let settings = Some(given("{}", &[API], 2));
    let change = ConnectionChange { over: 1, settings, ..Default::default() };
    assert!(overtaken(
        vault.update_connection(&by(), &connection.id, &change).await.err().unwrap()
    ));
}

/// A renewal between the reading and the writing has used up the refresh token that was read.
#[tokio::test]
async fn a_change_over_an_older_state_changes_nothing() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (.., account) = fill(&vault).await;
    let (_, read) = vault.details(&account, &account.origins).await.unwrap().unwrap();
    let over = read.unwrap().version;
    let replace = |over, over_state| AccountChange {
        over,
        over_state: Some(over_state),
        state: StateChange::Replace(state("new")),
        ..Default::default()
    };
    for late in [0, over + 1] {
        let error = vault.update_account(&by(), &account.id, &replace(1, late)).await.err();
        assert!(matches!(error, Some(VaultError::Overtaken { what: "state" })));
    }
    vault.update_account(&by(), &account.id, &replace(1, over)).await.unwrap();
}

#[tokio::test]
async fn when_accounts_were_used_goes_forward_by_the_minute_and_is_no_change_of_them() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, first) = fill(&vault).await;
    let second = vault.create_account(&by(), &account("u2", &connection)).await.unwrap();
    for (at, kept) in [(179_999, 120_000), (60_000, 120_000), (240_000, 240_000)] {
        let used = [&first, &second].map(|account| (account.id.clone(), at));
        vault.used(&used).await.unwrap();
        for account in [&first, &second] {
            let found = vault.account(&account.id).await.unwrap().unwrap();
            assert_eq!(found.last_used_at, Some(kept));
            let same = countersign_vault::Account { last_used_at: None, ..found };
            assert_eq!(same, *account);
        }
    }
    // More than one statement may name, of several minutes, and one account twice.
    let many = (0..40_000).map(|nth| (format!("ca_{nth}"), 300_000));
    let mut used: Vec<_> = [(second.id.clone(), 360_000)].into_iter().chain(many).collect();
    used.extend([(first.id.clone(), 300_000), (first.id.clone(), 420_000)]);
    vault.used(&used).await.unwrap();
    for (account, kept) in [(&first, 420_000), (&second, 360_000)] {
        let found = vault.account(&account.id).await.unwrap().unwrap();
        assert_eq!(found.last_used_at, Some(kept));
    }
    let gone = [("ca_0".to_owned(), 1), (first.id.clone(), u64::MAX)];
    vault.used(&gone).await.unwrap();
    assert_eq!(scene.number("SELECT COUNT(*) FROM audit WHERE action = 'account.update'").await, 0);
}
