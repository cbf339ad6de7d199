//! The data folder: whose it is, what opens the vault in it, and one start at a time.
//!
//! A master key that is made here is on the disk, whole and under its own name, before anything is
//! sealed under it. Where a database is there and its key is not, none is made: a new key opens
//! nothing. Processes that begin at once wait for one another.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

use countersign::clock::SystemClock;
use countersign::random::SystemRandom;
use countersign_vault::key::{KeyError, KeySource, MasterKey};
use countersign_vault::{SqlVault, VaultError};

use crate::codes;
use crate::config::Loaded;
use crate::failure::Failure;

/// Holds back whoever else begins on the same folder, until it is dropped.
pub(super) struct Lock(#[expect(dead_code, reason = "to close it gives the lock back")] File);

/// Opens the vault, and makes what is not there yet: the folder, the key, the database.
pub(super) async fn begin(loaded: &Loaded) -> Result<(SqlVault, Lock), Failure> {
    let folder = &loaded.data;
    make_folder(folder)?;
    let lock = lock(&folder.join("lock")).map_err(|error| unusable(folder, &error))?;
    if loaded.settings.server.plugins.is_none() {
        make_folder(&loaded.plugins())?;
    }
    let database = loaded.database();
    let masters = match loaded.key_file() {
        Some(file) if !is_there(&file) => {
            if is_there(&database) {
                return Err(lost(&database, &file).await);
            }
            let key = make_key(&file)?;
            tracing::warn!(file = %file.display(), key = %key.id(),
                "a master key was made beside the database: keep it elsewhere, as `master_keys` of \
                 the configuration says (docs/configuration.md), and keep a copy, for without it \
                 nothing in the database can be read");
            vec![key]
        }
        _ => keys(&loaded.key_sources())?,
    };
    Ok((open_with(&database, masters).await?, lock))
}

/// Opens the vault of a server that has begun before.
pub(crate) async fn open(loaded: &Loaded) -> Result<SqlVault, Failure> {
    let database = loaded.database();
    if !is_there(&database) {
        let what =
            format!("{} is not there: no server has begun in this data folder", database.display());
        return Err(Failure::new(codes::DATA_UNUSABLE, what).at("data"));
    }
    if let Some(file) = loaded.key_file().filter(|file| !is_there(file)) {
        return Err(lost(&database, &file).await);
    }
    open_with(&database, keys(&loaded.key_sources())?).await
}

/// Makes a file with a new key. On `Ok` it is on the disk, whole; no other name of it was ever read.
pub(crate) fn make_key(file: &Path) -> Result<MasterKey, Failure> {
    let failed = |error: io::Error| {
        Failure::new(codes::MASTER_KEY_UNUSABLE, format!("{}: {error}", file.display()))
    };
    if is_there(file) {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let half = file.with_file_name(name);
    // Of a start that broke off: nothing was ever sealed under it.
    match fs::remove_file(&half) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let key = MasterKey::create_file(&half, &SystemRandom).map_err(|error| key_failed(&error))?;
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = fs::rename(&half, file).and_then(|()| File::open(folder)?.sync_all());
    named.map_err(failed)?;
    Ok(key)
}

/// As a command ends with it.
pub(crate) fn failed(error: &VaultError) -> Failure {
    let code = match error {
        VaultError::WrongMasterKey { .. } | VaultError::NoMasterKey | VaultError::Key(_) => {
            codes::MASTER_KEY_UNUSABLE
        }
        VaultError::Missing { .. } => codes::CLIENT_UNKNOWN,
        _ => codes::DATA_UNUSABLE,
    };
    Failure::new(code, error.to_string())
}

async fn open_with(database: &Path, masters: Vec<MasterKey>) -> Result<SqlVault, Failure> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    SqlVault::open(database, masters, clock, random).await.map_err(|error| failed(&error))
}

fn keys(sources: &[KeySource]) -> Result<Vec<MasterKey>, Failure> {
    let read = |source: &KeySource| {
        source.read().map_err(|error| match (&error, source) {
            // The others name their place themselves.
            (KeyError::Malformed, KeySource::File(path)) => {
                key_failed(&format_args!("{}: {error}", path.display()))
            }
            (KeyError::Malformed, KeySource::Environment(name)) => {
                key_failed(&format_args!("{name}: {error}"))
            }
            (KeyError::Malformed, KeySource::Command(words)) => {
                let program = words.first().map_or("", String::as_str);
                key_failed(&format_args!("what {program} prints: {error}"))
            }
            _ => key_failed(&error),
        })
    };
    sources.iter().map(read).collect()
}

fn key_failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(codes::MASTER_KEY_UNUSABLE, error.to_string()).at("master_keys")
}

/// The database is there and the key's file is not. Says which key it is that is missing.
async fn lost(database: &Path, file: &Path) -> Failure {
    let needs = match open_with(database, Vec::new()).await {
        Err(failure) => failure.message().to_owned(),
        // It takes a key to open one.
        Ok(_) => String::new(),
    };
    let what = format!(
        "{} is not there, and {} was sealed under a master key ({needs}); none is made, since it \
         would open nothing",
        file.display(),
        database.display()
    );
    Failure::new(codes::MASTER_KEY_UNUSABLE, what).at("master_keys")
}

/// Makes a folder for its owner alone, where it is not there.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| unusable(folder, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder).map_err(|error| unusable(folder, &error))?;
        if mode.permissions().mode() & 0o022 != 0 {
            tracing::warn!(folder = %folder.display(),
                "others than its owner may write into this folder, and so decide what runs here");
        }
    }
    Ok(())
}

fn lock(path: &Path) -> io::Result<Lock> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    file.lock()?;
    Ok(Lock(file))
}

/// A link that leads nowhere is there too: what it names may only be away for now.
fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn unusable(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(codes::DATA_UNUSABLE, format!("{}: {error}", folder.display())).at("data")
}
