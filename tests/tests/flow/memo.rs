//! Memos: one of each account, however many subjects are made of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign::{Settings, Subject};
use countersign_hostile::answer::{self, set_header};
use countersign_hostile::{Guest, Part, Val};
use countersign_tests::subject;
use countersign_tests::world::get;
use serde_json::json;
use tokio::task::JoinSet;

use crate::plot::{Plot, account, guest, provider};

/// Says how much it has counted to, a letter for each, and one more.
fn counting() -> Guest {
    guest(&[]).body(
        "authorize",
        answer::ready_with(
            Val::List(vec![set_header("authorization", [Part::Text("x"), Part::Param(2)])]),
            Vec::new(),
            Val::some([Part::Text("x"), Part::Param(2)]),
        ),
    )
}

/// Each time another, of one account.
fn made_anew(token: &str) -> Arc<Subject> {
    let mut account = account();
    account["authorization_details"]["static_auth"]["details"]["token"] = token.into();
    subject(&provider(), &json!({"client_id": "c"}), &account)
}

async fn counted(plot: &Plot, subject: &Arc<Subject>) -> usize {
    let request = plot.host.prepare(subject, get("/things")).await.unwrap();
    request.headers()["authorization"].len()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_side_by_side_and_in_turn_use_no_count_twice_though_each_has_a_subject_of_its_own()
{
    let plot = Arc::new(Plot::of(&counting()));
    for nth in 1..=3 {
        assert_eq!(counted(&plot, &made_anew("t")).await, nth);
    }
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let plot = Arc::clone(&plot);
        requests.spawn(async move { counted(&plot, &made_anew("t")).await });
    }
    let counts: BTreeSet<_> = requests.join_all().await.into_iter().collect();
    assert_eq!(counts, (4..=53).collect());
}

#[tokio::test]
async fn what_was_counted_for_one_password_or_server_is_not_shown_where_there_is_another() {
    let plot = Plot::of(&counting());
    assert_eq!(counted(&plot, &made_anew("first")).await, 1);
    assert_eq!(counted(&plot, &made_anew("first")).await, 2);
    assert_eq!(counted(&plot, &made_anew("second")).await, 1);
    let mut elsewhere = provider();
    elsewhere["proxy_url"] = "https://api.hostile.example/elsewhere".into();
    let elsewhere = subject(&elsewhere, &json!({"client_id": "c"}), &account());
    assert_eq!(counted(&plot, &elsewhere).await, 1);
}

#[tokio::test]
async fn another_policy_and_another_state_begin_to_count_anew() {
    let plot = Plot::of(&counting());
    let count = async || counted(&plot, &plot.subject).await;
    assert_eq!((count().await, count().await), (1, 2));
    let mut settings = Settings::default();
    settings.target.http = true;
    plot.host.set_settings(settings);
    assert_eq!((count().await, count().await), (1, 2));
    plot.seed("new", "2999-01-01T00:00:00Z");
    assert_eq!((count().await, count().await), (1, 2));
}
