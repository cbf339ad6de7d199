//! Names and values that cannot stand in a message.

use super::*;

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
