//! The hostile set against the whole library: each plugin ends as it must, in a typed error, and
//! the requests of every other account succeed meanwhile.

#![expect(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign::registry::Source;
use countersign::sandbox::{CallError, Fault, Limits, LoadError};
use countersign::{Countersign, Error, Registry, Sandbox};
use countersign_cli::upstream::Upstream;
use countersign_hostile::{Case, Ending, Foreign, Guest, Stage, all, find, mutations};
use countersign_tests::{
    BEARER_HOST, Folder, HOSTILE_HOSTS, Others, bundled_one, egress, provoke, registry_of, sandbox,
    serve_one, victim,
};

const CANARY: &str = "canary-5a1f0c";

fn cases() -> Vec<Case> {
    all().into_iter().chain(mutations()).collect()
}

/// Every hostile file in one folder, beside the bundled BEARER.
fn registry() -> Arc<Registry> {
    static LOADED: OnceLock<(Folder, Arc<Registry>)> = OnceLock::new();
    let load = || {
        let folder = Folder::new();
        for case in cases() {
            folder.put(&format!("{}.wasm", case.name), case.component());
        }
        let bundled = [bundled_one("bearer")];
        let registry = registry_of(sandbox(), &bundled, Some(folder.path()), BTreeMap::new());
        (folder, registry)
    };
    Arc::clone(&LOADED.get_or_init(load).1)
}

async fn upstream() -> Upstream {
    Upstream::echo(&[HOSTILE_HOSTS[0], HOSTILE_HOSTS[1], BEARER_HOST]).await.unwrap()
}

fn host(sandbox: Arc<Sandbox>, registry: Arc<Registry>, upstream: &Upstream) -> Countersign {
    let egress = egress(upstream, &[HOSTILE_HOSTS[0], HOSTILE_HOSTS[1], BEARER_HOST]);
    Countersign::builder(sandbox, registry, egress).build()
}

/// A host with a profile of its own, for these cases alone.
fn host_under(limits: Limits, names: &[&str], upstream: &Upstream) -> (Countersign, Folder) {
    let folder = Folder::new();
    for name in names {
        folder.put(&format!("{name}.wasm"), find(name).unwrap().component());
    }
    let sandbox = Arc::new(Sandbox::new(limits, None).unwrap());
    let bundled = [bundled_one("bearer")];
    let registry =
        registry_of(Arc::clone(&sandbox), &bundled, Some(folder.path()), BTreeMap::new());
    (host(sandbox, registry, upstream), folder)
}

/// Everything that an error says, its sources too.
fn all_of(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text} {error} {error:?}");
        source = error.source();
    }
    text
}

/// The code of the error that a case which is not a file's must end in.
fn code(case: &Case) -> Option<&'static str> {
    let begins = |starts: &[&str]| starts.iter().any(|start| case.name.starts_with(start));
    Some(match case.ending {
        Ending::Served => return None,
        Ending::Fault => "plugin_fault",
        Ending::Refusal => "denied",
        Ending::Rejected if begins(&["show-outside", "show-what"]) => "view_refused",
        Ending::Rejected if begins(&["prompt-in-a-renewal"]) => "reauthorize",
        Ending::Rejected
            if begins(&["show-", "renew-", "memo-", "watch-", "endless-renewal", "mutation-"]) =>
        {
            "plugin_contract"
        }
        Ending::Rejected => match case.stage {
            Stage::Renew | Stage::Resume | Stage::Grant => "flow_refused",
            _ => "edit_refused",
        },
    })
}

