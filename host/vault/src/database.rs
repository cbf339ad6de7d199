//! The database: opened, migrated, and read and written through two pools.
//!
//! SQLite has one writer at a time. Writes therefore go through a pool of one connection, whose
//! transactions take the file's write lock as they begin (`BEGIN IMMEDIATE`), so that none fails
//! half way for want of it; another process waits its turn for [`PATIENCE`]. Reads go through
//! a pool of their own and wait for nobody (write-ahead log). What is deleted is overwritten. What was
//! committed survives the death of the process and of the machine (`synchronous = FULL`).

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Executor as _, Row as _, SqlSafeStr as _, Transaction};

use crate::error::VaultError;

/// How long a writer waits for another process's.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that read. SQLite's readers are threads; more than a few gain nothing.
const READERS: u32 = 8;

/// All changes of the schema so far, in their order; none is ever edited.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "begin", include_str!("../migrations/sqlite/0001_begin.sql")),
    (2, "pending_flows", include_str!("../migrations/sqlite/0002_pending_flows.sql")),
];

/// A database that is ready to be used.
#[derive(Clone)]
pub(crate) struct Database {
    reads: AnyPool,
    writes: AnyPool,
}

impl Database {
    /// Opens the file, or makes it for its owner alone, and brings its schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, VaultError> {
        own(path)?;
        sqlx::any::install_default_drivers();
        let path = std::path::absolute(path).map_err(|cause| unavailable(&cause))?;
        let mut url = url_of(&path);
        url.push_str("?mode=rw");
        let options = AnyConnectOptions::from_str(&url)?;
        let pool = |size: u32| {
            AnyPoolOptions::new()
                .max_connections(size)
                // Kept: a connection that is opened anew reads the whole schema again.
                .idle_timeout(None)
                .max_lifetime(None)
                .acquire_timeout(PATIENCE * 2)
                .after_connect(|connection, _| Box::pin(prepare(connection)))
                .connect_with(options.clone())
        };
        let writes = pool(1).await?;
        migrate(&writes).await?;
        Ok(Self { reads: pool(READERS).await?, writes })
    }

    /// For what only reads.
    pub(crate) fn reads(&self) -> &AnyPool {
        &self.reads
    }

    /// A transaction that may write what nobody caches: claims, tokens, keys,
    /// pending flows. It is rolled back where
    /// it is dropped. All else is changed by a [`Write`](crate::write::Write).
    pub(crate) async fn begin_unseen(&self) -> Result<Transaction<'static, Any>, VaultError> {
        Ok(self.writes.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// A number that was never drawn before. Nobody else draws one until the transaction ends.
    pub(crate) async fn draw(transaction: &mut AnyConnection) -> Result<u64, VaultError> {
        let row = sqlx::query("UPDATE counter SET value = value + 1 RETURNING value")
            .fetch_one(transaction)
            .await?;
        crate::number(row.try_get("value")?)
    }

    /// Ends all connections; what was committed is in the file.
    pub(crate) async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }
}

/// Runs a statement that takes a name; whether it changed anything.
pub(crate) async fn changed(
    transaction: &mut AnyConnection,
    statement: &'static str,
    name: &str,
) -> Result<bool, VaultError> {
    Ok(sqlx::query(statement).bind(name).execute(transaction).await?.rows_affected() > 0)
}

/// Runs a statement that takes a name and counts `users`.
pub(crate) async fn counted(
    transaction: &mut AnyConnection,
    statement: &'static str,
    name: &str,
) -> Result<u64, VaultError> {
    let row = sqlx::query(statement).bind(name).fetch_one(transaction).await?;
    crate::number(row.try_get("users")?)
}

async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let settings = format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;",
        PATIENCE.as_millis()
    );
    connection.execute(sqlx::AssertSqlSafe(settings)).await?;
    Ok(())
}

async fn migrate(writes: &AnyPool) -> Result<(), VaultError> {
    let migrations = MIGRATIONS.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.to_vec());
    // Another process may be making the same changes, each of which then has been made already.
    for _ in MIGRATIONS {
        if migrator.run(writes).await.is_ok() {
            return Ok(());
        }
    }
    migrator.run(writes).await.map_err(|cause| failed(&cause))
}

fn failed(cause: &sqlx::migrate::MigrateError) -> VaultError {
    match cause {
        sqlx::migrate::MigrateError::VersionMissing(_)
        | sqlx::migrate::MigrateError::VersionMismatch(_) => VaultError::Newer(cause.to_string()),
        _ => VaultError::Unavailable(cause.to_string()),
    }
}

/// Makes the file before SQLite does, which would let others read it. Its journals get its rights.
///
/// One that is there is not opened here: to close it again would end all locks that this process has
/// on it (POSIX `fcntl`), and with them what keeps another process from removing the journal.
fn own(path: &Path) -> Result<(), VaultError> {
    let at = |cause| VaultError::Unavailable(format!("{}: {cause}", path.display()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => return Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(at(cause)),
    }
    let found = std::fs::symlink_metadata(path).map_err(at)?;
    if !found.is_file() {
        return Err(VaultError::Unavailable(format!("{} is no file", path.display())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if found.permissions().mode() & 0o077 != 0 {
            return Err(VaultError::Exposed { path: path.display().to_string() });
        }
    }
    Ok(())
}

/// `sqlite:///path`, each byte that a URL could take for something else encoded.
fn url_of(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut url = "sqlite://".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => url.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            // Writing to a string cannot fail.
            byte => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

fn unavailable(cause: &std::io::Error) -> VaultError {
    VaultError::Unavailable(cause.to_string())
}
