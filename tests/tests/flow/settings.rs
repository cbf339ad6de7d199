//! Settings that change while a host is in use.

use std::time::Duration;

use countersign::Settings;
use countersign::flow::FlowError;
use countersign::needs::Needs;
use countersign_hostile::answer::set_header;
use countersign_hostile::{Part, TOKEN_URI, Val};

use crate::bounds::fetches;
use crate::plot::{Plot, Ready, TYPE, fetch, guest};
use crate::remembered::{drawing, lasting};

#[tokio::test]
async fn another_policy_ends_what_was_remembered_and_holds_for_the_next_request() {
    let plot = Plot::of(&drawing(&[], lasting()));
    let first = plot.prepared().await.unwrap();
    let mut settings = Settings::default();
    settings.resend_bytes = 1;
    plot.host.set_settings(settings.clone());
    assert_eq!(plot.prepared().await.unwrap(), first, "the policy is what it was");
    settings.policy.insert(TYPE.to_owned(), Needs::parse(&[]).unwrap());
    plot.host.set_settings(settings.clone());
    assert_eq!(plot.prepared().await.unwrap_err().code(), "edit_refused");
    settings.policy.clear();
    plot.host.set_settings(settings.clone());
    let second = plot.prepared().await.unwrap();
    assert_ne!(second, first, "it was remembered under the first policy");
    assert_eq!(plot.prepared().await.unwrap(), second);
    settings.target.http = true;
    plot.host.set_settings(settings);
    assert_ne!(plot.prepared().await.unwrap(), second, "what URLs may be has changed");
}

/// What a plugin noted it may have read where it now may not.
#[tokio::test]
async fn a_memo_ends_with_the_policy() {
    let count = set_header("authorization", [Part::Text("n="), Part::Param(2)]);
    let memo = Val::some([Part::Text("x"), Part::Param(2)]);
    let ready = Ready { edit: count, remember: 0, memo, cursor: "".into() };
    let plot = Plot::of(&guest(&[]).body("authorize", ready.answer()));
    let mut settings = Settings::default();
    for noted in ["n=", "n=x"] {
        plot.host.set_settings(settings.clone());
        assert_eq!(plot.prepared().await.unwrap(), noted);
    }
    settings.policy.insert("OTHER".to_owned(), Needs::parse(&[]).unwrap());
    plot.host.set_settings(settings);
    assert_eq!(plot.prepared().await.unwrap(), "n=");
}

#[tokio::test]
async fn a_shorter_deadline_holds_for_the_next_flow() {
    let guest = guest(&[]).body("begin", fetch(TOKEN_URI, "", "x")).body("resume", fetches(7));
    let plot = Plot::of(&guest);
    plot.host.renew(&plot.subject).await.unwrap();
    let mut settings = Settings::default();
    settings.flow_deadline = Duration::ZERO;
    plot.host.set_settings(settings);
    let sent = plot.fetched.count();
    assert_eq!(plot.flow_error().await, FlowError::TimedOut);
    assert_eq!(plot.fetched.count(), sent);
}
