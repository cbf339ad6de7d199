//! Secrets in memory: what is dropped is overwritten, so that no later leak of memory holds it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use countersign::account::Account;
use countersign::connection::Connection;
use countersign::provider::Provider;
use countersign::{Countersign, Subject};
use countersign_tests::world::{bundled_registry, get, no_egress};
use countersign_tests::{json, sandbox};
use serde_json::{Value as Json, json};
use zeroize::{Zeroize as _, Zeroizing};

/// What hides the canary from the search for it.
const HIDE: u8 = 0x80;

/// Bytes that are searched at a time.
const PIECE: usize = 64 << 10;

/// A canary that is new each time and stands nowhere in memory as it is.
fn hidden() -> Vec<u8> {
    let hasher = RandomState::new();
    (0..2)
        .flat_map(|nth| hasher.hash_one(nth).to_be_bytes())
        .map(|it| (it % 26 + b'a') | HIDE)
        .collect()
}

/// A token that ends in the canary, since over the beginning of memory that is freed the allocator
/// writes. It is never moved to make room.
fn token(hidden: &[u8], length: usize) -> String {
    let mut token = String::with_capacity(length + hidden.len());
    token.extend((0..length).map(|_| 'x'));
    token.extend(hidden.iter().map(|byte| char::from(byte & !HIDE)));
    token
}

/// How often the canary stands in the memory of this process that can be written.
fn found(hidden: &[u8]) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    // Not searched itself: it holds what was read last.
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    let own = piece.as_ptr_range();
    let [own_start, own_end] = [own.start as u64, own.end as u64];
    let mut count = 0;
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|it| u64::from_str_radix(it, 16).unwrap());
        for (mut at, end) in [(start, end.min(own_start)), (start.max(own_end), end)] {
            while at + (hidden.len() as u64) <= end {
                let length = usize::try_from(end - at).unwrap().min(PIECE);
                let Ok(read) = memory.read_at(&mut piece[..length], at) else { break };
                count += stands_in(&piece[..read], hidden);
                // The next piece begins with what may be the canary's beginning.
                at += (read + 1).saturating_sub(hidden.len()).max(1) as u64;
            }
        }
    }
    count
}

fn stands_in(piece: &[u8], hidden: &[u8]) -> usize {
    static NOTHING: [u8; PIECE] = [0; PIECE];
    if *piece == NOTHING[..piece.len()] {
        return 0;
    }
    let is_there = |window: &&[u8]| window.iter().zip(hidden).all(|(byte, it)| *byte == it & !HIDE);
    piece.windows(hidden.len()).filter(is_there).count()
}

fn subject(token: String) -> Arc<Subject> {
    let payload = json("tests/vectors/payloads/bearer.json");
    let mut account = json!({"identifier": "u", "authorization_details": {
        "static_auth": {"details": {"token": null}}}});
    let at = "/authorization_details/static_auth/details/token";
    *account.pointer_mut(at).unwrap() = token.into();
    let parsed = Account::parse(&account).unwrap();
    let Json::String(mut token) = account.pointer_mut(at).unwrap().take() else { unreachable!() };
    token.zeroize();
    let provider = Arc::new(Provider::parse(&payload).unwrap());
    let connection = Arc::new(Connection::parse(&json!({})).unwrap());
    Arc::new(Subject::new("", provider, connection, Arc::new(parsed)).unwrap())
}

#[tokio::test]
async fn a_secret_is_overwritten_once_its_account_and_its_requests_are_gone() {
    let host = Countersign::builder(sandbox(), bundled_registry(), no_egress()).build();
    let hidden = hidden();
    let mut kept = Vec::new();
    // What one size of memory is used for again at once, another is not.
    for length in [40, 200, 700, 3000] {
        let subject = subject(token(&hidden, length));
        kept.push((host.prepare(&subject, get("/")).await.unwrap(), subject));
    }
    assert!(found(&hidden) > kept.len(), "what is there is found");
    drop(kept);
    assert_eq!(found(&hidden), 0);
}
