//! The plugin folder while requests run: new types, updates, broken files, conflicts, pins.

#![expect(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::registry::{Listing, Refused, Source};
use countersign::sandbox::{Digest, Limits};
use countersign::{Countersign, Error, Registry, Sandbox, Subject};
use countersign_cli::upstream::Upstream;
use countersign_hostile::{friendly, friendly_version, provider};
use countersign_tests::{
    BEARER_HOST, Folder, HOSTILE_HOSTS, Others, bundled_one, egress, header, registry_of, sandbox,
    seen, serve_one, subject,
};
use serde_json::json;

const TYPE: &str = "NEVER_HEARD_OF";

fn registry(folder: &Folder) -> Arc<Registry> {
    pinned(folder, &[])
}

fn pinned(folder: &Folder, pins: &[(&str, Digest)]) -> Arc<Registry> {
    let pins = pins.iter().map(|(name, digest)| ((*name).to_owned(), *digest)).collect();
    registry_of(sandbox(), &[bundled_one("bearer")], Some(folder.path()), pins)
}

/// An account under a plugin that needs no value.
fn account(auth_type: &str) -> Arc<Subject> {
    let payload = serde_json::from_str(&provider(auth_type)).unwrap();
    let details = json!({"token": "t-1"});
    let account =
        json!({"identifier": "u1", "authorization_details": {"static_auth": {"details": details}}});
    subject(&payload, &json!({}), &account)
}

struct Served {
    host: Countersign,
    _upstream: Upstream,
}

impl Served {
    async fn by(registry: Arc<Registry>) -> Self {
        Self::within(sandbox(), registry).await
    }

    async fn within(sandbox: Arc<Sandbox>, registry: Arc<Registry>) -> Self {
        let hosts = [HOSTILE_HOSTS[0], BEARER_HOST];
        let upstream = Upstream::echo(&hosts).await.unwrap();
        let host = Countersign::builder(sandbox, registry, egress(&upstream, &hosts)).build();
        Self { host, _upstream: upstream }
    }

    /// What the upstream saw in `x-friend`.
    async fn friend(&self, account: &Arc<Subject>) -> Result<String, Error> {
        match seen(&self.host, account, "/x").await {
            Ok(seen) => Ok(header(&seen, "x-friend").join(", ")),
            Err(error) => Err(error.downcast().unwrap()),
        }
    }

    async fn reload(&self) -> Listing {
        let host = self.host.clone();
        tokio::task::spawn_blocking(move || host.registry().reload()).await.unwrap().unwrap()
    }
}

fn friend(value: &str) -> Vec<u8> {
    friendly(TYPE, ("X-Friend", value))
}

