//! What a reference is filled with.

use super::*;

#[test]
fn a_reference_stands_for_every_value_of_its_name() {
    let list = ["write header/{pattern/headers/*/name}", "read account/{pattern/f/*/field_name}"];
    let granted = granted(
        &list,
        &[
            ("pattern/headers/0/name", "X-One"),
            ("pattern/headers/1/name", "x-two"),
            ("pattern/headers/2/name/deeper", "x-three"),
            ("pattern/headers/2", "x-four"),
            ("pattern/f/0/field_name", "key"),
            ("connection/headers/0/name", "x-five"),
        ],
    );
    for (name, may) in
        [("x-one", true), ("X-TWO", true), ("x-three", false), ("x-four", false), ("x-five", false)]
    {
        assert_eq!(granted.may_write_header(&header(name)), may, "{name}");
    }
    assert!(granted.may_read("account/key"));
    assert!(!granted.may_read("account/other"));
    assert!(granted.ungranted().is_empty());
}

#[test]
fn a_reference_without_a_value_grants_nothing() {
    let list = ["write header/{pattern/auth_header_key_override}"];
    for values in [&[][..], &[("pattern/auth_header_key_override", "")]] {
        let granted = granted(&list, values);
        assert!(!granted.may_write_header(&header("authorization")));
        assert!(!granted.owns_header(&header("authorization")));
        assert!(granted.ungranted().is_empty());
    }
}

#[test]
fn row_11_a_reference_is_filled_once_and_taken_literally() {
    let list = ["write header/{pattern/h}", "write query/{pattern/q}", "read account/{pattern/a}"];
    let granted = granted(
        &list,
        &[
            ("pattern/h", "x-*"),
            ("pattern/q", "{pattern/other}"),
            ("pattern/a", "*"),
            ("pattern/other", "api_key"),
        ],
    );
    assert!(granted.may_write_header(&header("x-*")));
    assert!(!granted.may_write_header(&header("x-api-key")));
    assert!(!granted.may_write_query("api_key"));
    assert!(granted.may_write_query("{pattern/other}"));
    assert!(!granted.may_read("account/token"));
}

#[test]
fn an_override_that_cannot_be_a_header_of_the_plugins_grants_nothing_and_is_reported() {
    for (text, flaw) in [
        ("x key", Flaw::NotAName),
        ("x:key", Flaw::NotAName),
        ("x-key\r\nx-evil", Flaw::NotAName),
        (":authority", Flaw::NotAName),
        ("Host", Flaw::Forbidden),
        ("content_length", Flaw::Forbidden),
        ("X-Forwarded-For", Flaw::Forbidden),
        ("cookie", Flaw::Forbidden),
    ] {
        let granted = granted(
            &["write header/{pattern/auth_header_key_override}"],
            &[("pattern/auth_header_key_override", text)],
        );
        let [report] = granted.ungranted() else { panic!("{text}") };
        assert_eq!(report.value, "pattern/auth_header_key_override");
        assert_eq!(report.need, "header/{pattern/auth_header_key_override}");
        assert_eq!(report.flaw, flaw, "{text}");
        assert!(!report.to_string().contains(text));
        if let Ok(name) = HeaderName::from_bytes(text.as_bytes()) {
            assert!(!granted.may_write_header(&name));
        }
    }
}

#[test]
fn a_secret_does_not_become_a_name() {
    let mut values = Values::default();
    values.set_secret("connection/client_secret", Secret::from("x-hunter2"));
    let granted = needs(&["write header/{connection/client_secret}"]).resolve(&values);
    assert!(!granted.may_write_header(&header("x-hunter2")));
    assert_eq!(granted.ungranted()[0].flaw, Flaw::Secret);
}

#[test]
fn a_name_of_two_segments_does_not_fill_one() {
    let list = ["read account/{pattern/a}", "write cookie/{pattern/c}", "write query/{pattern/q}"];
    let granted = granted(
        &list,
        &[("pattern/a", "token/x"), ("pattern/c", "a=b"), ("pattern/q", "filter/key")],
    );
    assert!(!granted.may_read("account/token/x"));
    assert!(!granted.may_write_cookie("a=b"));
    // A slash is an ordinary character in a parameter's name.
    assert!(granted.may_write_query("filter/key"));
    assert_eq!(granted.ungranted().len(), 2);
}
