//! Edits from end to end: asked for, checked, applied.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{Asked, CheckedEdits, EditError, EditRules, Flaw, Outgoing, strip};
use crate::needs::{Granted, Needs};
use crate::values::Values;

#[derive(Debug, thiserror::Error)]
#[error("outside")]
struct Outside;

/// A request of the caller's.
#[derive(Clone, Debug, PartialEq)]
struct Request {
    headers: HeaderMap,
    url: Url,
    body: Option<Bytes>,
}

impl Request {
    fn new(headers: &[(&str, &str)]) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let url = Url::parse("https://api.example.com/base/x?q=1").unwrap();
        Self { headers: map, url, body: None }
    }

    fn outgoing(&mut self) -> Outgoing<'_> {
        Outgoing { headers: &mut self.headers, url: &mut self.url, body: &mut self.body }
    }

    /// Name and value, as they stand.
    fn lines(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }
}

fn granted(needs: &[&str]) -> Granted {
    let entries = needs.iter().map(|need| {
        let (verb, object) = need.split_once(' ').unwrap();
        (verb.to_owned(), object.to_owned())
    });
    Needs::parse(&entries.collect::<Vec<_>>()).unwrap().resolve(&Values::default())
}

fn entry(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn set(name: &str, value: &str) -> Asked {
    Asked::SetHeader(entry(name, value))
}

fn check(needs: &[&str], edits: &[Asked]) -> Result<CheckedEdits, EditError> {
    CheckedEdits::check(edits.to_vec(), &granted(needs), &EditRules::default())
}

fn refusal(needs: &[&str], edits: &[Asked]) -> EditError {
    check(needs, edits).err().unwrap()
}

fn applied(needs: &[&str], edits: &[Asked], mut request: Request) -> Request {
    let checked = check(needs, edits).unwrap();
    let admits = |_: &Url| Ok::<_, Infallible>(());
    let rules = EditRules::default();
    checked.apply(&granted(needs), &rules, request.outgoing(), admits).unwrap();
    request
}

const AUTHORIZATION: &str = "write header/authorization";

/// Every edit, and the need that covers it.
fn all() -> Vec<(&'static str, Asked)> {
    vec![
        (AUTHORIZATION, set("Authorization", "Bearer t")),
        ("write header/x-a", Asked::AppendHeader(entry("x-a", "1"))),
        ("write header/x-b", Asked::RemoveHeader("x-b".to_owned())),
        ("write query/q1", Asked::SetQuery(entry("q1", "1"))),
        ("write query/q2", Asked::AppendQuery(entry("q2", "1"))),
        ("write cookie/c", Asked::SetCookie(entry("c", "1"))),
        ("write path", Asked::SetPath("/base/y".to_owned())),
        ("write body", Asked::SetBody(b"new".to_vec())),
    ]
}

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
fn row_20_an_edit_outside_the_needs_is_refused() {
    let (needs, edits): (Vec<_>, Vec<_>) = all().into_iter().unzip();
    for (at, need) in needs.iter().enumerate() {
        let mut others = needs.clone();
        others.remove(at);
        let error = refusal(&others, &edits);
        assert!(matches!(error, EditError::NotGranted(_)), "{need}: {error}");
    }
    let origin = [set("authorization", "t"), Asked::SetOrigin("https://b.example".to_owned())];
    assert!(matches!(refusal(&[AUTHORIZATION], &origin), EditError::NotGranted(_)));
    let reads = ["read header/x-api-key", "send bare", "write state/x-api-key"];
    assert!(matches!(refusal(&reads, &[set("x-api-key", "1")]), EditError::NotGranted(_)));
}

#[test]
fn row_20_a_header_of_the_hosts_is_refused_even_with_a_need() {
    for name in [
        "host",
        "HOST",
        "content-length",
        "content_length",
        "transfer-encoding",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        "forwarded",
        "x-forwarded-for",
        "via",
        "proxy-authorization",
        "http2-settings",
        "cookie",
        "x-http-method-override",
    ] {
        let need = format!("write header/{name}");
        for edit in [
            set(name, "evil"),
            Asked::AppendHeader(entry(name, "evil")),
            Asked::RemoveHeader(name.to_owned()),
        ] {
            let error = refusal(&[&need, "send bare"], &[edit]);
            assert!(matches!(error, EditError::Forbidden(_)), "{name}: {error}");
        }
    }
}

#[test]
fn a_method_override_is_for_the_provider_to_name() {
    let needs = granted(&["write header/x-http-method-override", "write header/host"]);
    let named = |name: &'static str| EditRules {
        named_headers: vec![HeaderName::from_static(name)],
        ..EditRules::default()
    };
    let edits = |name: &str| vec![set(name, "PATCH")];
    let name = "x-http-method-override";
    assert!(CheckedEdits::check(edits(name), &needs, &named(name)).is_ok());
    assert!(CheckedEdits::check(edits(name), &needs, &named("x-http-method")).is_err());
    assert!(CheckedEdits::check(edits("host"), &needs, &named("host")).is_err());
}