/// A need that no request could ever use is refused with the file already.
fn is_refused_at_load(case: &Case) -> bool {
    case.stage == Stage::Load
        || ["forbidden-header-authority", "forbidden-header-path"].contains(&case.name.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_hostile_plugin_ends_in_its_typed_error_while_every_other_account_is_served() {
    let upstream = upstream().await;
    let registry = tokio::task::spawn_blocking(registry).await.unwrap();
    let host = host(sandbox(), registry, &upstream);
    let others = Others::start(&host);
    let mut met = 0;
    for case in cases().iter().filter(|case| !is_refused_at_load(case)) {
        let result = provoke(&host, &victim(case, "victim", CANARY), case.stage).await;
        match (&result, code(case)) {
            (Ok(seen), None) => assert!(!seen.contains(CANARY), "{case:?} leaves: {seen}"),
            (Err(error), Some(code)) => {
                assert_eq!(error.code(), code, "{case:?}: {error}");
                assert!(!all_of(error).contains(CANARY), "{case:?} tells: {error}");
                assert!(error.to_string().lines().count() == 1, "{case:?}: {error}");
            }
            (found, wanted) => panic!("{case:?} ended as {found:?}, not {wanted:?}"),
        }
        met += 1;
    }
    assert!(met > 120, "the whole set was met: {met}");
    assert!(others.stop().await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_hostile_file_serves_and_the_listing_says_why() {
    let registry = tokio::task::spawn_blocking(registry).await.unwrap();
    let listing = registry.listing();
    let name = |source: &Source| match source {
        Source::Bundled => None,
        Source::File(path) => Some(path.file_stem().unwrap().to_str().unwrap().to_owned()),
    };
    let refused: BTreeSet<_> = listing.refused.iter().filter_map(|it| name(&it.source)).collect();
    let wanted: BTreeSet<_> =
        cases().into_iter().filter(is_refused_at_load).map(|case| case.name).collect();
    assert_eq!(refused, wanted);
    assert!(
        listing.serving.iter().filter_map(|it| name(&it.source)).all(|it| !wanted.contains(&it))
    );
    for one in &listing.refused {
        assert!(!one.reason.is_empty() && !one.reason.contains(char::is_control), "{one:?}");
        assert!(!one.kept, "{one:?}");
    }
}

/// What it gives could then depend on more than its values.
#[test]
fn a_mutation_with_a_clock_is_refused_by_the_name_of_its_import() {
    let clock = Foreign {
        packages: "interface context { now: func() -> u64; }",
        import: "import context;",
        renamed: Some(("countersign:foreign/context", "countersign:auth/context@0.1.0")),
    };
    let about = r#"{"name":"clocked","title":"Clocked"}"#;
    let guest = Guest::mutation(about.into()).importing(clock).build().unwrap();
    let error = registry().inspect("clocked", &guest).unwrap_err();
    assert!(matches!(error, LoadError::Import(_)), "{error}");
}

#[test]
fn a_hostile_file_is_refused_by_a_typed_error_that_tells_what_is_wrong_with_it() {
    let registry = registry();
    for case in cases().iter().filter(|case| is_refused_at_load(case)) {
        if case.name.starts_with("claims-bearer") {
            // Whole in itself: the conflict is the registry's to see.
            assert!(registry.inspect(&case.name, &case.component()).is_ok());
            continue;
        }
        let error = registry.inspect(&case.name, &case.component()).unwrap_err();
        let broke = matches!(error, LoadError::Describe(CallError::Fault { .. }));
        assert_eq!(broke, case.ending == Ending::Fault, "{case:?}: {error}");
        let as_told = match case.name.as_str() {
            "import-of-another-track" => matches!(error, LoadError::Version(_)),
            "empty-component" => matches!(error, LoadError::NoContract),
            "descriptor-of-another-shape" => matches!(error, LoadError::Mismatch(_)),
            name if name.starts_with("import-") => matches!(error, LoadError::Import(_)),
            name if name.starts_with("need-") => matches!(error, LoadError::Needs(_)),
            name if name.starts_with("forbidden-") => matches!(error, LoadError::Needs(_)),
            name if name.starts_with("claims-") => matches!(error, LoadError::Descriptor(_)),
            "unknown-flow" | "flows-without-the-export" => {
                matches!(error, LoadError::Descriptor(_))
            }
            _ => broke || matches!(error, LoadError::NotAComponent(_) | LoadError::Unfit(_)),
        };
        assert!(as_told, "{case:?}: {error:?}");
    }
}

#[test]
fn an_import_that_is_refused_is_named() {
    for (name, import) in [
        ("import-of-wasi", "wasi:io/poll@0.2.6"),
        ("import-from-our-own-package", "countersign:auth/vault@0.1.0"),
        ("import-of-a-bare-function", "steal"),
    ] {
        let component = find(name).unwrap().component();
        let error = registry().inspect(name, &component).unwrap_err();
        assert!(matches!(&error, LoadError::Import(it) if it == import), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_for_the_next_call_of_the_same_plugin() {
    let upstream = upstream().await;
    let registry = tokio::task::spawn_blocking(registry).await.unwrap();
    let host = host(sandbox(), registry, &upstream);
    for name in ["keeps-in-global", "keeps-in-memory"] {
        let calls: Vec<_> = (0..32)
            .map(|nth| {
                let case = find(name).unwrap();
                let account = victim(&case, &format!("a{nth}"), &format!("{CANARY}-{nth}"));
                let host = host.clone();
                tokio::spawn(async move { provoke(&host, &account, case.stage).await })
            })
            .collect();
        for call in calls {
            let seen = call.await.unwrap().unwrap();
            assert!(seen.contains(r#"["authorization","kept="]"#), "{name}: {seen}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_faults_five_times_is_suspended_and_comes_back() {
    let mut limits = Limits::default();
    // Long enough to be seen, short enough to be waited for.
    limits.first_suspension = Duration::from_millis(300);
    let upstream = upstream().await;
    // It faults when it judges values, and authorizes well.
    let case = find("trap-in-validate").unwrap();
    let (host, _folder) = host_under(limits, &[&case.name], &upstream);
    let account = victim(&case, "victim", CANARY);
    assert!(provoke(&host, &account, Stage::Authorize).await.is_ok());
    for nth in 0..5 {
        let error = provoke(&host, &account, Stage::Validate).await.unwrap_err();
        assert_eq!(error.code(), "plugin_fault", "{nth}: {error}");
    }
    let error = provoke(&host, &account, Stage::Authorize).await.unwrap_err();
    assert_eq!(error.code(), "plugin_suspended");
    assert!(error.retry_after().is_some_and(|left| left <= Duration::from_millis(300)));
    let status = |name: &str| {
        let listing = host.registry().listing();
        listing.serving.into_iter().find(|it| it.name == name).unwrap().status
    };
    assert_eq!(status("trap-in-validate").faults, 5);
    assert!(status("trap-in-validate").suspended.is_some());
    assert_eq!(status("bearer").suspended, None);
    serve_one(&host, "other").await;

    let comes_back = async {
        loop {
            match provoke(&host, &account, Stage::Authorize).await {
                Ok(_) => return,
                Err(error) => assert_eq!(error.code(), "plugin_suspended"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), comes_back).await.unwrap();
    assert_eq!(status("trap-in-validate").suspended, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_loops_takes_its_share_and_no_more() {
    let mut limits = Limits::default();
    limits.concurrent_calls = 4;
    limits.concurrent_calls_per_plugin = 2;
    limits.faults_to_suspend = usize::MAX;
    // So long that a request which had to wait for a looping one would be late.
    limits.request_budget = Duration::from_millis(500);
    let upstream = upstream().await;
    let (host, _folder) = host_under(limits, &["loop-in-authorize"], &upstream);
    let (stop, looped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let crowd: Vec<_> = (0..64)
        .map(|nth| {
            let case = find("loop-in-authorize").unwrap();
            let account = victim(&case, &format!("v{nth}"), CANARY);
            let (host, stop, looped) = (host.clone(), Arc::clone(&stop), Arc::clone(&looped));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let ended = provoke(&host, &account, case.stage).await.unwrap_err();
                    let fault = Fault::Time;
                    assert!(
                        matches!(&ended, Error::Call(CallError::Fault { fault: it, .. }) if *it == fault)
                    );
                    looped.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let served = async {
        // Once it loops in earnest.
        while looped.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        for nth in 0..10 {
            serve_one(&host, &format!("other-{nth}")).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), served).await.expect("nobody waited for a loop");
    stop.store(true, Ordering::Relaxed);
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_crowd_that_waits_for_one_plugin_leaves_room_to_wait_for_others() {
    let mut limits = Limits::default();
    limits.concurrent_calls = 4;
    limits.concurrent_calls_per_plugin = 2;

    limits.waiting_calls_per_plugin = 4;
    limits.faults_to_suspend = usize::MAX;
    limits.request_budget = Duration::from_millis(200);
    let upstream = upstream().await;
    let (host, _folder) = host_under(limits, &["loop-in-authorize"], &upstream);
    let case = find("loop-in-authorize").unwrap();
    let accounts: Vec<_> = (0..32).map(|nth| victim(&case, &nth.to_string(), CANARY)).collect();
    let crowd: Vec<_> = accounts
        .into_iter()
        .map(|account| {
            let host = host.clone();
            tokio::spawn(async move { provoke(&host, &account, Stage::Authorize).await })
        })
        .collect();
    // Some were turned away by now, so the plugin's own room is full.
    let turned_away = || crowd.iter().filter(|call| call.is_finished()).count();
    while turned_away() < 16 {
        tokio::task::yield_now().await;
    }
    for nth in 0..4 {
        serve_one(&host, &nth.to_string()).await;
    }
    let mut codes = BTreeMap::new();
    for call in crowd {
        *codes.entry(call.await.unwrap().unwrap_err().code()).or_insert(0) += 1;
    }
    assert!(codes["sandbox_busy"] >= 16 && codes["plugin_fault"] >= 2, "{codes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_were_waiting_when_a_plugin_is_suspended_are_not_made() {
    let upstream = upstream().await;
    let mut limits = Limits::default();
    limits.concurrent_calls_per_plugin = 1;
    limits.request_budget = Duration::from_millis(50);
    limits.first_suspension = Duration::from_mins(5);
    let (host, _folder) = host_under(limits, &["loop-in-authorize"], &upstream);
    let case = find("loop-in-authorize").unwrap();
    let crowd: Vec<_> = (0..64)
        .map(|nth| {
            let (host, account) = (host.clone(), victim(&case, &nth.to_string(), CANARY));
            tokio::spawn(async move { provoke(&host, &account, Stage::Authorize).await })
        })
        .collect();
    let mut codes = BTreeMap::new();
    for call in crowd {
        *codes.entry(call.await.unwrap().unwrap_err().code()).or_insert(0) += 1;
    }
    assert_eq!(codes, BTreeMap::from([("plugin_fault", 5), ("plugin_suspended", 59)]));
}
