//! State past its end: an account's, and what a whole connection shares.

use countersign::account::State;
use countersign::clock::Clock as _;
use countersign::flow::Progress;
use countersign::store::Store as _;
use countersign_hostile::answer::{self, entry, refusal, set_header};
use countersign_hostile::{Body, Guest, Part, TOKEN_URI, Val};
use countersign_tests::token_server::Oddity;

use crate::plot::{Plot, Ready, done, fetch, guest};
use crate::renewal::instance;
use crate::scene::Scene;

const LONG_AGO: &str = "2001-01-01T00:00:00Z";

/// The credential is the account's token, whatever it is worth.
fn token() -> Val {
    Ready::lasting(set_header("authorization", [Part::Token])).answer()
}

/// A token for an audience (RFC 8693): only the plugin knows which, and says so in its hint.
#[tokio::test]
async fn a_state_past_its_end_is_renewed_with_the_plugins_own_hint() {
    let is_old = "(i32.eq (i32.load offset=12 (call $token (local.get 0) (local.get 1)))
        (i32.const 3))";
    let authorize = Body::either(is_old, Val::ok(Val::of("renew", "audience")), token());
    // Parameter 6 is the length of the hint.
    let begin = Body::either(
        "(local.get 6)",
        done("newer", 60),
        refusal("invalid-config", "for which audience"),
    );
    let plot = Plot::of(&guest(&[]).body("authorize", authorize).body("begin", begin));
    plot.seed("old", LONG_AGO);
    assert_eq!(plot.prepared().await.unwrap(), "newer");
}

#[tokio::test]
async fn a_state_past_its_end_is_not_used_whatever_the_plugin_makes_of_it() {
    let plot = Plot::of(&guest(&[]).body("authorize", token()).body("begin", done("newer", 60)));
    plot.seed("old", LONG_AGO);
    assert_eq!(plot.prepared().await.unwrap(), "newer");
    let stuck = guest(&[]).body("authorize", token()).body("begin", done("newer", 0));
    let plot = Plot::of(&stuck);
    plot.seed("old", LONG_AGO);
    assert_eq!(plot.prepared().await.unwrap_err().code(), "plugin_contract");
    let kept = plot.store.kept(&plot.subject).await.unwrap();
    assert_eq!(kept.version, 1, "a refresh token is not used up in vain");
}

#[tokio::test]
async fn an_answer_given_without_a_state_is_forgotten_when_there_is_one() {
    let plot = Plot::of(&guest(&[]).body("authorize", token()));
    assert_eq!(plot.prepared().await.unwrap(), "canary-of-the-account");
    plot.seed("old", "2999-01-01T00:00:00Z");
    assert_eq!(plot.prepared().await.unwrap(), "old");
}

/// A host that a reply brought and no request may go to does not stand in the way of a better one.
#[tokio::test]
async fn an_attribute_that_cannot_be_used_is_mended_by_the_next_renewal() {
    let script = instance(&["na1.acme.example"]);
    let scene = script.config("user_info_uri", "https://{{instance}}/me").begin().await;
    scene.server.turn(Oddity::With("instance", "evil.example/x#".into()));
    for _ in 0..2 {
        let error = scene.get().await.unwrap_err();
        assert_eq!((error.code(), error.field()), ("target_refused", Some("instance")));
    }
    scene.server.turn(Oddity::With("instance", "na1.acme.example".into()));
    assert_eq!(scene.server.token_calls(), 1, "a state that lasts is not renewed for that");
    scene.host.renew(&scene.subject).await.unwrap();
    assert_eq!(scene.get().await.unwrap(), 200);
}

#[tokio::test]
async fn an_attribute_that_cannot_be_used_is_renewed_with_the_state_that_has_ended() {
    let script = instance(&["na1.acme.example"]);
    let scene = script.config("user_info_uri", "https://{{instance}}/me").begin().await;
    scene.server.turn(Oddity::With("instance", "evil.example/x#".into()));
    assert_eq!(scene.get().await.unwrap_err().code(), "target_refused");
    scene.server.turn(Oddity::With("instance", "na1.acme.example".into()));
    scene.expire();
    assert_eq!(scene.get().await.unwrap(), 200);
}

