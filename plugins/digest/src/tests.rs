//! Sequences of calls, as a host makes them: what is sent when, and what is kept.

use countersign_plugin::{Next, Reason};

use super::*;

const CHALLENGE: &str = "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"";

fn context() -> Context {
    Context::fixed(0, 1)
}

fn account(memo: &[u8]) -> Account {
    let values = [(USERNAME, "u"), (PASSWORD, "p")];
    Account { memo: memo.to_vec(), ..Account::of(&values) }
}

fn request(body: BodyView) -> RequestView {
    let url = "https://api.example.com/a?b=%22".to_owned();
    RequestView { method: "GET".to_owned(), url, headers: Vec::new(), body }
}

fn ask(memo: &[u8], cursor: &[u8]) -> Result<Outcome, Refusal> {
    let request = request(BodyView::Unseen(Some(9)));
    Digest::authorize(&context(), &account(memo), Some(&request), cursor)
}

/// An answer that is ready.
fn ready(memo: &[u8], cursor: &[u8]) -> Ready {
    match ask(memo, cursor) {
        Ok(Outcome::Ready(ready)) => ready,
        other => panic!("{other:?}"),
    }
}

fn sent(ready: &Ready) -> &str {
    match &ready.edits[..] {
        [Edit::SetHeader((name, value))] if name == "authorization" => value,
        other => panic!("{other:?}"),
    }
}

fn reply(status: u16, name: &str, value: &str) -> HttpResponse {
    HttpResponse { status, headers: vec![(name.to_owned(), value.to_owned())], body: Vec::new() }
}

fn challenged(memo: &[u8], cursor: &[u8], challenge: &str) -> Result<Reaction, Refusal> {
    let reply = reply(401, "www-authenticate", challenge);
    Digest::replied(&context(), &account(memo), &reply, cursor)
}

/// Where the request is to be made again: the memo and the cursor of it.
fn again(memo: &[u8], cursor: &[u8], challenge: &str) -> (Option<Vec<u8>>, Vec<u8>) {
    match challenged(memo, cursor, challenge) {
        Ok(Reaction { next: Next::Again(cursor), memo }) => (memo, cursor),
        other => panic!("{other:?}"),
    }
}

/// The memo after the first challenge, and after so many answers.
fn answered(times: usize) -> Vec<u8> {
    let (memo, _) = again(b"", b"", CHALLENGE);
    (0..times).fold(memo.unwrap(), |memo, _| ready(&memo, b"").memo.unwrap())
}

#[test]
fn the_first_request_goes_bare_and_is_answered_when_it_is_challenged() {
    let first = ready(b"", b"");
    assert_eq!((first.edits.len(), first.memo, first.cursor), (0, None, Vec::new()));
    assert_eq!(first.watches.len(), 2);
    let (memo, cursor) = again(b"", b"", CHALLENGE);
    let memo = memo.unwrap();
    let second = ready(&memo, &cursor);
    let said = sent(&second);
    assert!(said.contains("nonce=\"n1\", uri=\"/a?b=%22\", qop=auth, nc=00000001, "), "{said}");
    assert!(sent(&ready(&second.memo.unwrap(), b"")).contains("nc=00000002, "));
}

#[test]
fn a_known_challenge_is_answered_only_with_the_request_in_view() {
    let blind = |memo: &[u8]| Digest::authorize(&context(), &account(memo), None, b"").unwrap();
    assert_eq!(blind(&answered(0)), Outcome::Show(Vec::new()));
    assert!(matches!(blind(b""), Outcome::Ready(_)));
}

#[test]
fn a_password_that_is_not_accepted_is_not_tried_again() {
    let first = ready(&answered(0), reply::CHALLENGED);
    let other = CHALLENGE.replace("n1", "n2");
    for challenge in [CHALLENGE.to_owned(), other.clone(), other + ", stale=false"] {
        let (memo, cursor) = again(&first.memo.clone().unwrap(), &first.cursor, &challenge);
        let memo = memo.unwrap_or(first.memo.clone().unwrap());
        let refusal = ask(&memo, &cursor).unwrap_err();
        assert_eq!(
            (refusal.reason, refusal.field.as_deref()),
            (Reason::Reauthorize, Some(PASSWORD))
        );
    }
}