#[test]
fn row_5_crlf_in_a_value_is_refused() {
    for (value, flaw) in [
        ("a\r\nX: y", Flaw::Control),
        ("a\n", Flaw::Control),
        ("a\r", Flaw::Control),
        ("a\0", Flaw::Control),
        ("a\r\n b", Flaw::Control),
        ("a\tb", Flaw::Control),
        ("a\u{1b}", Flaw::Control),
        ("a\u{7f}", Flaw::Control),
        // Its low byte is a line feed.
        ("a\u{10a}X: y", Flaw::Wide),
        ("\u{100}", Flaw::Wide),
        ("😀", Flaw::Wide),
        (" a", Flaw::Blank),
        ("Bearer ", Flaw::Blank),
        (" ", Flaw::Blank),
    ] {
        for edit in
            [set("authorization", value), Asked::AppendHeader(entry("authorization", value))]
        {
            match refusal(&[AUTHORIZATION], &[edit]) {
                EditError::Value { flaw: found, .. } => assert_eq!(found, flaw, "{value:?}"),
                other => panic!("{value:?}: {other}"),
            }
        }
    }
    for value in ["a\r\nb", "a\0", "a\tb"] {
        let error = refusal(&["write query/k"], &[Asked::SetQuery(entry("k", value))]);
        assert!(matches!(error, EditError::Value { flaw: Flaw::Control, .. }), "{value:?}");
    }
}

#[test]
fn row_5_a_name_that_is_no_token_is_refused() {
    for name in
        ["", "a b", "authorization ", "a:b", ":authority", "a\r\nb", "a\0", "ä", "a(b", "a,b"]
    {
        for edit in [
            set(name, "v"),
            Asked::AppendHeader(entry(name, "v")),
            Asked::RemoveHeader(name.to_owned()),
        ] {
            let error = refusal(&[AUTHORIZATION, "send bare"], &[edit]);
            assert!(matches!(error, EditError::Name(_)), "{name:?}: {error}");
        }
    }
    for name in ["", "a\r\n"] {
        let error = refusal(&["write query/k"], &[Asked::SetQuery(entry(name, "v"))]);
        assert!(matches!(error, EditError::Name(_)), "{name:?}");
    }
}

#[test]
fn each_character_of_a_header_is_one_byte() {
    let edit = set("authorization", "a b\u{80}\u{e9}\u{ff}~!");
    let request = applied(&[AUTHORIZATION], &[edit], Request::new(&[]));
    assert_eq!(request.headers["authorization"].as_bytes(), b"a b\x80\xe9\xff~!");
}

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
fn appended_headers_keep_their_order_beside_what_is_there() {
    let edits = ["two", "three"].map(|value| Asked::AppendHeader(entry("x-a", value)));
    let request = applied(&["write header/x-a"], &edits, Request::new(&[("x-a", "one")]));
    let values = request.headers.get_all("x-a").iter().collect::<Vec<_>>();
    assert_eq!(values, ["one", "two", "three"]);
}