fn refusal<'a>(listing: &'a Listing, path: &Path) -> Option<&'a Refused> {
    listing.refused.iter().find(|it| it.source == Source::File(path.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_never_heard_of_is_served_after_a_reload_while_requests_run() {
    let folder = Folder::new();
    let served = Served::by(registry(&folder)).await;
    let others = Others::start(&served.host);
    let account = account(TYPE);
    let error = served.friend(&account).await.unwrap_err();
    assert_eq!(error.code(), "auth_type_unknown");
    assert!(error.to_string().contains(TYPE) && error.to_string().ends_with(": BEARER"), "{error}");

    folder.put("friend.wasm", friend("one"));
    assert!(served.friend(&account).await.is_err(), "not before the reload");
    let listing = served.reload().await;
    assert_eq!(listing.serving.len(), 2);
    assert_eq!(served.friend(&account).await.unwrap(), "one");

    folder.put("friend.wasm", friend("two"));
    assert_eq!(served.friend(&account).await.unwrap(), "one");
    served.reload().await;
    assert_eq!(served.friend(&account).await.unwrap(), "two");

    folder.remove("friend.wasm");
    served.reload().await;
    let error = served.friend(&account).await.unwrap_err();
    assert_eq!(error.code(), "auth_type_unknown", "removing the file removes the type");
    assert!(others.stop().await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_leaves_the_last_good_one_serving_and_is_listed_with_its_reason() {
    let folder = Folder::new();
    let path = folder.put("friend.wasm", friend("good"));
    let served = Served::by(registry(&folder)).await;
    let account = account(TYPE);
    let greedy = friendly_of(&[TYPE, "BEARER"]);
    for (bytes, reason) in [
        (b"not wasm".to_vec(), "not a WebAssembly component"),
        (Vec::new(), "not a WebAssembly component"),
        (greedy, "BEARER is also claimed by bundled"),
    ] {
        folder.put("friend.wasm", &bytes);
        // Twice: what is kept is kept from reload to reload.
        for _ in 0..2 {
            let listing = served.reload().await;
            let refused = refusal(&listing, &path).unwrap();
            assert!(refused.kept && refused.reason.contains(reason), "{refused:?}");
            assert_eq!(refused.digest, Some(Digest::of(&bytes)));
            assert_eq!(listing.serving.len(), 2);
            assert_eq!(served.friend(&account).await.unwrap(), "good");
        }
    }
    let listing = served.host.registry().listing();
    assert_eq!(listing.serving[1].digest, Digest::of(&friend("good")));
    folder.put("friend.wasm", friend("mended"));
    assert!(served.reload().await.refused.is_empty());
    assert_eq!(served.friend(&account).await.unwrap(), "mended");
}

/// A plugin that answers to several types.
fn friendly_of(auth_types: &[&str]) -> Vec<u8> {
    let about = r#"{"title":"Friend","version":"1"}"#;
    let needs = ["write header/x-friend"];
    let descriptor = countersign_hostile::answer::descriptor(auth_types, &[], &needs, about.into());
    let edits = vec![countersign_hostile::answer::set_header("x-friend", "greedy")];
    let guest = countersign_hostile::Guest::auth(descriptor);
    guest.body("authorize", countersign_hostile::answer::ready(edits)).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_claims_bearer_is_refused_naming_both() {
    let folder = Folder::new();
    let thief = friendly("BEARER", ("X-Friend", "stolen"));
    let path = folder.put("thief.wasm", &thief);
    let served = Served::by(registry(&folder)).await;
    let listing = served.host.registry().listing();
    let refused = refusal(&listing, &path).unwrap();
    let bundled = Digest::of(bundled_one("bearer").1);
    assert_eq!(refused.digest, Some(Digest::of(&thief)));
    for part in ["BEARER", "bundled", &bundled.to_string(), &Digest::of(&thief).to_string()] {
        assert!(refused.reason.contains(part), "{}", refused.reason);
    }
    assert!(!refused.kept);
    serve_one(&served.host, "u1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_newcomers_for_one_type_neither_serves_and_whoever_was_first_stays() {
    let folder = Folder::new();
    let [a, b] = ["a", "b"].map(|name| folder.put(&format!("{name}.wasm"), friend(name)));
    let served = Served::by(registry(&folder)).await;
    let account = account(TYPE);
    assert_eq!(served.friend(&account).await.unwrap_err().code(), "auth_type_unknown");
    let listing = served.host.registry().listing();
    for (one, other) in [(&a, &b), (&b, &a)] {
        let reason = &refusal(&listing, one).unwrap().reason;
        assert!(reason.contains(&other.display().to_string()), "{reason}");
    }

    // Alone it serves, and then it was there first: whatever the order of their names.
    folder.remove("a.wasm");
    served.reload().await;
    assert_eq!(served.friend(&account).await.unwrap(), "b");
    folder.put("a.wasm", friend("a"));
    let listing = served.reload().await;
    assert!(refusal(&listing, &a).is_some() && refusal(&listing, &b).is_none());
    assert_eq!(served.friend(&account).await.unwrap(), "b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_by_digest_settles_a_conflict_and_nothing_else_serves_that_type() {
    let folder = Folder::new();
    folder.put("a.wasm", friend("a"));
    folder.put("b.wasm", friend("b"));
    let own = friendly_version("BEARER", ("Authorization", "Bearer own"), "2");
    folder.put("own-bearer.wasm", &own);
    let pins = [(TYPE, Digest::of(&friend("b"))), ("BEARER", Digest::of(&own))];
    let served = Served::by(pinned(&folder, &pins)).await;
    assert_eq!(served.friend(&account(TYPE)).await.unwrap(), "b");
    let seen = seen(&served.host, &account("BEARER"), "/x").await.unwrap();
    assert_eq!(header(&seen, "authorization"), ["Bearer own"]);

    // An update is another digest, so it needs another pin: the last good one goes on.
    folder.put("b.wasm", friend("b, updated"));
    served.reload().await;
    assert_eq!(served.friend(&account(TYPE)).await.unwrap(), "b");
    folder.remove("b.wasm");
    served.reload().await;
    let error = served.friend(&account(TYPE)).await.unwrap_err();
    assert_eq!(error.code(), "auth_type_unknown", "a.wasm is not what was pinned");
    served.host.registry().set_pins(BTreeMap::from([(TYPE.to_owned(), Digest::of(&friend("a")))]));
    served.reload().await;
    assert_eq!(served.friend(&account(TYPE)).await.unwrap(), "a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reloading_under_load_loses_no_request() {
    // Every seat of a small pool is wanted all the time, and each reload loads a component anew.
    let mut limits = Limits::default();
    limits.concurrent_calls = 2;
    limits.concurrent_calls_per_plugin = 2;
    let sandbox = Arc::new(Sandbox::new(limits, None).unwrap());
    let folder = Folder::new();
    folder.put("friend.wasm", friend("0"));
    let registry = registry_of(
        Arc::clone(&sandbox),
        &[bundled_one("bearer")],
        Some(folder.path()),
        BTreeMap::new(),
    );
    let served = Arc::new(Served::within(sandbox, registry).await);
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (served, stop, account) = (Arc::clone(&served), Arc::clone(&stop), account(TYPE));
            tokio::spawn(async move {
                let (mut count, mut last) = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    let version: u32 = served.friend(&account).await.unwrap().parse().unwrap();
                    assert!(version >= last, "an older plugin came back");
                    last = version;
                    count += 1;
                }
                count
            })
        })
        .collect();
    for version in 1..=12 {
        folder.put("friend.wasm", friend(&version.to_string()));
        let listing = served.reload().await;
        assert!(listing.refused.is_empty(), "{:?}", listing.refused);
        assert_eq!(served.friend(&account(TYPE)).await.unwrap(), version.to_string());
    }
    stop.store(true, Ordering::Relaxed);
    for requests in load {
        assert!(requests.await.unwrap() > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_plugin_wished_to_see_is_not_held_against_the_next_one() {
    use countersign_hostile::{Guest, answer};
    let about = r#"{"title":"Curious","version":"1"}"#;
    let needs = ["write header/x-friend", "read header/date"];
    let curious = Guest::auth(answer::descriptor(&[TYPE], &[], &needs, about.into()))
        .body("authorize", answer::show(&["header/date"]));
    let folder = Folder::new();
    folder.put("friend.wasm", curious.build().unwrap());
    let served = Served::by(registry(&folder)).await;
    let account = account(TYPE);
    assert_eq!(served.friend(&account).await.unwrap_err().code(), "plugin_contract");
    // It may not read that header at all.
    folder.put("friend.wasm", friend("incurious"));
    served.reload().await;
    assert_eq!(served.friend(&account).await.unwrap(), "incurious");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_keeps_the_plugin_it_began_with() {
    use countersign_hostile::{Guest, answer};
    // It watches its reply; by the time that comes, another plugin has taken its place.
    let about = r#"{"title":"Watcher","version":"1"}"#;
    let needs = ["write header/x-friend"];
    let edits = countersign_hostile::Val::List(vec![answer::set_header("x-friend", "first")]);
    let watching =
        answer::ready_with(edits, vec![answer::watch_any(0)], countersign_hostile::Val::none());
    let first = Guest::auth(answer::descriptor(&[TYPE], &[], &needs, about.into()))
        .body("authorize", watching);
    let second = Guest::auth(answer::descriptor(&[TYPE], &[], &needs, about.into()))
        .body("replied", countersign_hostile::Body::code("(unreachable)"));
    let folder = Folder::new();
    folder.put("friend.wasm", first.build().unwrap());
    let registry = registry(&folder);
    let replace = Arc::new({
        let second = second.build().unwrap();
        let registry = Arc::clone(&registry);
        move || {
            folder.put("friend.wasm", &second);
            registry.reload().unwrap();
        }
    });
    let upstream = Upstream::start(&[HOSTILE_HOSTS[0]], move |request| {
        let replace = Arc::clone(&replace);
        async move {
            tokio::task::spawn_blocking(move || replace()).await.unwrap();
            countersign_cli::upstream::echo(&request)
        }
    });
    let upstream = upstream.await.unwrap();
    let egress = egress(&upstream, &[HOSTILE_HOSTS[0]]);
    let host = Countersign::builder(sandbox(), Arc::clone(&registry), egress).build();
    let seen = seen(&host, &account(TYPE), "/x").await.unwrap();
    assert_eq!(header(&seen, "x-friend"), ["first"]);
    assert_eq!(registry.listing().serving[1].digest, Digest::of(&second.build().unwrap()));
}

#[tokio::test]
async fn what_is_no_regular_file_is_refused_and_does_not_hold_up_a_reload() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("folder.wasm")).unwrap();
    let socket = folder.path().join("socket.wasm");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.wasm")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("endless.wasm")).unwrap();
    folder.put("notes.txt", "not looked at");
    folder.put("friend.wasm", friend("served"));
    let huge = std::fs::File::create(folder.path().join("huge.wasm")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let listing = registry(&folder).listing();
    assert_eq!(listing.serving.len(), 2);
    let reasons: Vec<_> = listing.refused.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(reasons.len(), 5, "{reasons:?}");
    for part in ["No such file", "not a regular file", "at most 33554432 are read"] {
        assert!(reasons.iter().any(|reason| reason.contains(part)), "{part}: {reasons:?}");
    }
    assert!(listing.refused.iter().all(|it| it.digest.is_none() && !it.kept));
}
