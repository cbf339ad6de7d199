//! Row 20: what a plugin does while its caller goes away. The rest of this row is the hostile set
//! (`hostile.rs`), every case of which goes through the whole library.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign::sandbox::Limits;
use countersign::{Countersign, Sandbox};
use countersign_cli::upstream::Upstream;
use countersign_hostile::{Stage, find};
use countersign_tests::{
    BEARER_HOST, Folder, HOSTILE_HOSTS, bundled_one, egress, provoke, registry_of, serve_one,
    victim,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_20_callers_who_go_away_mid_call_leave_a_whole_pool_and_the_fault_is_counted() {
    let mut limits = Limits::default();
    limits.concurrent_calls = 2;
    limits.concurrent_calls_per_plugin = 2;
    limits.request_budget = Duration::from_millis(100);
    limits.first_suspension = Duration::from_mins(5);
    let sandbox = Arc::new(Sandbox::new(limits, None).unwrap());
    let folder = Folder::new();
    let case = find("loop-in-authorize").unwrap();
    folder.put("loops.wasm", case.component());
    let bundled = [bundled_one("bearer")];
    let registry =
        registry_of(Arc::clone(&sandbox), &bundled, Some(folder.path()), BTreeMap::new());
    let hosts = [HOSTILE_HOSTS[0], HOSTILE_HOSTS[1], BEARER_HOST];
    let upstream = Upstream::echo(&hosts).await.unwrap();
    let host = Countersign::builder(sandbox, registry, egress(&upstream, &hosts)).build();
    let account = victim(&case, "u1", "t-1");
    let status = || {
        let listing = host.registry().listing();
        listing.serving.into_iter().find(|it| it.name == "loops").unwrap().status
    };
    let nobody_waits = async {
        // No caller ever waits for an answer, and the plugin is judged all the same.
        while status().suspended.is_none() {
            let call = provoke(&host, &account, Stage::Authorize);
            let _ = tokio::time::timeout(Duration::from_millis(20), call).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), nobody_waits).await.expect("suspended");
    assert!(status().faults >= 5);
    // Every seat came back.
    for nth in 0..4 {
        serve_one(&host, &nth.to_string()).await;
    }
}