#[test]
fn after_a_refusal_the_next_request_tries_the_new_nonce_once() {
    let first = ready(&answered(0), b"");
    let fresh = CHALLENGE.replace("n1", "n2");
    let (memo, _) = again(&first.memo.unwrap(), &first.cursor, &fresh);
    let next = ready(&memo.unwrap(), b"");
    assert!(sent(&next).contains("nonce=\"n2\"") && sent(&next).contains("nc=00000001"));
    let (_, cursor) = again(&next.memo.clone().unwrap(), &next.cursor, CHALLENGE);
    assert!(ask(&next.memo.unwrap(), &cursor).is_err());
}

#[test]
fn a_nonce_that_is_over_is_replaced_whether_or_not_the_server_says_so() {
    // A first use is over only where it is said.
    for (uses, stale) in [(1, true), (3, true), (3, false)] {
        let last = ready(&answered(uses - 1), b"");
        let challenge = format!("{}, stale={stale}", CHALLENGE.replace("n1", "n2"));
        let (memo, cursor) = again(&last.memo.unwrap(), &last.cursor, &challenge);
        let next = ready(&memo.unwrap(), &cursor);
        assert!(sent(&next).contains("nonce=\"n2\""), "{uses} {stale}");
        // And then it is enough.
        let (memo, cursor) = again(&next.memo.unwrap(), &next.cursor, CHALLENGE);
        assert!(ask(&memo.unwrap(), &cursor).is_err(), "{uses} {stale}");
    }
}

#[test]
fn another_realm_is_no_wrong_password() {
    let first = ready(&answered(0), b"");
    let elsewhere = CHALLENGE.replace("\"r\"", "\"other\"");
    let (memo, cursor) = again(&first.memo.unwrap(), &first.cursor, &elsewhere);
    assert!(sent(&ready(&memo.unwrap(), &cursor)).contains("realm=\"other\""));
}

#[test]
fn a_count_goes_on_where_a_late_reply_brings_an_older_challenge() {
    let now = ready(&answered(4), b"").memo.unwrap();
    let stale = |nonce: &str| format!("{}, stale=true", CHALLENGE.replace("n1", nonce));
    let older = Sent { fresh: false, realm: "r".to_owned(), nonce: "n0".to_owned() }.write();
    let own = Sent { fresh: false, realm: "r".to_owned(), nonce: "n1".to_owned() }.write();
    for (cursor, challenge) in [
        // Sent bare, before there was a challenge.
        (&b""[..], CHALLENGE.replace("n1", "n2")),
        (&older, stale("n2")),
        // A server whose nonce is always the same.
        (&own, stale("n1")),
    ] {
        let (memo, _) = again(&now, cursor, &challenge);
        assert_eq!(memo, None, "{challenge}");
    }
}

#[test]
fn the_next_nonce_is_taken_from_a_reply_to_the_last_one_alone() {
    let last = ready(&answered(2), b"");
    let memo = last.memo.unwrap();
    let info = |memo: &[u8], cursor: &[u8], value: &str| {
        let reply = reply(200, "authentication-info", value);
        Digest::replied(&context(), &account(memo), &reply, cursor).unwrap()
    };
    let reaction = info(&memo, &last.cursor, "rspauth=\"x\", nextnonce=\"n2\"");
    assert_eq!(reaction.next, Next::Deliver);
    let moved = reaction.memo.unwrap();
    let next = ready(&moved, b"");
    assert!(sent(&next).contains("nonce=\"n2\"") && sent(&next).contains("nc=00000001"));

    let long = format!("nextnonce=\"{}\"", "n".repeat(2000));
    let longer = format!("nextnonce=\"n2\", a=\"{}\"", "b".repeat(16 << 10));
    for (memo, cursor, value) in [
        (&moved, &last.cursor, "nextnonce=\"n3\""),
        (&memo, &last.cursor, "nextnonce=\"n1\""),
        (&memo, &last.cursor, "nextnonce=\"broken"),
        (&memo, &last.cursor, "rspauth=\"x\""),
        (&memo, &last.cursor, &*long),
        (&memo, &last.cursor, &*longer),
        (&memo, &Vec::new(), "nextnonce=\"n3\""),
        (&Vec::new(), &last.cursor, "nextnonce=\"n3\""),
    ] {
        assert_eq!(info(memo, cursor, value), Reaction::deliver(), "{value}");
    }
}

