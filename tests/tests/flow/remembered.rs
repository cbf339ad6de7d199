//! Answers that are used again, and memos: each seen by a credential that tells calls apart.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign::Countersign;
use countersign_hostile::answer::{self, set_header};
use countersign_hostile::{Body, Guest, Part, Val};
use countersign_tests::sandbox;
use countersign_tests::world::{get, no_egress};
use serde_json::json;
use tokio::task::JoinSet;

use crate::plot::{Plot, Ready, account, done, guest, provider};

/// Sixteen random letters, left where `KeptInMemory` looks.
const NONCE: &str = "
    (func $nonce (local $i i32)
      (call $random (i32.const 16) (i32.const 512))
      (i32.store (i32.const 0) (i32.const 16))
      (loop $next
        (i32.store8 offset=4 (local.get $i)
          (i32.add (i32.const 97)
            (i32.and (i32.const 15)
              (i32.load8_u (i32.add (i32.load (i32.const 512)) (local.get $i))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 16)))))";

/// About a millisecond of work.
pub(crate) const WORK: &str = "
    (func $work (local $i i32)
      (loop $next
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 1500000)))))";

/// `authorization: ` and a nonce: equal on two requests only where no call was made between them.
fn nonce() -> Val {
    set_header("authorization", [Part::Text("nonce="), Part::KeptInMemory])
}

pub(crate) fn drawing(needs: &[&str], body: impl Into<Body>) -> Guest {
    guest(needs).fields(NONCE).body("authorize", body.into().after("(call $nonce)"))
}

pub(crate) fn lasting() -> Val {
    Ready::lasting(nonce()).answer()
}

#[tokio::test]
async fn a_remembered_answer_costs_no_call() {
    let plot = Plot::of(&drawing(&[], lasting()));
    let first = plot.prepared().await.unwrap();
    assert_eq!(plot.prepared().await.unwrap(), first);
    plot.clock.pass(59);
    assert_eq!(plot.prepared().await.unwrap(), first);
}

#[tokio::test]
async fn a_host_tells_what_it_has_done() {
    let plot = Plot::of(&drawing(&[], lasting()).body("begin", done("new", 30)));
    for _ in 0..3 {
        plot.prepared().await.unwrap();
    }
    plot.host.renew(&plot.subject).await.unwrap();
    let tally = plot.host.tally();
    assert_eq!((tally.asked, tally.remembered, tally.renewals), (1, 2, 1));
    assert_eq!(tally.failed_renewals, 0);
    assert!(tally.calls >= 2 && !tally.call_time.is_zero(), "{tally:?}");

    let plot = Plot::of(&drawing(&[], lasting()).body("begin", Body::code("(unreachable)")));
    let before = plot.host.tally().faults;
    plot.host.renew(&plot.subject).await.err().unwrap();
    let tally = plot.host.tally();
    assert_eq!((tally.renewals, tally.failed_renewals), (0, 1));
    assert!(tally.faults[0].1 > before[0].1, "{tally:?}");
}

#[tokio::test]
async fn it_ends_with_its_time_the_state_the_plugins_and_the_subject() {
    let guest = drawing(&[], lasting()).body("begin", done("new", 30));
    let plot = Plot::of(&guest);
    let mut last = plot.prepared().await.unwrap();
    let mut changed = |what: &str, now: String| {
        assert_ne!(now, last, "{what}");
        last = now;
    };
    plot.clock.pass(60);
    changed("time", plot.prepared().await.unwrap());
    plot.host.renew(&plot.subject).await.unwrap();
    changed("state", plot.prepared().await.unwrap());
    plot.registry.reload().unwrap();
    changed("reload", plot.prepared().await.unwrap());
    let other = countersign_tests::subject(&provider(), &json!({}), &account());
    let request = get("/");
    let request = plot.host.prepare(&other, request).await.unwrap();
    changed("subject", request.headers()["authorization"].to_str().unwrap().to_owned());
}

#[tokio::test]
async fn it_ends_when_the_state_does() {
    let guest = drawing(&[], lasting()).body("begin", done("new", 30));
    let plot = Plot::of(&guest);
    plot.host.renew(&plot.subject).await.unwrap();
    let first = plot.prepared().await.unwrap();
    plot.clock.pass(29);
    assert_eq!(plot.prepared().await.unwrap(), first);
    plot.clock.pass(1);
    assert_ne!(plot.prepared().await.unwrap(), first);
    assert_eq!(plot.store.kept(&plot.subject).await.unwrap().version, 2, "it was renewed first");
}

