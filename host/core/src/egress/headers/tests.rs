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
        (&[("te", "gzip"), ("keep-alive", "5")], &["accept"]),
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
    let mut once = map(&[
        ("connection", "x-a, te"),
        ("x-a", "1"),
        ("x-b", "2"),
        ("te", "gzip, trailers"),
        ("trailer", "x-sum, host"),
    ]);
    settle(&mut once);
    let mut twice = once.clone();
    settle(&mut twice);
    assert_eq!(once, twice);
}

#[test]
fn of_te_the_word_trailers_stays_and_nothing_else() {
    type Look = fn(&mut HeaderMap);
    let cases: [(&[&str], bool); 9] = [
        (&["trailers"], true),
        (&["Trailers"], true),
        (&["gzip;q=0.5, trailers", "deflate"], true),
        (&["deflate", "gzip, trailers , x"], true),
        (&["gzip"], false),
        (&["trailers;q=1"], false),
        (&["trailer"], false),
        (&["authorization"], false),
        (&[""], false),
    ];
    let looks: [Look; 2] = [|headers| drop(settle(headers)), finish];
    for (given, takes) in cases {
        for look in looks {
            // Whoever sends `te` names it in `connection`.
            let mut headers = map(&[("connection", "te")]);
            for value in given {
                headers.append(TE, HeaderValue::from_str(value).unwrap());
            }
            look(&mut headers);
            let left: Vec<_> = headers.get_all(TE).iter().collect();
            assert_eq!(left, if takes { vec!["trailers"] } else { vec![] }, "{given:?}");
        }
    }
}

#[test]
fn what_connection_named_is_told_so_that_no_trailer_has_it() {
    let mut headers = map(&[("connection", "close, X-Sum"), ("connection", "authorization")]);
    assert_eq!(settle(&mut headers), ["close", "x-sum", "authorization"]);
}

/// What frames, routes, authenticates, or changes what the request does.
const NEVER: [&str; 45] = [
    "authorization",
    "Authorization_",
    "cache-control",
    "connection",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "Content_Length",
    "cookie",
    "Cookie_",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "if-match",
    "If_Match",
    "if-none-match",
    "keep-alive",
    "max-forwards",
    "pragma",
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "Proxy_Authorization",
    "proxy-connection",
    "range",
    "set-cookie",
    "te",
    "TE_",
    "trailer",
    "transfer-encoding",
    "Transfer_Encoding",
    "upgrade",
    "via",
    "x-forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "X_Forwarded_Proto",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "X.HTTP.Method.Override",
];

/// Checksums, and what gRPC and its kin send.
const ALWAYS: [&str; 7] =
    ["grpc-status", "x-sum", "repr-digest", "x-amz-checksum-crc32", "contents", "iffy", "ranges"];

#[test]
fn row_6_a_requests_trailers_neither_frame_nor_route_nor_authenticate() {
    for name in NEVER {
        let mut trailers = map(&[(name, "a"), (name, "b"), ("grpc-status", "0")]);
        settle_sent_trailers(&mut trailers);
        assert_eq!(names(&trailers), ["grpc-status"], "{name}");

        let mut headers = map(&[("trailer", name), ("trailer", "grpc-status")]);
        settle(&mut headers);
        assert_eq!(headers[TRAILER], "grpc-status", "{name}");
        let mut alone = map(&[("trailer", name)]);
        finish(&mut alone);
        assert_eq!(alone.len(), 0, "{name}");
    }
    for name in ALWAYS {
        let mut trailers = map(&[(name, "a"), (name, "b")]);
        settle_sent_trailers(&mut trailers);
        assert_eq!(trailers.len(), 2, "{name}");
    }
    let mut trailers = map(&[("connection", "x-a"), ("x-a", "1"), ("x-b", "2")]);
    settle_sent_trailers(&mut trailers);
    assert_eq!(names(&trailers), ["x-b"]);
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
