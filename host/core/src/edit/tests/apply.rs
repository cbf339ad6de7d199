//! What a checked set of edits makes of a request.

use super::*;

#[test]
fn all_edits_are_applied() {
    let (needs, edits): (Vec<_>, Vec<_>) = all().into_iter().unzip();
    let request = Request::new(&[("x-b", "gone"), ("x-c", "stays"), ("content-length", "3")]);
    let request = applied(&needs, &edits, request);
    let mut lines = request.lines();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [("authorization", &b"Bearer t"[..]), ("cookie", b"c=1"), ("x-a", b"1"), ("x-c", b"stays"),]
    );
    assert_eq!(request.url.as_str(), "https://api.example.com/base/y?q=1&q1=1&q2=1");
    assert_eq!(request.body.as_deref(), Some(&b"new"[..]));
    for name in ["authorization", "cookie", "x-a"] {
        assert!(request.headers[name].is_sensitive(), "{name}");
    }
}

#[test]
fn each_character_of_a_header_is_one_byte() {
    let edit = set("authorization", "a b\u{80}\u{e9}\u{ff}~!");
    let request = applied(&[AUTHORIZATION], &[edit], Request::new(&[]));
    assert_eq!(request.headers["authorization"].as_bytes(), b"a b\x80\xe9\xff~!");
}

#[test]
fn appended_headers_keep_their_order_beside_what_is_there() {
    let edits = ["two", "three"].map(|value| Asked::AppendHeader(entry("x-a", value)));
    let request = applied(&["write header/x-a"], &edits, Request::new(&[("x-a", "one")]));
    let values = request.headers.get_all("x-a").iter().collect::<Vec<_>>();
    assert_eq!(values, ["one", "two", "three"]);
}

#[test]
fn a_url_outside_the_base_leaves_the_request_as_it_was() {
    let (needs, edits): (Vec<_>, Vec<_>) = all().into_iter().unzip();
    let checked = check(&needs, &edits).unwrap();
    let before = Request::new(&[("x-b", "1"), ("cookie", "c=0"), ("authorization", "theirs")]);
    let mut request = before.clone();
    let admits = |url: &Url| {
        assert_eq!(url.as_str(), "https://api.example.com/base/y?q=1&q1=1&q2=1");
        Err(Outside)
    };
    let rules = EditRules::default();
    let error = checked.apply(&granted(&needs), &rules, request.outgoing(), admits).unwrap_err();
    assert!(matches!(error, EditError::OutsideBase(_)));
    assert!(std::error::Error::source(&error).unwrap().is::<Outside>());
    assert_eq!(request, before);
}

#[test]
fn the_base_is_asked_even_where_no_edit_is_on_the_url() {
    let checked = check(&[AUTHORIZATION], &[set("authorization", "t")]).unwrap();
    let mut request = Request::new(&[]);
    let rules = EditRules::default();
    let granted = granted(&[AUTHORIZATION]);
    let error = checked.apply(&granted, &rules, request.outgoing(), |_| Err(Outside)).unwrap_err();
    assert!(matches!(error, EditError::OutsideBase(_)));
    assert_eq!(request, Request::new(&[]));
}

#[test]
fn a_body_takes_the_callers_length_with_it() {
    let request = Request::new(&[("content-length", "3"), ("content-type", "text/plain")]);
    let kept = applied(&[AUTHORIZATION], &[set("authorization", "t")], request.clone());
    assert!(kept.headers.contains_key("content-length") && kept.body.is_none());
    let replaced = applied(&["write body"], &[Asked::SetBody(b"longer".to_vec())], request);
    assert_eq!(replaced.lines(), [("content-type", &b"text/plain"[..])]);
}