#[tokio::test]
async fn an_answer_that_may_hang_on_a_request_is_not_remembered() {
    let show = Body::either("(local.get 4)", lasting(), answer::show(&[]));
    let with = |change: fn(&mut Ready)| {
        let mut ready = Ready::lasting(nonce());
        change(&mut ready);
        Body::from(ready.answer())
    };
    for (what, needs, body) in [
        ("after show", &[][..], show),
        ("with a memo", &[], with(|ready| ready.memo = Val::some("m"))),
        ("with a cursor", &[], with(|ready| ready.cursor = "c".into())),
        ("for no time", &[], with(|ready| ready.remember = 0)),
    ] {
        let plot = Plot::of(&drawing(needs, body));
        let first = plot.prepared().await.unwrap();
        assert_ne!(plot.prepared().await.unwrap(), first, "{what}");
    }
}

/// The edit is one of two: a new path or body may hold something of the request it was made for.
#[tokio::test]
async fn a_new_path_or_body_is_not_remembered() {
    let path = Val::of("set-path", [Part::Text("/base/"), Part::KeptInMemory]);
    let body = Val::of("set-body", [Part::KeptInMemory]);
    for (need, edit) in [("write path", path), ("write body", body)] {
        let plot = Plot::of(&drawing(&[need], Ready::lasting(edit).answer()));
        let mut seen = BTreeSet::new();
        for _ in 0..2 {
            let request = get("/things");
            let request = plot.host.prepare(&plot.subject, request).await.unwrap();
            let body = request.body().as_whole().unwrap().to_vec();
            seen.insert((request.uri().to_string(), body));
        }
        assert_eq!(seen.len(), 2, "{need}");
    }
}

/// A nonce count: the memo grows by one character a call, and the credential shows it.
#[tokio::test(flavor = "multi_thread")]
async fn no_count_is_used_twice_by_requests_side_by_side() {
    let count = set_header("authorization", [Part::Text("n="), Part::Param(2)]);
    let memo = Val::some([Part::Text("x"), Part::Param(2)]);
    let ready = Ready { edit: count, remember: 60, memo, cursor: "".into() };
    // It takes its time, so that the calls do run side by side.
    let slowly = Body::from(ready.answer()).after("(call $work)");
    let plot = Arc::new(Plot::of(&guest(&[]).fields(WORK).body("authorize", slowly)));
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let plot = Arc::clone(&plot);
        requests.spawn(async move { plot.prepared().await.unwrap() });
    }
    let counts: BTreeSet<String> = requests.join_all().await.into_iter().collect();
    assert_eq!(counts.len(), 50, "{counts:?}");
}

#[tokio::test]
async fn a_memo_ends_with_the_state_and_is_never_another_accounts() {
    let count = set_header("authorization", [Part::Text("n="), Part::Param(2)]);
    let memo = Val::some([Part::Text("x"), Part::Param(2)]);
    let ready = Ready { edit: count, remember: 0, memo, cursor: "".into() };
    let guest = guest(&[]).body("authorize", ready.answer()).body("begin", done("new", 3600));
    let plot = Plot::of(&guest);
    assert_eq!(plot.prepared().await.unwrap(), "n=");
    assert_eq!(plot.prepared().await.unwrap(), "n=x");
    let other = countersign_tests::subject(&provider(), &json!({}), &account());
    let request = plot.host.prepare(&other, get("/")).await.unwrap();
    assert_eq!(request.headers()["authorization"], "n=");
    plot.host.renew(&plot.subject).await.unwrap();
    assert_eq!(plot.prepared().await.unwrap(), "n=");
    // Nor another host's, which may have other policy.
    let host = Countersign::builder(sandbox(), Arc::clone(&plot.registry), no_egress())
        .store(Arc::clone(&plot.store) as _)
        .build();
    let request = host.prepare(&plot.subject, get("/")).await.unwrap();
    assert_eq!(request.headers()["authorization"], "n=");
}

#[tokio::test]
async fn a_memo_over_four_kib_is_refused() {
    for (length, served) in [(4096, true), (4097, false)] {
        let edit = set_header("authorization", "x");
        let memo = Val::some("m".repeat(length));
        let ready = Ready { edit, remember: 0, memo, cursor: "".into() };
        let plot = Plot::of(&guest(&[]).body("authorize", ready.answer()));
        assert_eq!(plot.prepared().await.is_ok(), served, "{length}");
    }
}
