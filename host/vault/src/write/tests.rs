use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use countersign::clock::SystemClock;
use countersign::random::{SeededRandom, SystemRandom};

use super::*;
use crate::follow::Listener;
use crate::key::MasterKey;
use crate::{By, Clients as _, Hash, NewClient};

/// Counts what it is told.
#[derive(Default)]
struct Told(Mutex<BTreeSet<Change>>);

impl Listener for Told {
    fn changed(&self, change: &Change) {
        self.0.lock().unwrap().insert(change.clone());
    }

    fn forget(&self) {}
}

async fn open(path: &Path) -> SqlVault {
    let masters = vec![MasterKey::generate(&SeededRandom::new(1)).unwrap()];
    let random = std::sync::Arc::new(SystemRandom);
    SqlVault::open(path, masters, std::sync::Arc::new(SystemClock), random).await.unwrap()
}

/// Nothing reads the changes here: it is the writer who tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_caller_goes_away_is_told_to_the_caches_of_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    let vault = open(&path).await;
    let told = std::sync::Arc::new(Told::default());
    vault.following.listen(&told);
    let by = By { client: "skc_1".to_owned(), request: "r-1".to_owned() };
    for micros in (0..6000).step_by(40) {
        let new = NewClient {
            id: Some(format!("skc_{micros}")),
            name: "agents".to_owned(),
            secret_hash: Hash::of("secret"),
            roles: BTreeSet::new(),
            connections: None,
            identifiers: None,
        };
        let create = vault.create_client(&by, &new);
        let _ = tokio::time::timeout(Duration::from_micros(micros), create).await;
    }
    vault.close().await;
    let kept = open(&path).await.clients().await.unwrap();
    let kept: BTreeSet<_> =
        kept.into_iter().map(|client| Change::Client(client.id.into())).collect();
    assert_eq!(*told.0.lock().unwrap(), kept);
    assert!(!kept.is_empty());
}
