use super::*;

fn map(headers: &[(&str, &str)]) -> HeaderMap {
    headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_belongs_to_the_callers_connection_is_dropped() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 7] = [
        (&[("connection", "close, X-Account"), ("x-account", "a")], &["accept"]),
        (
            &[("Connection", "x-a"), ("Connection", " X-B ,, x-c"), ("x-a", "1"), ("x-b", "2")],
            &["accept"],
        ),
        (&[("connection", "\"odd name\", x-a"), ("x-a", "1"), ("x-b", "2")], &["accept", "x-b"]),
        (
            &[("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQ"), ("connection", "upgrade")],
            &["accept"],
        ),
        (&[("te", "trailers"), ("trailer", "x-sum"), ("keep-alive", "5")], &["accept"]),
        (&[("proxy-connection", "keep-alive"), ("proxy-authorization", "Basic x")], &["accept"]),
        (&[("transfer-encoding", "chunked"), ("content-type", "a/b")], &["accept", "content-type"]),
    ];
    for (given, left) in cases {
        let mut headers = map(given);
        settle(&mut headers);
        assert_eq!(names(&headers), left, "{given:?}");
    }
}

#[test]
fn accept_is_said_once_and_the_callers_own_stays() {
    let mut headers = map(&[("accept", "text/csv")]);
    settle(&mut headers);
    assert_eq!(headers[ACCEPT], "text/csv");
    let mut headers = HeaderMap::new();
    settle(&mut headers);
    assert_eq!(headers[ACCEPT], "*/*");
}

#[test]
fn settling_twice_changes_nothing_more() {
    let mut once = map(&[("connection", "x-a"), ("x-a", "1"), ("x-b", "2")]);
    settle(&mut once);
    let mut twice = once.clone();
    settle(&mut twice);
    assert_eq!(once, twice);
}

#[test]
fn the_last_look_obeys_no_connection_header() {
    let mut headers = map(&[
        ("connection", "authorization, x-api-key"),
        ("authorization", "ours"),
        ("x-api-key", "ours"),
        ("host", "elsewhere"),
    ]);
    finish(&mut headers);
    assert_eq!(names(&headers), ["authorization", "x-api-key"]);
}

#[test]
fn a_reply_with_two_framings_keeps_neither() {
    let mut headers =
        map(&[("transfer-encoding", "chunked"), ("content-length", "5"), ("trailer", "x")]);
    settle_reply(&mut headers);
    assert_eq!(names(&headers), ["trailer"]);
}

#[test]
fn trailers_carry_neither_framing_nor_connection() {
    let mut trailers = map(&[
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-a"),
        ("x-a", "1"),
        ("grpc-status", "0"),
    ]);
    settle_trailers(&mut trailers);
    assert_eq!(names(&trailers), ["grpc-status"]);
}