#[test]
fn row_19_edits_without_a_credential_are_refused_unless_bare_is_granted() {
    let needs = [AUTHORIZATION, "write query/k", "write body", "write header/x-a"];
    for edits in [
        vec![],
        vec![Asked::RemoveHeader("x-a".to_owned())],
        vec![Asked::SetQuery(entry("k", ""))],
        vec![Asked::AppendQuery(entry("k", ""))],
        vec![Asked::SetBody(Vec::new())],
    ] {
        assert!(matches!(refusal(&needs, &edits), EditError::Bare), "{edits:?}");
        assert!(check(&[&needs[..], &["send bare"]].concat(), &edits).is_ok());
    }
    let empty = refusal(&[AUTHORIZATION], &[set("authorization", "")]);
    assert!(matches!(empty, EditError::Value { flaw: Flaw::Empty, .. }));
    for (need, edit) in all() {
        let carries = !matches!(edit, Asked::RemoveHeader(_));
        assert_eq!(check(&[need], std::slice::from_ref(&edit)).is_ok(), carries, "{edit:?}");
    }
}

#[test]
fn an_origin_alone_is_no_credential() {
    let rules = EditRules {
        origins: vec![Url::parse("https://b.example").unwrap().origin()],
        ..EditRules::default()
    };
    let edits = vec![Asked::SetOrigin("https://b.example".to_owned())];
    let error = CheckedEdits::check(edits, &granted(&["write origin"]), &rules).err().unwrap();
    assert!(matches!(error, EditError::Bare));
}