#[test]
fn a_401_that_is_not_ours_is_the_callers_and_one_that_cannot_be_answered_is_refused() {
    for challenge in ["Basic realm=\"x\"", "Bearer"] {
        assert_eq!(challenged(b"", b"", challenge).unwrap(), Reaction::deliver());
    }
    let refusal = challenged(b"", b"", "Digest realm=\"r\", nonce=\"n\"").unwrap_err();
    assert_eq!(refusal.reason, Reason::Denied);
}

#[test]
fn a_body_that_is_covered_is_asked_for_as_the_digest_needs_it() {
    for (algorithm, wish, views) in [
        // RFC 1321 and FIPS 180-4: the digests of "abc".
        ("MD5", "body/md5", vec![BodyView::Digest(vec![7; 16]), BodyView::Bytes(b"abc".to_vec())]),
        ("SHA-256-sess", "body/sha-256", vec![BodyView::Digest(vec![7; 32])]),
        ("SHA-512-256", "body/bytes", vec![BodyView::Bytes(b"abc".to_vec())]),
    ] {
        let challenge =
            format!("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\", algorithm={algorithm}");
        let (memo, _) = again(b"", b"", &challenge);
        let account = account(&memo.unwrap());
        let asked =
            |request: Option<&RequestView>| Digest::authorize(&context(), &account, request, b"");
        let show = Outcome::Show(vec![wish.to_owned()]);
        assert_eq!(asked(None).unwrap(), show);
        assert_eq!(asked(Some(&request(BodyView::Unseen(Some(9))))).unwrap(), show);
        for view in views.into_iter().chain([BodyView::Unseen(Some(0))]) {
            let ready = asked(Some(&request(view))).unwrap();
            assert!(matches!(&ready, Outcome::Ready(it) if sent(it).contains("qop=auth-int")));
        }
        for length in [None, Some(1 << 20)] {
            let refusal = asked(Some(&request(BodyView::Unseen(length)))).unwrap_err();
            assert_eq!(refusal.reason, Reason::InvalidRequest);
        }
    }
}

#[test]
fn a_body_is_hashed_alike_whichever_way_it_is_seen() {
    let whole = |hash| match body_hash(hash, &BodyView::Bytes(b"abc".to_vec())) {
        Shown::Hash(hash) => hash,
        _ => panic!("it is in view"),
    };
    // RFC 1321, section A.5; FIPS 180-4's examples.
    assert_eq!(whole(Hash::Md5), "900150983cd24fb0d6963f7d28e17f72");
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(whole(Hash::Sha256), sha256);
    let sha512 = "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23";
    assert_eq!(whole(Hash::Sha512_256), sha512);
    let empty = body_hash(Hash::Md5, &BodyView::Unseen(Some(0)));
    assert!(matches!(empty, Shown::Hash(it) if it == "d41d8cd98f00b204e9800998ecf8427e"));
    // A digest of SHA-256 has the length of SHA-512/256, and is none.
    assert!(matches!(body_hash(Hash::Sha512_256, &BodyView::Digest(vec![0; 32])), Shown::NotAsked));
    assert!(matches!(body_hash(Hash::Md5, &BodyView::Digest(vec![0; 32])), Shown::NotAsked));
}

#[test]
fn what_the_scheme_cannot_carry_is_refused_by_name() {
    for (values, field) in [
        (&[(PASSWORD, "p")][..], USERNAME),
        (&[(USERNAME, "u")], PASSWORD),
        (&[(USERNAME, "a:b"), (PASSWORD, "p")], USERNAME),
        (&[(USERNAME, "a\n"), (PASSWORD, "p")], USERNAME),
        (&[(USERNAME, "u"), (PASSWORD, "p\0")], PASSWORD),
    ] {
        let refusal = Digest::authorize(&context(), &Account::of(values), None, b"").unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field), "{values:?}");
    }
    let both = Account::of(&[(USERNAME, "a:b"), (PASSWORD, "\r")]);
    assert_eq!(Digest::validate(&context(), &both).len(), 2);
}
