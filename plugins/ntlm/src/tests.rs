//! Sequences of calls, as a host makes them: what a leg is sent with, and what comes of its reply.

use countersign_plugin::Reason;

use super::*;
use crate::challenge::tests::PUBLISHED;

const NEGOTIATION: &str = "NTLM TlRMTVNTUAABAAAABYKIoAAAAAAoAAAAAAAAACgAAAAAAAAAAAAAAA==";

fn account() -> Account {
    Account::of(&[(USERNAME, "Domain\\User"), (PASSWORD, "Password")])
}

fn ask(body: Option<BodyView>, cursor: &[u8]) -> Result<Outcome, Refusal> {
    let request = body.map(|body| RequestView {
        method: "POST".to_owned(),
        url: "https://api.example.com/".to_owned(),
        headers: Vec::new(),
        body,
    });
    Ntlm::authorize(&Context::fixed(0, 1), &account(), request.as_ref(), cursor)
}

/// An answer that is ready.
fn ready(body: Option<BodyView>, cursor: &[u8]) -> Ready {
    match ask(body, cursor) {
        Ok(Outcome::Ready(ready)) => ready,
        other => panic!("{other:?}"),
    }
}

fn replied(status: u16, challenge: &[&str], cursor: &[u8]) -> Result<Reaction, Refusal> {
    let entry = |value: &&str| (WWW_AUTHENTICATE.to_owned(), (*value).to_owned());
    let headers = challenge.iter().map(entry).collect();
    let reply = HttpResponse { status, headers, body: Vec::new() };
    Ntlm::replied(&Context::fixed(0, 1), &account(), &reply, cursor)
}

/// Where there is to be another leg: its cursor.
fn again(status: u16, challenge: &[&str], cursor: &[u8]) -> Vec<u8> {
    match replied(status, challenge, cursor) {
        Ok(Reaction { next: Next::Again(cursor), memo: None }) => cursor,
        other => panic!("{other:?}"),
    }
}

fn some_body() -> BodyView {
    BodyView::Digest(vec![7; 16])
}

fn no_body() -> BodyView {
    BodyView::Digest(Md5::digest(b"").to_vec())
}

/// Whether replies of this status are shown to it.
fn sees(ready: &Ready, status: u16) -> bool {
    ready.watches.iter().any(|watch| watch.status.is_none_or(|it| it == status))
}

#[test]
fn a_request_takes_two_legs_on_a_connection_of_its_own() {
    assert_eq!(ask(None, b"").unwrap(), Outcome::Show(vec![KEPT.to_owned()]));
    let first = ready(Some(no_body()), b"");
    assert_eq!(first.edits, [Edit::header("authorization", NEGOTIATION), Edit::OwnConnection]);
    assert!(sees(&first, 401) && !sees(&first, 200) && first.remember == 0);

    let cursor = again(401, &[&message::credential(&PUBLISHED)], &first.cursor);
    // Also without the request in view, which nothing of it depends on.
    for body in [None, Some(some_body()), Some(BodyView::Unseen(None))] {
        let second = ready(body, &cursor);
        let [Edit::SetHeader((name, value)), Edit::OwnConnection] = &second.edits[..] else {
            panic!("{second:?}")
        };
        // The signature and the number three.
        assert!(name == "authorization" && value.starts_with("NTLM TlRMTVNTUAADAAAA"), "{value}");
        assert!(sees(&second, 401) && !sees(&second, 200) && second.remember == 0);
    }
}

#[test]
fn a_password_that_is_not_accepted_is_not_tried_again() {
    let cursor =
        again(401, &[&message::credential(&PUBLISHED)], &ready(Some(no_body()), b"").cursor);
    let answer = ready(None, &cursor);
    for challenge in [&[][..], &["NTLM"], &[&*message::credential(&PUBLISHED)]] {
        let refusal = replied(401, challenge, &answer.cursor).unwrap_err();
        assert_eq!(refusal.reason, Reason::Reauthorize);
        assert_eq!(refusal.field.as_deref(), Some(PASSWORD));
    }
}

#[test]
fn a_body_goes_with_the_answer_and_not_before() {
    for body in [some_body(), BodyView::Bytes(b"{}".to_vec())] {
        let first = ready(Some(body), b"");
        assert_eq!(first.edits[2..], [Edit::SetBody(Vec::new())]);
        let cursor = again(401, &[&message::credential(&PUBLISHED)], &first.cursor);
        let second = ready(None, &cursor);
        assert!(!second.edits.contains(&Edit::SetBody(Vec::new())), "{second:?}");
    }
    for body in [Some(BodyView::Unseen(Some(0))), Some(BodyView::Bytes(Vec::new()))] {
        assert_eq!(ready(body, b"").edits.len(), 2);
    }
}

#[test]
fn a_body_that_cannot_be_sent_after_a_reply_is_refused_before_anything_is_sent() {
    for length in [None, Some(2 << 20)] {
        let refusal = ask(Some(BodyView::Unseen(length)), b"").unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidRequest);
    }
}

#[test]
fn a_reply_to_a_request_without_its_body_never_reaches_the_caller() {
    let first = ready(Some(some_body()), b"");
    assert!([200, 302, 400, 401, 500].into_iter().all(|status| sees(&first, status)));
    // Nothing came of it: the whole is sent.
    for status in [302, 400, 411, 500] {
        let whole = ready(None, &again(status, &[], &first.cursor));
        assert_eq!(whole.edits, [Edit::header("authorization", NEGOTIATION), Edit::OwnConnection]);
        // And then it is a request like any other.
        assert!(!sees(&whole, status));
        let cursor = again(401, &[&message::credential(&PUBLISHED)], &whole.cursor);
        assert_eq!(ready(None, &cursor).cursor, Sent::Answer.write());
    }
    // Something did.
    assert_eq!(replied(204, &[], &first.cursor).unwrap_err().reason, Reason::Denied);
}

#[test]
fn a_401_that_is_not_ours_is_the_callers_and_one_that_cannot_be_answered_is_refused() {
    for cursor in [Sent::Whole.write(), Sent::Emptied.write()] {
        assert_eq!(replied(401, &["Negotiate"], &cursor).unwrap(), Reaction::deliver());
        for challenge in ["NTLM", "NTLM AAAA"] {
            let refusal = replied(401, &[challenge], &cursor).unwrap_err();
            assert_eq!(refusal.reason, Reason::Denied, "{challenge}");
        }
    }
    // Of a host that hands over something else than it was given.
    assert_eq!(replied(401, &["NTLM"], b"x").unwrap(), Reaction::deliver());
    assert_eq!(ask(None, b"2 x").unwrap_err().reason, Reason::Denied);
}

#[test]
fn a_nonce_is_the_hosts_random_bytes_and_the_time_its_clock() {
    let cursor = Turn::Answer(&PUBLISHED).write();
    let of =
        |now, seed| Ntlm::authorize(&Context::fixed(now, seed), &account(), None, &cursor).unwrap();
    assert_eq!(of(0, 1), of(0, 1));
    assert_ne!(of(0, 1), of(0, 2));
    assert_ne!(of(0, 1), of(1, 1));
}
