use http::Request;

use super::*;

/// The example of RFC 6455, section 1.3.
const GOOD: [(&str, &str); 4] = [
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
const PROOF: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn head(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// The example, with these instead of its own; an empty one takes its own away.
fn with(changes: &[(&'static str, &'static str)]) -> Parts {
    let own = GOOD.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let changes = changes.iter().filter(|(_, value)| !value.is_empty());
    head(&own.chain(changes).copied().collect::<Vec<_>>())
}

fn good() -> WebSocket {
    WebSocket::of(&with(&[])).unwrap().unwrap()
}

#[test]
fn a_whole_handshake_is_found_good_in_whatever_case() {
    for changes in [
        &[][..],
        &[("upgrade", "WebSocket")],
        &[("connection", "keep-alive, upgrade")],
        &[("connection", "keep-alive"), ("connection", "UPGRADE")],
        &[("content-length", "0")],
        &[("sec-websocket-protocol", "chat")],
    ] {
        assert!(WebSocket::of(&with(changes)).unwrap().is_some(), "{changes:?}");
    }
}

#[test]
fn row_6_another_protocol_is_not_asked_for() {
    for changes in [
        &[("upgrade", "")][..],
        &[("upgrade", "h2c"), ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA")],
        &[("upgrade", "TLS/1.2, HTTP/2.0")],
        &[("upgrade", "websocket/13")],
        &[("upgrade", "websockets")],
    ] {
        assert!(WebSocket::of(&with(changes)).unwrap().is_none(), "{changes:?}");
    }
}

#[test]
fn a_handshake_that_is_not_whole_is_refused() {
    use HandshakeError::{Body, HttpVersion, Key, Method as Verb, Upgrade, Version as Number};
    let cases: [(&[(&'static str, &'static str)], HandshakeError); 18] = [
        (&[("upgrade", "websocket, h2c")], Upgrade),
        (&[("upgrade", "websocket"), ("upgrade", "h2c")], Upgrade),
        (&[("connection", "")], Upgrade),
        (&[("connection", "close")], Upgrade),
        (&[("connection", "upgrades")], Upgrade),
        (&[("sec-websocket-version", "")], Number),
        (&[("sec-websocket-version", "8")], Number),
        (&[("sec-websocket-version", "13, 8")], Number),
        (&[("sec-websocket-version", "13"), ("sec-websocket-version", "13")], Number),
        (&[("sec-websocket-key", "")], Key),
        (&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ")], Key),
        (&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25j")], Key),
        (&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZTE=")], Key),
        (&[("sec-websocket-key", "!GhlIHNhbXBsZSBub25jZQ==")], Key),
        (
            &[
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ],
            Key,
        ),
        (&[("content-length", "1")], Body),
        (&[("content-length", "0"), ("content-length", "1")], Body),
        (&[("transfer-encoding", "chunked")], Body),
    ];
    for (changes, error) in cases {
        assert_eq!(WebSocket::of(&with(changes)).err(), Some(error), "{changes:?}");
    }
    let mut post = with(&[]);
    post.method = Method::POST;
    assert_eq!(WebSocket::of(&post).err(), Some(Verb));
    for version in [Version::HTTP_10, Version::HTTP_2] {
        let mut other = with(&[]);
        other.version = version;
        assert_eq!(WebSocket::of(&other).err(), Some(HttpVersion));
    }
}

#[test]
fn what_edits_have_made_of_a_handshake_is_looked_at_once_more() {
    let get = Method::GET;
    let asked = |headers: &mut HeaderMap| good().ask(&get, headers, false);
    let mut headers = with(&[("upgrade", ""), ("connection", "")]).headers;
    asked(&mut headers).unwrap();
    assert_eq!(
        (&headers[UPGRADE], &headers[CONNECTION]),
        (&HeaderValue::from_static("websocket"), &HeaderValue::from_static("upgrade"))
    );
    for (changes, error) in [
        (&[("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")][..], HandshakeError::Key),
        (&[("sec-websocket-key", "")], HandshakeError::Key),
        (&[("sec-websocket-version", "8")], HandshakeError::Version),
    ] {
        assert_eq!(asked(&mut with(changes).headers), Err(error), "{changes:?}");
    }
    let mut headers = with(&[]).headers;
    assert_eq!(good().ask(&Method::POST, &mut headers, false), Err(HandshakeError::Method));
    assert_eq!(good().ask(&get, &mut headers, true), Err(HandshakeError::Body));
}

#[test]
fn an_upgrade_is_believed_only_with_its_proof() {
    let reply =
        [("upgrade", "WebSocket"), ("connection", "Upgrade"), ("sec-websocket-accept", PROOF)];
    let cases: [(&[(&str, &str)], bool); 11] = [
        (&[], true),
        (&[("connection", "keep-alive, upgrade, sec-websocket-accept")], true),
        (&[("upgrade", "")], false),
        (&[("upgrade", "h2c")], false),
        (&[("upgrade", "websocket, h2c")], false),
        (&[("connection", "")], false),
        (&[("connection", "close")], false),
        (&[("sec-websocket-accept", "")], false),
        (&[("sec-websocket-accept", "s3pplmbitxaq9kygzzhzrbk+xoo=")], false),
        (&[("sec-websocket-accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")], false),
        (&[("sec-websocket-accept", PROOF), ("sec-websocket-accept", PROOF)], false),
    ];
    for (changes, good_enough) in cases {
        let own = reply.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
        let given = own.chain(changes.iter().filter(|(_, value)| !value.is_empty()));
        let mut headers = head(&given.copied().collect::<Vec<_>>()).headers;
        let extra = [("content-length", "5"), ("transfer-encoding", "chunked"), ("x-kept", "1")];
        headers.extend(head(&extra).headers);
        let accepted = good().accept(Version::HTTP_11, &mut headers);
        assert_eq!(accepted.is_ok(), good_enough, "{changes:?}");
        if good_enough {
            let mut left: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
                .collect();
            left.sort_unstable();
            let wanted = [
                ("connection", "upgrade"),
                ("sec-websocket-accept", PROOF),
                ("upgrade", "websocket"),
                ("x-kept", "1"),
            ];
            assert_eq!(left, wanted, "{changes:?}");
        }
    }
    for version in [Version::HTTP_10, Version::HTTP_2] {
        assert!(good().accept(version, &mut head(&reply).headers).is_err());
    }
}

#[test]
fn row_16_the_caller_is_told_only_of_a_subprotocol_that_it_offered() {
    let cases: [(&[&str], &[&str], bool); 7] = [
        (&["chat"], &["chat"], true),
        (&["mqtt, chat", "x"], &["chat"], true),
        (&["chat"], &["token.t-1"], false),
        (&[], &["token.t-1"], false),
        (&["chat"], &["Chat"], false),
        (&["chat, mqtt"], &["chat, mqtt"], false),
        (&["chat, mqtt"], &["chat", "mqtt"], false),
    ];
    for (offers, chosen, told) in cases {
        let mut request = with(&[]);
        for offer in offers {
            let offer = HeaderValue::from_str(offer).unwrap();
            request.headers.append(SEC_WEBSOCKET_PROTOCOL, offer);
        }
        let reply =
            [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-accept", PROOF)];
        let mut headers = head(&reply).headers;
        for chosen in chosen {
            headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(chosen).unwrap());
        }
        let websocket = WebSocket::of(&request).unwrap().unwrap();
        websocket.accept(Version::HTTP_11, &mut headers).unwrap();
        assert_eq!(headers.contains_key(SEC_WEBSOCKET_PROTOCOL), told, "{offers:?} {chosen:?}");
    }
}