#[tokio::test]
async fn a_flow_that_nobody_waits_for_is_waited_for_at_the_end() {
    let scene = Scene::new().await;
    scene.expire();
    scene.server.hold();
    let (host, subject) = (scene.host.clone(), scene.subject.clone());
    let leader = tokio::spawn(async move { host.renew(&subject).await.map(drop) });
    scene.server.asked(1).await;
    leader.abort();
    assert!(leader.await.is_err());
    scene.server.release();
    scene.host.drain().await;
    assert_eq!(scene.version().await, 1, "the rotated token is kept");
    assert_eq!(scene.get().await.unwrap(), 200, "and the host goes on");
}

const SHARES: [&str; 2] = ["read shared/client_secret", "write shared/client_secret"];

/// `ok(step.done)` of a set-up.
fn shares(lasts: u64) -> Val {
    Val::ok(Val::of(
        "done",
        Val::Record(vec![
            ("secrets", Val::List(vec![entry("client_secret", "s")])),
            ("attributes", Val::List(Vec::new())),
            ("renew-after", Val::none()),
            ("expires-after", Val::some(lasts)),
        ]),
    ))
}

/// The version of what the connection shares; 0 where that is nothing.
async fn shared_version(plot: &Plot) -> u64 {
    let shared = plot.store.state(plot.subject.shared_key()).await.unwrap();
    shared.map_or(0, |state| state.version)
}

#[tokio::test]
async fn what_a_connection_shares_is_set_up_again_when_its_time_is_over() {
    let plot = Plot::of(&guest(&SHARES).body("authorize", token()).body("begin", shares(30)));
    assert!(matches!(plot.host.set_up(&plot.subject).await, Ok(Progress::Done(_))));
    plot.prepared().await.unwrap();
    plot.clock.pass(29);
    plot.prepared().await.unwrap();
    assert_eq!(shared_version(&plot).await, 1);
    // Also where the answer would be remembered for longer.
    plot.clock.pass(1);
    plot.prepared().await.unwrap();
    assert_eq!(shared_version(&plot).await, 2);
}

#[tokio::test]
async fn what_a_connection_shares_is_seen_by_the_next_request() {
    let says = |text: &str| answer::ready(vec![set_header("authorization", text)]);
    // How many values it is shown: its token is always one.
    let authorize = Body::either("(i32.eq (local.get 1) (i32.const 2))", says("two"), says("one"));
    let plot = Plot::of(&guest(&SHARES).body("authorize", authorize).body("begin", shares(30)));
    assert_eq!(plot.prepared().await.unwrap(), "one");
    assert!(matches!(plot.host.set_up(&plot.subject).await, Ok(Progress::Done(_))));
    assert_eq!(plot.prepared().await.unwrap(), "two");
}

#[tokio::test]
async fn what_a_connection_shares_is_not_used_past_its_end_though_it_is_new() {
    let plot = Plot::of(&guest(&SHARES).body("authorize", token()).body("begin", shares(0)));
    assert!(matches!(plot.host.set_up(&plot.subject).await, Ok(Progress::Done(_))));
    assert_eq!(plot.prepared().await.unwrap_err().code(), "unavailable");
    assert_eq!(shared_version(&plot).await, 2, "it was set up again, and that was no better");
}

/// Its first set-up shares something for 30 seconds, and every further one fails.
fn set_up_once() -> Guest {
    // The first sees no value, the second one that of the first.
    let begin = Body::either("(local.get 1)", fetch(TOKEN_URI, "", ""), shares(30));
    guest(&SHARES)
        .body("authorize", token())
        .body("begin", begin)
        .body("resume", answer::refusal("unavailable", "not now"))
}

#[tokio::test]
async fn a_connection_that_cannot_be_set_up_again_serves_nobody_and_tries_now_and_then() {
    let plot = Plot::of(&set_up_once());
    assert!(matches!(plot.host.set_up(&plot.subject).await, Ok(Progress::Done(_))));
    for _ in 0..2 {
        plot.clock.pass(30);
        for _ in 0..3 {
            assert_eq!(plot.prepared().await.unwrap_err().code(), "unavailable");
        }
    }
    assert_eq!(plot.fetched.count(), 2);
}

#[tokio::test]
async fn a_connection_that_another_node_has_set_up_again_serves_at_once() {
    let plot = Plot::of(&set_up_once());
    assert!(matches!(plot.host.set_up(&plot.subject).await, Ok(Progress::Done(_))));
    plot.clock.pass(30);
    assert_eq!(plot.prepared().await.unwrap_err().code(), "unavailable");
    // This request still reads the one that has ended.
    let lasts = Some(plot.clock.unix_millis() + 60_000);
    let state = State { expires_at: lasts, ..State::default() };
    plot.store.overtake(plot.subject.shared_key(), state);
    plot.prepared().await.unwrap();
}
