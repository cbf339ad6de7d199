//! Sequences of replies, as a host hands them over: what is sent again, and what is kept.

use super::*;

/// 2023-11-14T22:13:20Z, by the host.
const NOW: u64 = 1_700_000_000_000;
const TOLERATED: i64 = 240;

const THEN: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
const LATER: &str = "Tue, 14 Nov 2023 22:33:20 GMT";
const EARLIER: &str = "Tue, 14 Nov 2023 21:53:20 GMT";

fn reply(status: u16, date: &str) -> HttpResponse {
    let headers = vec![(DATE.to_owned(), date.to_owned())];
    HttpResponse { status, headers, body: Vec::new() }
}

fn hear(reply: &HttpResponse, memo: &[u8], sent: Sent) -> Reaction {
    heard(reply, memo, &sent.write(), NOW, TOLERATED)
}

/// A request that was not sent before.
fn first(memo: &[u8]) -> Sent {
    Sent::new(memo, b"")
}

fn again(reaction: &Reaction) -> &[u8] {
    match &reaction.next {
        Next::Again(cursor) => cursor,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_by_another_clock_is_signed_by_that_one_once() {
    for (date, seconds) in [(LATER, 1200), (EARLIER, -1200)] {
        for status in REFUSED {
            let told = hear(&reply(status, date), b"", first(b""));
            let memo = told.memo.as_ref().unwrap();
            let sent = Sent::new(memo, again(&told));
            assert_eq!(sent.offset.of(NOW), NOW.saturating_add_signed(seconds * 1000));
            // It is refused all the same: by that clock, and by yet another.
            for date in [date, THEN] {
                let refused = hear(&reply(status, date), memo, sent);
                assert_eq!(refused, Reaction { next: Next::Deliver, memo: Some(Vec::new()) });
            }
            // It is accepted, and so is the next one at once.
            let proven = hear(&reply(200, date), memo, sent).memo.unwrap();
            let next = first(&proven);
            assert_eq!(next.offset.of(NOW), sent.offset.of(NOW));
            assert_eq!(next.watches().len(), REFUSED.len());
            // What is refused now has another reason.
            assert_eq!(hear(&reply(status, date), &proven, next), Reaction::deliver());
        }
    }
}

#[test]
fn a_refusal_at_about_the_same_time_has_another_reason() {
    for date in [THEN, "Tue, 14 Nov 2023 22:17:20 GMT", "Tue, 14 Nov 2023 22:09:20 GMT", "", "x"] {
        assert_eq!(hear(&reply(403, date), b"", first(b"")), Reaction::deliver(), "{date}");
    }
    let without = HttpResponse { status: 403, headers: Vec::new(), body: Vec::new() };
    assert_eq!(hear(&without, b"", first(b"")), Reaction::deliver());
    for (date, is_repeated) in
        [("Tue, 14 Nov 2023 22:17:21 GMT", true), ("Tue, 14 Nov 2023 22:09:19 GMT", true)]
    {
        let told = hear(&reply(403, date), b"", first(b""));
        assert_eq!(matches!(told.next, Next::Again(_)), is_repeated, "{date}");
    }
}

/// Or whoever answers could have signatures made for any day to come.
#[test]
fn more_than_a_day_is_not_made_up_for() {
    for (date, is_repeated) in [
        ("Wed, 15 Nov 2023 22:13:20 GMT", true),
        ("Mon, 13 Nov 2023 22:13:20 GMT", true),
        ("Wed, 15 Nov 2023 22:13:21 GMT", false),
        ("Mon, 13 Nov 2023 22:13:19 GMT", false),
        ("Fri, 31 Dec 9999 23:59:59 GMT", false),
        ("Thu, 01 Jan 1970 00:00:00 GMT", false),
    ] {
        let told = hear(&reply(403, date), b"", first(b""));
        assert_eq!(matches!(told.next, Next::Again(_)), is_repeated, "{date}");
        assert_eq!(told.memo.is_some(), is_repeated, "{date}");
    }
    for memo in ["86401", "-86401?", "99999999999999999999", "x", "", "1 again", "\u{e9}"] {
        assert_eq!(first(memo.as_bytes()).offset, Offset::NONE, "{memo}");
    }
}

#[test]
fn a_clock_that_is_set_right_is_learnt_too() {
    let told = hear(&reply(403, THEN), b"1200", first(b"1200"));
    let memo = told.memo.clone().unwrap();
    let sent = Sent::new(&memo, again(&told));
    assert_eq!(sent.offset.of(NOW), NOW);
    assert_eq!(hear(&reply(404, THEN), &memo, sent).memo.as_deref(), Some(&b"0"[..]));
}

/// The request itself could not be sent again; the next one is right at once.
#[test]
fn what_was_learnt_is_used_before_it_is_proven() {
    let memo = hear(&reply(403, LATER), b"", first(b"")).memo.unwrap();
    let next = first(&memo);
    assert_eq!(next.offset.of(NOW), NOW + 1_200_000);
    assert_eq!(next.watches().len(), REFUSED.len() + 1, "any reply, to know whether it helps");
    // Somebody on the way may say this, who has looked at no signature.
    assert_eq!(hear(&reply(503, LATER), &memo, next), Reaction::deliver());
    assert_eq!(hear(&reply(204, LATER), &memo, next).memo.as_deref(), Some(&b"1200"[..]));
}

#[test]
fn of_many_requests_at_once_the_late_ones_change_nothing() {
    let known = b"1201";
    let told = hear(&reply(403, LATER), known, first(b""));
    assert_eq!((again(&told), &told.memo), (&known[..], &None));
    // Sent before, with what has been let go or replaced since.
    let sent = Sent::new(b"", b"-1200?");
    assert_eq!(hear(&reply(200, LATER), known, sent), Reaction::deliver());
    assert_eq!(hear(&reply(403, EARLIER), known, sent), Reaction::deliver());
}
