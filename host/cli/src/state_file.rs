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

/// Keeps one account's state.
pub(crate) struct StateFile {
    memory: MemoryStore,
    path: Option<PathBuf>,
}

impl StateFile {
    /// Begins with what is known already.
    pub(crate) fn new(path: Option<&Path>, key: &StateKey, state: Option<&State>) -> Self {
        let memory = MemoryStore::default();
        if let Some(state) = state {
            memory.seed(key.clone(), state.clone());
        }
        Self { memory, path: path.map(Path::to_owned) }
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
        let kept = self.memory.save(key, claim, over, state).await?;
        match &self.path {
            Some(path) => {
                let text = format!("{:#}\n", kept.to_json(true));
                write(path, text.as_bytes()).map_err(|cause| {
                    StoreError::Unavailable(format!("{}: {cause}", path.display()))
                })?;
            }
            None => tracing::warn!(
                "the account's state was renewed and is lost when this command ends; keep it with \
                 --state FILE"
            ),
        }
        Ok(kept)
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Its mode is 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