#[test]
fn row_1_only_a_listed_origin_is_moved_to() {
    let needs = granted(&[AUTHORIZATION, "write origin"]);
    let rules = EditRules {
        origins: vec![Url::parse("https://eu.example.com").unwrap().origin()],
        ..EditRules::default()
    };
    let edits = |origin: &str| vec![set("authorization", "t"), Asked::SetOrigin(origin.to_owned())];
    for origin in [
        "https://evil.example",
        "http://eu.example.com",
        "https://eu.example.com:8443",
        "https://x.eu.example.com",
        // The provider's own is not for the plugin to restore.
        "https://api.example.com",
    ] {
        let error = CheckedEdits::check(edits(origin), &needs, &rules).err().unwrap();
        assert!(matches!(error, EditError::OriginNotListed), "{origin}: {error}");
    }
    let twice = [edits("https://eu.example.com"), edits("https://eu.example.com")].concat();
    let error = CheckedEdits::check(twice[1..].to_vec(), &needs, &rules).err().unwrap();
    assert!(matches!(error, EditError::Twice(_)));

    let checked = CheckedEdits::check(edits("https://eu.example.com"), &needs, &rules).unwrap();
    assert_eq!(checked.origin().as_ref(), rules.origins.first());
    let mut request = Request::new(&[]);
    let admits = |url: &Url| {
        // Asked before the origin moves.
        assert_eq!(url.as_str(), "https://api.example.com/base/x?q=1");
        Ok::<_, Infallible>(())
    };
    checked.apply(&needs, &rules, request.outgoing(), admits).unwrap();
    assert_eq!(request.url.as_str(), "https://eu.example.com/base/x?q=1");

    // An origin taken off the list is not moved to from memory.
    let mut request = Request::new(&[]);
    let admits = |_: &Url| Ok::<_, Infallible>(());
    let now = EditRules::default();
    let error = checked.apply(&needs, &now, request.outgoing(), admits).unwrap_err();
    assert!(matches!(error, EditError::OriginNotListed));
    assert_eq!(request, Request::new(&[]));
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
fn remembered_edits_are_held_against_the_needs_of_now() {
    let (needs, edits): (Vec<_>, Vec<_>) = all().into_iter().unzip();
    let checked = check(&needs, &edits).unwrap();
    for at in 0..needs.len() {
        let mut fewer = needs.clone();
        fewer.remove(at);
        let mut request = Request::new(&[]);
        let admits = |_: &Url| Ok::<_, Infallible>(());
        let rules = EditRules::default();
        let error =
            checked.apply(&granted(&fewer), &rules, request.outgoing(), admits).unwrap_err();
        assert!(matches!(error, EditError::NotGranted(_)));
        assert_eq!(request, Request::new(&[]));
    }
    let bare = check(&["send bare"], &[]).unwrap();
    assert!(matches!(bare.recheck(&granted(&[]), &EditRules::default()), Err(EditError::Bare)));
}

#[test]
fn edits_that_hold_something_of_the_request_are_not_remembered() {
    for (need, edit) in all() {
        let of_request = matches!(edit, Asked::SetPath(_) | Asked::SetBody(_));
        let path = matches!(edit, Asked::SetPath(_));
        let checked = check(&[need, "send bare"], &[edit]).unwrap();
        assert_eq!(checked.may_be_remembered(), !of_request, "{need}");
        assert_eq!(checked.sets_path(), path, "{need}");
        assert_eq!((checked.len(), checked.is_empty()), (1, false));
        assert_eq!(checked.origin(), None);
    }
    let none = check(&["send bare"], &[]).unwrap();
    assert_eq!((none.len(), none.is_empty()), (0, true));
}

#[test]
fn row_20_the_number_and_size_of_edits_are_bounded() {
    let many = |n: usize| (0..n).map(|i| set(&format!("x-{i}"), "v")).collect::<Vec<_>>();
    assert!(check(&["write header/x-*"], &many(64)).is_ok());
    let error = refusal(&["write header/x-*"], &many(65));
    assert!(matches!(error, EditError::TooMany { limit: 64 }));

    let needs = [
        AUTHORIZATION,
        "write header/x-*",
        "write query/k",
        "write cookie/k",
        "write path",
        "write body",
        "write client-certificate",
        "write origin",
    ];
    let rules = EditRules { max_bytes: 20, max_body: 5, ..EditRules::default() };
    let check = |edit: Asked| CheckedEdits::check(vec![edit], &granted(&needs), &rules);
    let long = |name: &str, total: usize| entry(name, &"v".repeat(total - name.len()));
    let path = |total: usize| format!("/{}", "v".repeat(total - 1));
    for edit in [Asked::SetHeader, Asked::AppendHeader] {
        assert!(check(edit(long("x-a", 20))).is_ok());
        assert!(matches!(check(edit(long("x-a", 21))), Err(EditError::TooLarge { limit: 20 })));
    }
    for edit in [Asked::SetQuery, Asked::AppendQuery, Asked::SetCookie] {
        assert!(check(edit(long("k", 20))).is_ok());
        assert!(matches!(check(edit(long("k", 21))), Err(EditError::TooLarge { .. })));
    }
    let pem = Asked::ClientCertificate(long("a", 21));
    assert!(matches!(check(pem), Err(EditError::TooLarge { .. })));
    assert!(check(Asked::SetPath(path(20))).is_ok());
    for edit in [Asked::SetPath, Asked::RemoveHeader, Asked::SetOrigin] {
        assert!(matches!(check(edit(path(21))), Err(EditError::TooLarge { .. })));
    }
    assert!(check(Asked::SetBody(vec![0; 5])).is_ok());
    let body = check(Asked::SetBody(vec![0; 6]));
    assert!(matches!(body, Err(EditError::BodyTooLarge { limit: 5 })));
    // Together, not each.
    let pair = vec![set("x-a", "12345678"), set("x-b", "12345678")];
    let error = CheckedEdits::check(pair, &granted(&needs), &rules).err().unwrap();
    assert!(matches!(error, EditError::TooLarge { .. }));
}

#[test]
fn a_request_that_is_full_of_headers_is_refused() {
    let checked = check(&[AUTHORIZATION], &[set("authorization", "t")]).unwrap();
    for (headers, fits) in [(4095, true), (4096, false)] {
        let mut request = Request::new(&vec![("x-a", "1"); headers]);
        let admits = |_: &Url| Ok::<_, Infallible>(());
        let rules = EditRules::default();
        let applied = checked.apply(&granted(&[AUTHORIZATION]), &rules, request.outgoing(), admits);
        assert_eq!(applied.is_ok(), fits);
        assert_eq!(request.headers.contains_key("authorization"), fits);
    }
}

#[test]
fn what_this_host_cannot_do_is_refused_by_name() {
    let certificate = || Asked::ClientCertificate(entry("account/cert", "account/key"));
    for (need, edit, name) in [
        ("write client-certificate", certificate(), "client-certificate"),
        ("write own-connection", Asked::OwnConnection, "own-connection"),
    ] {
        let edits = [set("authorization", "t"), edit];
        let error = refusal(&[AUTHORIZATION, need], &edits);
        assert!(matches!(error, EditError::Unsupported(_)), "{error}");
        assert_eq!(error.to_string(), format!("{name} is not supported"));
        assert!(matches!(refusal(&[AUTHORIZATION], &edits), EditError::NotGranted(_)));
    }
}

#[test]
fn a_body_takes_the_callers_length_with_it() {
    let request = Request::new(&[("content-length", "3"), ("content-type", "text/plain")]);
    let kept = applied(&[AUTHORIZATION], &[set("authorization", "t")], request.clone());
    assert!(kept.headers.contains_key("content-length") && kept.body.is_none());
    let replaced = applied(&["write body"], &[Asked::SetBody(b"longer".to_vec())], request);
    assert_eq!(replaced.lines(), [("content-type", &b"text/plain"[..])]);
}

#[test]
fn row_17_no_error_shows_a_value() {
    let canary = "canary-4f1b";
    let bad = format!("{canary}\r\n");
    let needs = [AUTHORIZATION, "write query/k", "write cookie/k", "write path", "write origin"];
    let origin = format!("https://{canary}.example");
    for edit in [
        set("authorization", &bad),
        Asked::AppendHeader(entry("authorization", &bad)),
        set(&bad, "v"),
        Asked::SetQuery(entry("k", &bad)),
        Asked::SetQuery(entry(&bad, "v")),
        Asked::SetCookie(entry("k", &bad)),
        Asked::SetCookie(entry(&bad, "v")),
        Asked::SetPath(bad.clone()),
        Asked::SetOrigin(origin),
        set("x-other", canary),
    ] {
        let error = refusal(&needs, &[edit]);
        assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
    }
}

#[test]
fn an_error_names_the_edit() {
    for (edit, text) in [
        (set("X-Other", "v"), "set-header x-other"),
        (Asked::AppendHeader(entry("x-other", "v")), "append-header x-other"),
        (Asked::RemoveHeader("x-other".to_owned()), "remove-header x-other"),
        (Asked::SetQuery(entry("o\u{2028}k", "v")), "set-query o\\u{2028}k"),
        (Asked::AppendQuery(entry("k", "v")), "append-query k"),
        (Asked::SetCookie(entry("k", "v")), "set-cookie k"),
        (Asked::SetPath("/".to_owned()), "set-path"),
        (Asked::SetOrigin("https://b.example".to_owned()), "set-origin"),
        (Asked::SetBody(Vec::new()), "set-body"),
        (Asked::ClientCertificate(entry("a", "b")), "client-certificate"),
        (Asked::OwnConnection, "own-connection"),
    ] {
        let error = refusal(&[], &[edit]).to_string();
        assert_eq!(error, format!("{text} is outside what the plugin may do"));
    }
    let value = refusal(&[], &[set("x-a", "\n")]).to_string();
    assert_eq!(value, "set-header x-a: the value holds a control character");
    let name = refusal(&[], &[Asked::RemoveHeader("a b".to_owned())]).to_string();
    assert_eq!(name, "remove-header: malformed name");
    let long = refusal(&[], &[set(&"a".repeat(100), "v")]).to_string();
    assert!(long.contains(&format!("{} ", "a".repeat(64))) && !long.contains(&"a".repeat(65)));
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
