//! What two thousand faults leave behind: nothing. Alone in its process, which is measured.

#![expect(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::sandbox::Limits;
use countersign::{Countersign, Sandbox};
use countersign_cli::upstream::Upstream;
use countersign_hostile::{Case, Ending, Stage, find};
use countersign_tests::{
    BEARER_HOST, Folder, HOSTILE_HOSTS, Others, bundled_one, egress, provoke, registry_of, victim,
};

/// Of every way to fault, those that do not wait for a deadline; and one that does.
const FAULTS: [&str; 23] = [
    "trap-in-authorize",
    "memory-bomb-in-authorize",
    "table-bomb",
    "deep-recursion",
    "log-100-mb",
    "random-flood",
    "random-beyond-4096",
    "string-100-mb-claimed",
    "string-100-mb-backed",
    "million-headers",
    "hundred-thousand-headers",
    "thousand-headers-of-one-mebibyte",
    "answer-beyond-memory",
    "invalid-utf-8",
    "log-invalid-utf-8",
    "trap-in-validate",
    "million-findings",
    "trap-in-replied",
    "trap-in-begin",
    "fetch-url-100-mb",
    "mutation-trap",
    "mutation-invalid-utf-8",
    "log-flood",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_faults_leave_resident_memory_where_two_hundred_left_it() {
    let mut limits = Limits::default();
    limits.faults_to_suspend = usize::MAX;
    let sandbox = Arc::new(Sandbox::new(limits, None).unwrap());
    let folder = Folder::new();
    let cases: Vec<Case> = FAULTS.iter().map(|name| find(name).unwrap()).collect();
    for case in &cases {
        folder.put(&format!("{}.wasm", case.name), case.component());
    }
    let bundled = [bundled_one("bearer")];
    let registry =
        registry_of(Arc::clone(&sandbox), &bundled, Some(folder.path()), BTreeMap::new());
    let hosts = [HOSTILE_HOSTS[0], HOSTILE_HOSTS[1], BEARER_HOST];
    let upstream = Upstream::echo(&hosts).await.unwrap();
    let host = Countersign::builder(sandbox, registry, egress(&upstream, &hosts)).build();
    // One connection now, so that its buffers are there before anything is measured.
    let others = Others::start(&host);
    let mut after_200 = 0;
    for nth in 0..2000 {
        // Turns over all of them; a deadline only now and then.
        let case = &cases[nth % (cases.len() - usize::from(nth % 10 != 0))];
        let account = victim(case, &format!("v{}", nth % 50), "canary-77");
        let error = provoke(&host, &account, case.stage).await.unwrap_err();
        assert_eq!(error.code(), "plugin_fault", "{case:?}");
        if nth == 199 {
            after_200 = resident();
        }
    }
    let after_2000 = resident();
    assert!(others.stop().await > 0);
    assert!(
        after_2000.saturating_sub(after_200) <= 16 << 10,
        "{after_200} KiB after 200 faults, {after_2000} KiB after 2,000"
    );
    assert!(cases.iter().all(|case| case.ending == Ending::Fault && case.stage != Stage::Load));
}

/// KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
