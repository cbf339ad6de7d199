//! The limits of guests that carry an interpreter: an operator's to give, and nobody else's to have.

#![expect(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::registry::{Listing, Refused};
use countersign::sandbox::{CallError, Chosen, Digest, Fault, Limits};
use countersign::{Countersign, Error, Registry, Sandbox, Subject};
use countersign_cli::upstream::Upstream;
use countersign_hostile::answer::{descriptor, ready, set_header};
use countersign_hostile::{Body, Guest, Val, friendly, provider};
use countersign_tests::{
    BEARER_HOST, Folder, HOSTILE_HOSTS, bundled_one, egress, header, registry_of, seen, serve_one,
    subject,
};
use serde_json::json;

const TYPE: &str = "LARGE";
/// 12 MiB: more than a plugin has, less than one with an interpreter.
const PAGES: u64 = 192;

fn guest() -> Guest {
    Guest::auth(descriptor(&[TYPE], &[], &["write header/x-large"], r#"{"title":"Large"}"#.into()))
}

fn says(what: &str) -> Val {
    ready(vec![set_header("x-large", what)])
}

/// A guest that begins with what an interpreter does.
fn large(says: &str) -> Vec<u8> {
    guest().pages(PAGES).body("authorize", self::says(says)).build().unwrap()
}

/// A guest that begins small, and says whether it was let grow.
fn growing() -> Vec<u8> {
    let refused = format!("(i32.eq (memory.grow (i32.const {PAGES})) (i32.const -1))");
    guest().body("authorize", Body::either(&refused, says("no"), says("yes"))).build().unwrap()
}

fn looping() -> Vec<u8> {
    let endless = Body::code("(loop $again (br $again)) (unreachable)");
    guest().body("authorize", endless).build().unwrap()
}

struct Served {
    host: Countersign,
    registry: Arc<Registry>,
    account: Arc<Subject>,
    _upstream: Upstream,
}

impl Served {
    async fn by(sandbox: Sandbox, folder: &Folder) -> Self {
        let sandbox = Arc::new(sandbox);
        let bundled = [bundled_one("bearer")];
        let path = Some(folder.path());
        let registry = registry_of(Arc::clone(&sandbox), &bundled, path, BTreeMap::new());
        let hosts = [HOSTILE_HOSTS[0], BEARER_HOST];
        let upstream = Upstream::echo(&hosts).await.unwrap();
        let way = egress(&upstream, &hosts);
        let host = Countersign::builder(sandbox, Arc::clone(&registry), way).build();
        let payload = serde_json::from_str(&provider(TYPE)).unwrap();
        let account = json!({"identifier": "u1",
            "authorization_details": {"static_auth": {"details": {"token": "t-1"}}}});
        let account = subject(&payload, &json!({}), &account);
        Self { host, registry, account, _upstream: upstream }
    }

    /// What the upstream saw in `x-large`.
    async fn said(&self) -> Result<String, Error> {
        match seen(&self.host, &self.account, "/x").await {
            Ok(seen) => Ok(header(&seen, "x-large").concat()),
            Err(error) => Err(error.downcast().unwrap()),
        }
    }

    /// The registry after an operator has chosen anew.
    async fn choose(&self, chosen: &[Chosen]) -> Listing {
        let (registry, chosen) = (Arc::clone(&self.registry), chosen.to_vec());
        let reload = move |registry: &Registry| {
            registry.set_interpreted(chosen);
            registry.reload().unwrap()
        };
        tokio::task::spawn_blocking(move || reload(&registry)).await.unwrap()
    }
}

fn sandbox(chosen: &[Chosen]) -> Sandbox {
    let sandbox = Sandbox::new(Limits::default(), None).unwrap();
    sandbox.with_interpreted(Limits::interpreted(), chosen.to_vec())
}

fn named(name: &str) -> Chosen {
    Chosen::Name(name.to_owned())
}

fn only(listing: &Listing) -> Refused {
    assert_eq!(listing.refused.len(), 1, "{:?}", listing.refused);
    listing.refused[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_begins_with_12_mib_serves_once_it_is_named_and_no_longer() {
    let folder = Folder::new();
    folder.put("large.wasm", large("here"));
    let served = Served::by(sandbox(&[]), &folder).await;
    let refused = only(&served.registry.listing());
    assert!(refused.reason.contains("begins with 12582912 bytes of memory"), "{}", refused.reason);
    assert!(refused.reason.contains("`interpreted.plugins`"), "{}", refused.reason);
    assert!(refused.reason.contains("--interpreted"), "{}", refused.reason);
    assert_eq!(served.said().await.unwrap_err().code(), "auth_type_unknown");

    for chosen in [named("large"), Chosen::Digest(Digest::of(&large("here")))] {
        assert!(served.choose(std::slice::from_ref(&chosen)).await.refused.is_empty());
        assert_eq!(served.said().await.unwrap(), "here");
        // Not even the version that served is left what it is no longer let have.
        let refused = only(&served.choose(&[named("another")]).await);
        assert!(!refused.kept, "{chosen}");
        assert_eq!(served.said().await.unwrap_err().code(), "auth_type_unknown");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_named_by_its_bytes_does_not_lend_its_limits_to_the_next_build() {
    let folder = Folder::new();
    folder.put("large.wasm", large("first"));
    let served = Served::by(sandbox(&[Chosen::Digest(Digest::of(&large("first")))]), &folder).await;
    folder.put("large.wasm", large("second"));
    let registry = Arc::clone(&served.registry);
    let listing = tokio::task::spawn_blocking(move || registry.reload().unwrap()).await.unwrap();
    assert!(only(&listing).kept);
    assert_eq!(served.said().await.unwrap(), "first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_is_not_named_gets_no_more_than_it_had_where_another_is() {
    let folder = Folder::new();
    folder.put("growing.wasm", growing());
    folder.put("other.wasm", friendly("OTHER", ("x-friend", "1")));
    let served = Served::by(sandbox(&[named("other")]), &folder).await;
    assert!(served.registry.listing().refused.is_empty());
    assert_eq!(served.said().await.unwrap(), "no");
    // Of a file whose bytes have not changed, too.
    served.choose(&[named("growing")]).await;
    assert_eq!(served.said().await.unwrap(), "yes");
    served.choose(&[]).await;
    assert_eq!(served.said().await.unwrap(), "no");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_loops_has_the_time_of_its_profile_and_keeps_nobody_of_the_other_waiting() {
    let folder = Folder::new();
    folder.put("looping.wasm", looping());
    let mut limits = Limits::default();
    limits.concurrent_calls = 1;
    limits.concurrent_calls_per_plugin = 1;
    let mut interpreted = Limits::interpreted();
    interpreted.request_budget = Duration::from_secs(2);
    let sandbox = Sandbox::new(limits, None).unwrap();
    let sandbox = sandbox.with_interpreted(interpreted, vec![named("looping")]);
    let served = Arc::new(Served::by(sandbox, &folder).await);
    let looped = {
        let served = Arc::clone(&served);
        tokio::spawn(async move {
            let began = Instant::now();
            (served.said().await.unwrap_err(), began.elapsed())
        })
    };
    for nth in 0..10 {
        serve_one(&served.host, &format!("other-{nth}")).await;
    }
    assert!(!looped.is_finished(), "they have waited for it");
    let (error, took) = looped.await.unwrap();
    let fault = Fault::Time;
    assert!(matches!(&error, Error::Call(CallError::Fault { fault: it, .. }) if *it == fault));
    assert!(took >= Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_profiles_keep_their_compiled_code_in_one_folder() {
    let (folder, cache) = (Folder::new(), tempfile::tempdir().unwrap());
    folder.put("growing.wasm", growing());
    let cache = cache.path().join("cache");
    for (chosen, expected) in
        [("another", "no"), ("growing", "yes"), ("another", "no"), ("growing", "yes")]
    {
        let sandbox = Sandbox::new(Limits::default(), Some(&cache)).unwrap();
        let sandbox = sandbox.with_interpreted(Limits::interpreted(), vec![named(chosen)]);
        assert_eq!(Served::by(sandbox, &folder).await.said().await.unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_of_several_memories_is_refused_under_either() {
    let folder = Folder::new();
    folder.put("several.wasm", guest().fields("(memory $second 1)").build().unwrap());
    let served = Served::by(sandbox(&[]), &folder).await;
    assert!(only(&served.registry.listing()).reason.contains("memories"));
    assert!(only(&served.choose(&[named("several")]).await).reason.contains("memories"));
}

/// To compile one takes seconds, and a file that is refused would be compiled with each reload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_not_named_is_refused_before_it_is_compiled() {
    // What is not seen by who does not compile: a constant that nothing takes, and no operation.
    let mark = Body::code("(drop (i32.const 305419896)) (unreachable)");
    let mut bytes = guest().pages(PAGES).body("authorize", mark).build().unwrap();
    let constant = [0x41, 0xf8, 0xac, 0xd1, 0x91, 0x01, 0x1a];
    let at = bytes.windows(7).position(|window| window == constant).unwrap();
    bytes[at + 6] = 0xff;
    let folder = Folder::new();
    folder.put("large.wasm", bytes);
    let served = Served::by(sandbox(&[]), &folder).await;
    let refused = only(&served.registry.listing());
    assert!(refused.reason.contains("12582912 bytes"), "{}", refused.reason);
    let refused = only(&served.choose(&[named("large")]).await);
    assert!(refused.reason.contains("cannot compile it"), "{}", refused.reason);
}

/// The next build of a file may be refused for what it claims. That is no reason to go on with one whose
/// limits were taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_that_were_taken_back_are_not_left_to_a_version_whose_update_claims_too_much() {
    let folder = Folder::new();
    folder.put("large.wasm", large("here"));
    let served = Served::by(sandbox(&[named("large")]), &folder).await;
    assert_eq!(served.said().await.unwrap(), "here");
    let types =
        descriptor(&[TYPE, "BEARER"], &[], &["write header/x-large"], r#"{"title":"L"}"#.into());
    folder.put("large.wasm", Guest::auth(types).body("authorize", says("more")).build().unwrap());
    // While it may, the version goes on that claims less.
    assert!(only(&served.choose(&[named("large")]).await).kept);
    assert_eq!(served.said().await.unwrap(), "here");
    let refused = only(&served.choose(&[]).await);
    assert!(!refused.kept && refused.reason.contains("BEARER"), "{}", refused.reason);
    assert_eq!(served.said().await.unwrap_err().code(), "auth_type_unknown");
}
