use super::*;

const NAME: &str = "sec-websocket-protocol";

fn map(values: &[&'static str]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for value in values {
        map.append(NAME, HeaderValue::from_static(value));
    }
    map
}

#[test]
fn the_callers_offers_come_first_and_all_is_one_list_of_unique_ones() {
    let cases: [(&[&'static str], &[&'static str], &str); 8] = [
        (&[], &["t.1"], "t.1"),
        (&["chat"], &["t.1"], "chat, t.1"),
        (&["chat, superchat", "mqtt"], &["t.1"], "chat, superchat, mqtt, t.1"),
        (&["chat"], &["access_token", "t.1"], "chat, access_token, t.1"),
        // A marker of the caller's would have the upstream take the caller's value.
        (&["access_token, evil"], &["access_token, t.1"], "evil, access_token, t.1"),
        (&["Access_Token, evil"], &["access_token, t.1"], "evil, access_token, t.1"),
        (&["t.1"], &["t.1"], "t.1"),
        // A quotation mark that stays open would swallow what follows.
        (&["\"chat, a b, , mqtt"], &["t.1"], "mqtt, t.1"),
    ];
    for (theirs, ours, joined) in cases {
        let mut headers = map(ours);
        join(&mut headers, &map(theirs));
        let values: Vec<_> = headers.get_all(NAME).iter().collect();
        assert_eq!(values, [joined], "{theirs:?}");
        assert!(values[0].is_sensitive());
    }
}
