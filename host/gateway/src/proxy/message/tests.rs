use super::*;

/// Also where no plugin writes the header that it stands in.
#[test]
fn what_is_for_the_gateway_alone_goes_no_further() {
    let all = [
        ("authorization", "Bearer of-the-gateway"),
        ("connection_name", "api"),
        ("connection-name", "api"),
        ("identifier", "u1"),
        ("expect", "100-continue"),
        ("forwarded", "for=10.0.0.1"),
        ("cookie", "a=b"),
        ("x-own", "1"),
    ];
    for (pass_cookies, left) in [(false, vec!["x-own"]), (true, vec!["cookie", "x-own"])] {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(name, HeaderValue::from_static(value));
            headers.append(name, HeaderValue::from_static("again"));
        }
        strip(&mut headers, pass_cookies);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, left);
    }
}

#[test]
fn what_an_upstream_says_about_our_name_goes_no_further() {
    let all = [
        ("alt-svc", "h3=\":443\""),
        ("strict-transport-security", "max-age=1"),
        ("clear-site-data", "\"*\""),
        ("countersign-error", "forged"),
        ("countersign-request-id", "forged"),
        ("set-cookie", "a=b"),
        ("x-own", "1"),
    ];
    let left = |settle: &dyn Fn(&mut HeaderMap)| {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(name, HeaderValue::from_static(value));
            headers.append(name, HeaderValue::from_static("again"));
        }
        settle(&mut headers);
        let mut names: Vec<_> = headers.keys().map(HeaderName::to_string).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(left(&|headers| settle_reply(headers, false)), "vary x-own");
    assert_eq!(left(&|headers| settle_reply(headers, true)), "set-cookie vary x-own");
    assert_eq!(left(&settle_trailers), "x-own");
}

#[test]
fn the_connection_and_the_account_are_each_named_once_and_as_the_caller_wrote_them() {
    let whose = |headers: &[(&'static str, &[u8])]| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let faults = |fault: Fault| -> Vec<_> {
            fault.fields.into_iter().map(|it| format!("{} {}", it.field, it.what)).collect()
        };
        let read = whose(&map).map(|it| (it.connector().to_owned(), it.identifier().to_owned()));
        read.map_err(faults)
    };
    let longest = "\u{e9}".repeat(LONGEST_NAME);
    for headers in [
        [("connection_name", b"api".as_slice()), ("identifier", longest.as_bytes())],
        [("identifier", longest.as_bytes()), ("connection-name", b" api\t")],
    ] {
        assert_eq!(whose(&headers), Ok(("api".to_owned(), longest.clone())));
    }
    let too_long = "x".repeat(LONGEST_NAME + 1);
    for (headers, faults) in [
        (vec![], vec!["connection_name is missing", "identifier is missing"]),
        (
            vec![
                ("connection_name", b"a".as_slice()),
                ("connection-name", b"a"),
                ("identifier", b"u"),
            ],
            vec!["connection_name is given twice"],
        ),
        (
            vec![("identifier", b"\xff"), ("identifier", b"u"), ("identifier", b"u")],
            vec!["connection_name is missing", "identifier is given twice"],
        ),
        (
            vec![("connection_name", b" "), ("identifier", b"\xff")],
            vec!["connection_name is empty", "identifier is not UTF-8"],
        ),
        (
            vec![("connection_name", b"a"), ("identifier", too_long.as_bytes())],
            vec!["identifier is longer than any name"],
        ),
    ] {
        assert_eq!(whose(&headers).unwrap_err(), faults);
    }
}

#[test]
fn an_upstream_is_told_the_id_unless_the_caller_has_told_it_one() {
    let request: RequestId = "ours".parse().unwrap();
    for (chosen, told) in [(None, "ours"), (Some("theirs, and not plain"), "theirs, and not plain")]
    {
        let chosen = chosen.map(|id| (X_REQUEST_ID, HeaderValue::from_static(id)));
        let mut headers: HeaderMap = chosen.into_iter().collect();
        name(&mut headers, &request);
        assert_eq!(headers[X_REQUEST_ID], told);
    }
}
