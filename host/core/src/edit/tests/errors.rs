//! What the errors say, and what they never show.

use super::*;

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
        (Asked::ClientCertificate(entry("a", "b")), "client-certificate a b"),
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
