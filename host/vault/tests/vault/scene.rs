//! A database file, and what tests put into it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::account::{State, Status};
use countersign::clock::Clock;
use countersign::random::{SeededRandom, SystemRandom};
use countersign::secret::Secret;
use countersign::store::StateKey;
use countersign_vault::key::MasterKey;
use countersign_vault::{
    Account, Accounts as _, By, Connection, Connections as _, Given, NewAccount, NewConnection,
    Page, Provider, Providers as _, SqlVault, VaultError,
};
use sqlx::{AnyConnection, Connection as _, Row as _};
use tempfile::TempDir;

pub(crate) const API: &str = "https://api.example.com";
pub(crate) const LOGIN: &str = "https://login.example.com";

/// A clock that moves when it is told to.
pub(crate) struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn unix_millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl SetClock {
    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<SetClock>,
}

pub(crate) fn by() -> By {
    By { client: "skc_1".to_owned(), request: "r-1".to_owned() }
}

/// The same master key for the same number.
pub(crate) fn master(number: u64) -> MasterKey {
    MasterKey::generate(&SeededRandom::new(number)).unwrap()
}

pub(crate) fn origins(list: &[&str]) -> Vec<String> {
    list.iter().map(|it| (*it).to_owned()).collect()
}

pub(crate) fn page(size: u32) -> Page {
    Page { size, from: countersign_vault::From::Start }
}

/// A state with one secret.
pub(crate) fn state(token: &str) -> State {
    State {
        secrets: BTreeMap::from([("access_token".to_owned(), token.into())]),
        attributes: BTreeMap::from([("scope".to_owned(), "a b".to_owned())]),
        renew_at: Some(5),
        expires_at: Some(9),
        version: 0,
    }
}

pub(crate) fn token(state: &State) -> &str {
    state.secrets["access_token"].expose()
}

pub(crate) fn key(connection: &str, identifier: Option<&str>) -> StateKey {
    StateKey {
        environment: "".into(),
        connection: connection.into(),
        identifier: identifier.map(Into::into),
        row: None,
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(SetClock(AtomicU64::new(1_800_000_000_000)));
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    pub(crate) fn path(&self) -> PathBuf {
        // With what a URL would take for something else.
        self.folder.path().join("a b?c#d%e.db")
    }

    pub(crate) async fn open_with(&self, masters: &[u64]) -> Result<SqlVault, VaultError> {
        let masters = masters.iter().map(|it| master(*it)).collect();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        SqlVault::open(&self.path(), masters, clock, Arc::new(SystemRandom)).await
    }

    pub(crate) async fn open(&self) -> SqlVault {
        self.open_with(&[1]).await.unwrap()
    }

    /// All bytes of the database and of its journals.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }

    /// Changes the database by other means than the vault's.
    pub(crate) async fn meddle(&self, statement: &'static str) {
        let mut connection = self.connect().await;
        sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut connection).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }

    pub(crate) async fn number(&self, statement: &'static str) -> i64 {
        let mut connection = self.connect().await;
        sqlx::query(statement).fetch_one(&mut connection).await.unwrap().try_get(0).unwrap()
    }

    /// Holds the file's write lock until it is dropped.
    pub(crate) async fn hold(&self) -> AnyConnection {
        let mut connection = self.connect().await;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        connection
    }

    async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let path = self.path().display().to_string();
        let path =
            path.replace('%', "%25").replace(' ', "%20").replace('?', "%3F").replace('#', "%23");
        AnyConnection::connect(&format!("sqlite://{path}")).await.unwrap()
    }
}

/// A provider, a connection and an account, each with a secret called canary.
pub(crate) async fn fill(vault: &SqlVault) -> (Provider, Connection, Account) {
    let provider =
        vault.create_provider(&by(), "acme", r#"{"display_name":"Acme"}"#).await.unwrap();
    let connection =
        vault.create_connection(&by(), &connection("acme-1", &provider)).await.unwrap();
    let account = vault.create_account(&by(), &account("u1", &connection)).await.unwrap();
    (provider, connection, account)
}

pub(crate) fn connection(name: &str, provider: &Provider) -> NewConnection {
    NewConnection {
        name: name.to_owned(),
        provider: provider.identifier.clone(),
        settings: Given {
            document: Secret::from(r#"{"client_secret":"canary-of-the-connection"}"#),
            origins: origins(&[API]),
            provider_version: provider.version,
        },
    }
}

/// A document, and what it is given for.
pub(crate) fn given(document: &str, list: &[&str], provider_version: u64) -> Given {
    Given { document: document.into(), origins: origins(list), provider_version }
}

pub(crate) fn account(identifier: &str, connection: &Connection) -> NewAccount {
    NewAccount {
        connection: connection.id.clone(),
        identifier: identifier.to_owned(),
        status: Status::Active,
        auth_type: "OAUTH".to_owned(),
        details: given(r#"{"token":"canary-of-the-account"}"#, &[API], 1),
        state: Some(state("canary-of-the-state")),
    }
}
