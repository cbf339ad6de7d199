//! One header under many spellings: replaced, counted, taken from the caller.

use super::*;

#[test]
fn row_7_every_spelling_of_the_header_is_replaced() {
    for (set_as, theirs) in [
        ("Authorization", "authorization"),
        ("authorization", "AUTHORIZATION"),
        ("authorization", "Authorization_"),
        ("x-api-key", "X_API_Key"),
        ("X_API_Key", "x-api-key"),
        ("x-api-key", "x.api.key"),
    ] {
        let need = format!("write header/{set_as}");
        let request = Request::new(&[(theirs, "one"), ("x-other", "stays"), (theirs, "two")]);
        let request = applied(&[&need], &[set(set_as, "ours")], request);
        let mut lines = request.lines();
        lines.sort_unstable();
        let ours = set_as.to_lowercase();
        let mut expected = [(ours.as_str(), &b"ours"[..]), ("x-other", b"stays")];
        expected.sort_unstable();
        assert_eq!(lines, expected, "{set_as} {theirs}");

        let gone = Request::new(&[(theirs, "one"), ("x-other", "stays")]);
        let remove = Asked::RemoveHeader(set_as.to_owned());
        let gone = applied(&[&need, "send bare"], &[remove], gone);
        assert_eq!(gone.lines(), [("x-other", &b"stays"[..])]);
    }
}

#[test]
fn row_7_a_name_set_twice_is_refused_in_any_spelling() {
    let header = |edit: fn((String, String)) -> Asked, name| edit(entry(name, "v"));
    let remove = || Asked::RemoveHeader("x-api-key".to_owned());
    let query = |edit: fn((String, String)) -> Asked| edit(entry("k", "v"));
    let path = || Asked::SetPath("/base".to_owned());
    let body = || Asked::SetBody(Vec::new());
    let needs = [
        "write header/x-api-key",
        "write header/x_api_key",
        "write query/k",
        "write cookie/k",
        "write path",
        "write body",
        "write header/k",
        "send bare",
    ];
    for pair in [
        [header(Asked::SetHeader, "x-api-key"), header(Asked::SetHeader, "x-api-key")],
        [header(Asked::SetHeader, "x-api-key"), header(Asked::SetHeader, "X_API_Key")],
        [header(Asked::SetHeader, "x-api-key"), header(Asked::AppendHeader, "X-Api-Key")],
        [header(Asked::AppendHeader, "x-api-key"), remove()],
        [header(Asked::SetHeader, "x_api_key"), remove()],
        [remove(), remove()],
        [query(Asked::SetQuery), query(Asked::SetQuery)],
        [query(Asked::SetQuery), query(Asked::AppendQuery)],
        [query(Asked::SetCookie), query(Asked::SetCookie)],
        [path(), path()],
        [body(), body()],
    ] {
        for pair in [[pair[0].clone(), pair[1].clone()], [pair[1].clone(), pair[0].clone()]] {
            let error = refusal(&needs, &pair);
            assert!(matches!(error, EditError::Twice(_)), "{pair:?}: {error}");
        }
    }
    for pair in [
        [header(Asked::AppendHeader, "x-api-key"), header(Asked::AppendHeader, "x-api-key")],
        [query(Asked::AppendQuery), query(Asked::AppendQuery)],
        [query(Asked::SetQuery), query(Asked::SetCookie)],
        [header(Asked::SetHeader, "k"), query(Asked::SetQuery)],
        [path(), body()],
    ] {
        assert!(check(&needs, &pair).is_ok(), "{pair:?}");
    }
    let two = [Asked::SetQuery(entry("k", "1")), Asked::SetQuery(entry("l", "2"))];
    assert!(check(&["write query/k", "write query/l"], &two).is_ok());
}

#[test]
fn row_7_what_the_plugin_may_write_is_taken_from_the_callers_request() {
    let needs = granted(&[
        AUTHORIZATION,
        "write header/x-api-key",
        "write query/api_key",
        "write cookie/session",
    ]);
    let mut request = Request::new(&[
        ("Authorization", "theirs"),
        ("Authorization_", "theirs"),
        ("X_API_Key", "theirs"),
        ("X-API-Key", "one"),
        ("x-api-key", "two"),
        ("Cookie_", "session=theirs"),
        ("cookie", "a=1; sess%69on=theirs"),
        ("content-length", "3"),
        ("x-other", "stays"),
    ]);
    request.url.set_query(Some("a=%7e&%61pi_key=theirs&b"));
    strip(&needs, &mut request.headers, &mut request.url);
    let mut lines = request.lines();
    lines.sort_unstable();
    assert_eq!(lines, [("content-length", &b"3"[..]), ("cookie", b"a=1"), ("x-other", b"stays"),]);
    assert_eq!(request.url.query(), Some("a=%7e&b"));
}

#[test]
fn what_the_plugin_may_not_write_stays_byte_for_byte() {
    let mut request = Request::new(&[
        ("authorization", "theirs"),
        ("cookie_", "x"),
        ("cookie", "a=1;b=2"),
        ("cookie", "c=3"),
    ]);
    request.url.set_query(Some("&api_key=1;;%zz&"));
    let before = request.clone();
    strip(
        &granted(&["write header/x-api-key", "write path"]),
        &mut request.headers,
        &mut request.url,
    );
    assert_eq!(request, before);
}
