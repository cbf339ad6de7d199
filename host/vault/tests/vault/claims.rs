//! Claims: one flow at a time, across processes, and beyond the death of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::store::{Store as _, StoreError};
use countersign_vault::Accounts as _;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::scene::{Scene, account, by, fill, key, state};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_claim_that_one_process_holds_another_waits_for() {
    let scene = Scene::new();
    let [first, second] = [scene.open().await, scene.open().await];
    fill(&first).await;
    let key = key("acme-1", Some("u1"));
    let held = first.claim(&key).await.unwrap();
    let waiting = timeout(Duration::from_millis(300), second.claim(&key)).await;
    assert!(waiting.is_err(), "it is held");
    let fence = held.fence();
    drop(held);
    let next = timeout(SOON, second.claim(&key)).await.unwrap().unwrap();
    assert!(next.fence() > fence);
}

#[tokio::test]
async fn a_holder_who_is_overtaken_writes_nothing() {
    let scene = Scene::new();
    // It shows that it lives once in an hour: as if its process had died.
    let first = scene.open().await.with_lease(Duration::from_hours(3));
    let second = scene.open().await.with_lease(Duration::from_millis(200));
    fill(&first).await;
    let key = key("acme-1", Some("u1"));
    let over = first.state(&key).await.unwrap().unwrap().version;
    let stuck = first.claim(&key).await.unwrap();
    // Whatever the clock says.
    scene.clock.pass(3600);
    assert!(timeout(Duration::from_millis(100), second.claim(&key)).await.is_err());
    let next = timeout(SOON, second.claim(&key)).await.unwrap().unwrap();
    let late = first.save(&key, &stuck, over, state("late")).await;
    assert!(matches!(late, Err(StoreError::Overtaken)));
    second.save(&key, &next, over, state("new")).await.unwrap();
    // What the first gives back is not the second's.
    drop(stuck);
    first.close().await;
    let third = scene.open().await;
    assert!(timeout(Duration::from_millis(100), third.claim(&key)).await.is_err());
}

#[tokio::test]
async fn a_holder_who_lives_is_not_overtaken_however_long_its_flow_takes() {
    let scene = Scene::new();
    let lease = Duration::from_millis(300);
    let [first, second] =
        [scene.open().await, scene.open().await].map(|vault| vault.with_lease(lease));
    fill(&first).await;
    let key = key("acme-1", Some("u1"));
    let _held = first.claim(&key).await.unwrap();
    assert!(timeout(5 * lease, second.claim(&key)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_nobody_waits_for_any_more_is_given_back() {
    let scene = Scene::new();
    let vault = scene.open().await;
    fill(&vault).await;
    let key = key("acme-1", Some("u1"));
    for micros in (0..3000).step_by(20) {
        let _ = timeout(Duration::from_micros(micros), vault.claim(&key)).await;
    }
    let claim = timeout(SOON, vault.claim(&key)).await.unwrap().unwrap();
    drop(claim);
    vault.close().await;
    assert_eq!(scene.number("SELECT COUNT(*) FROM claims WHERE holder IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_flows_of_one_account_run_side_by_side() {
    let scene = Scene::new();
    let vaults = [scene.open().await, scene.open().await].map(Arc::new);
    fill(&vaults[0]).await;
    let inside = Arc::new(AtomicUsize::new(0));
    let mut flows = JoinSet::new();
    for n in 0..20 {
        let (vault, inside) = (Arc::clone(&vaults[n % 2]), Arc::clone(&inside));
        flows.spawn(async move {
            let key = key("acme-1", Some("u1"));
            let claim = vault.claim(&key).await.unwrap();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            let over = vault.state(&key).await.unwrap().unwrap().version;
            vault.save(&key, &claim, over, state("next")).await.unwrap();
            inside.fetch_sub(1, Ordering::SeqCst);
        });
    }
    timeout(Duration::from_mins(1), flows.join_all()).await.unwrap();
    let kept = vaults[0].state(&key("acme-1", Some("u1"))).await.unwrap().unwrap();
    assert!(kept.version > 20);
}

#[tokio::test]
async fn a_vault_that_is_closed_leaves_no_claim_behind() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (_, connection, _) = fill(&vault).await;
    let mut claims = Vec::new();
    for nth in 0..20 {
        let identifier = format!("holder {nth}");
        vault.create_account(&by(), &account(&identifier, &connection)).await.unwrap();
        claims.push(vault.claim(&key("acme-1", Some(&identifier))).await.unwrap());
    }
    drop(claims);
    vault.close().await;
    assert_eq!(scene.number("SELECT COUNT(*) FROM claims WHERE holder IS NOT NULL").await, 0);
}
