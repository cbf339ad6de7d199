//! Wishes: what one account's plugin is shown.

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

#[test]
fn a_wish_is_its_own_plugins() {
    let subject = subject();
    subject.wish(Digest::of(b"one"), &["header/date".to_owned()]);
    assert_eq!(subject.wished(Digest::of(b"one")), Some(vec!["header/date".to_owned()]));
    assert_eq!(subject.wished(Digest::of(b"two")), None);
}
