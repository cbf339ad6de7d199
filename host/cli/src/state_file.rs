//! One account's state in a file, so that a renewal outlives the command.
//!
//! [`Store::save`] returns only once the new state is in the file, whole: it is written beside it,
//! for its owner alone, and then takes its name. Without a file the state ends with the process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use countersign::account::State;
use countersign::store::{Claim, MemoryStore, StateKey, Store, StoreError};
use zeroize::Zeroizing;

/// Keeps one account's state.
pub(crate) struct StateFile {
    memory: MemoryStore,
    path: Option<PathBuf>,
    /// Whose state the file holds; what a connection shares stays in memory.
    key: StateKey,
}

impl StateFile {
    /// Begins with what is known already.
    ///
    /// On `Err` the file could not be written later on, when a token server has done its part.
    pub(crate) fn new(
        path: Option<&Path>,
        key: &StateKey,
        state: Option<&State>,
    ) -> Result<Self, StoreError> {
        if let Some(path) = path {
            tempfile::NamedTempFile::new_in(folder(path)).map_err(|cause| cannot(path, &cause))?;
        }
        let memory = MemoryStore::default();
        if let Some(state) = state {
            memory.seed(key.clone(), state.clone());
        }
        Ok(Self { memory, path: path.map(Path::to_owned), key: key.clone() })
    }
}

#[async_trait]
impl Store for StateFile {
    async fn state(&self, key: &StateKey) -> Result<Option<Arc<State>>, StoreError> {
        self.memory.state(key).await
    }

    async fn claim(&self, key: &StateKey) -> Result<Claim, StoreError> {
        self.memory.claim(key).await
    }

    async fn save(
        &self,
        key: &StateKey,
        claim: &Claim,
        over: u64,
        state: State,
    ) -> Result<Arc<State>, StoreError> {
        if *key != self.key {
            return self.memory.save(key, claim, over, state).await;
        }
        let Some(path) = &self.path else {
            tracing::warn!(
                "the account's state was renewed and is lost when this command ends; keep it with \
                 --state FILE"
            );
            return self.memory.save(key, claim, over, state).await;
        };
        // Into the file first, so that what is in memory is never ahead of it. One claim at a time
        // is given, so nobody writes between this look and the last line.
        let known = self.memory.state(key).await?.map_or(0, |known| known.version);
        if known != over {
            return Err(StoreError::Overtaken);
        }
        let next = State { version: over + 1, ..state.clone() };
        let text = Zeroizing::new(format!("{:#}\n", next.to_json(true)));
        write(path, text.as_bytes()).map_err(|cause| cannot(path, &cause))?;
        self.memory.save(key, claim, over, state).await
    }
}

fn cannot(path: &Path, cause: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("{} cannot be written: {cause}", path.display()))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // Its mode is 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(identifier: Option<&str>) -> StateKey {
        StateKey {
            environment: "".into(),
            connection: "c".into(),
            identifier: identifier.map(Into::into),
            row: None,
        }
    }

    #[tokio::test]
    async fn the_file_holds_the_accounts_state_and_never_what_the_connection_shares() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let store = StateFile::new(Some(&path), &key(Some("u")), None).unwrap();
        let shared = key(None);
        let claim = store.claim(&shared).await.unwrap();
        store.save(&shared, &claim, 0, State::default()).await.unwrap();
        assert!(!path.exists());
        assert_eq!(store.state(&shared).await.unwrap().unwrap().version, 1);
        let claim = store.claim(&store.key).await.unwrap();
        store.save(&store.key, &claim, 0, State::default()).await.unwrap();
        assert!(path.exists());
    }
}
