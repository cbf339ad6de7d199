//! Memos and wishes: what one account's plugin leaves on this node.

use serde_json::json;

use super::*;

fn subject() -> Subject {
    let provider = json!({
        "display_name": "P", "proxy_url": "https://api.example.com", "proxy_enabled": true,
        "auth_patterns": [{"type": "T"}],
    });
    let account = json!({"identifier": "u", "authorization_details": {
        "static_auth": {"details": {"token": "t"}}}});
    let provider = Provider::parse(&provider).unwrap();
    let connection = Connection::parse(&json!({})).unwrap();
    let account = Account::parse(&account).unwrap();
    Subject::new("", provider.into(), connection.into(), account.into()).unwrap()
}

fn owner(plugin: &[u8], state_version: u64) -> MemoOwner {
    MemoOwner { host: 0, digest: Digest::of(plugin), state_version }
}

#[test]
fn a_memo_is_replaced_only_by_who_has_seen_it_last() {
    let subject = subject();
    let owner = owner(b"one", 1);
    let (first, second) = (subject.memo(owner), subject.memo(owner));
    assert!(subject.set_memo(owner, &first, b"1".to_vec()));
    assert!(!subject.set_memo(owner, &second, b"2".to_vec()));
    assert_eq!(&subject.memo(owner).bytes[..], b"1");
}

#[test]
fn another_plugin_or_state_begins_without_a_memo() {
    let subject = subject();
    let first = owner(b"one", 1);
    let seen = subject.memo(first);
    assert!(subject.set_memo(first, &seen, b"1".to_vec()));
    let before = subject.memo_revision();
    for other in [owner(b"two", 1), owner(b"one", 2)] {
        assert!(subject.memo(other).bytes.is_empty());
        assert!(!subject.set_memo(first, &seen, b"late".to_vec()));
    }
    assert!(subject.memo_revision() > before, "remembered answers end with the memo");
}

#[test]
fn a_wish_is_its_own_plugins() {
    let subject = subject();
    subject.wish(Digest::of(b"one"), &["header/date".to_owned()]);
    assert_eq!(subject.wished(Digest::of(b"one")), Some(vec!["header/date".to_owned()]));
    assert_eq!(subject.wished(Digest::of(b"two")), None);
}
