//! Headers: spelling, and those of the host.

use super::*;

#[test]
fn header_names_are_compared_without_regard_to_case() {
    let granted = granted(&["write header/X-API-Key", "read header/X-Amz-*"], &[]);
    assert!(granted.may_write_header(&header("x-api-key")));
    assert!(!granted.may_write_header(&header("x_api_key")));
    assert!(!granted.may_write_header(&header("x-api-key2")));
    assert!(granted.may_read_message_header(&header("X-AMZ-date")));
    assert!(!granted.may_read_message_header(&header("x-am")));
    assert!(!granted.may_read_message_header(&header("x-api-key")));
    assert!(granted.may_read("header/x-amz-date"));
}

#[test]
fn headers_of_the_host_are_never_shown_or_written() {
    let list = [
        "read header/host",
        "write header/host",
        "read header/c*",
        "write header/c*",
        "read header/x-forwarded-*",
        "write header/x-*",
        "write header/proxy-authorization",
    ];
    let granted = granted(&list, &[]);
    for name in [
        "host",
        "content-length",
        "cookie",
        "connection",
        "x-forwarded-for",
        "proxy-authorization",
        "content_length",
    ] {
        assert!(!granted.may_read_message_header(&header(name)), "{name}");
        assert!(!granted.may_read(&format!("header/{name}")), "{name}");
        assert!(!granted.may_write_header(&header(name)), "{name}");
        assert!(!granted.owns_header(&header(name)), "{name}");
    }
    assert!(granted.may_read_message_header(&header("content-type")));
    assert!(granted.may_write_header(&header("content-type")));
    assert!(granted.may_write_header(&header("x-forward")));
    assert!(!granted.may_read("header"));
}

#[test]
fn row_7_every_spelling_of_a_header_belongs_to_the_one_who_may_write_it() {
    let granted =
        granted(&["write header/x-api-key", "write header/x-amz-*", "write header/a*-z"], &[]);
    for (name, owns) in [
        ("x-api-key", true),
        ("X_API_Key", true),
        ("x.api.key", true),
        ("x-api-key_", true),
        ("x-api-key-", true),
        ("x-api-key2", false),
        ("x-apikey", false),
        ("-x-api-key", false),
        ("x_amz_date", true),
        ("x-amz-date_", true),
        ("x-amz", false),
        ("xx-amz-date", false),
        ("abc_z_", true),
        ("a-z", true),
        ("a", false),
        ("a-y", false),
        ("b-z", false),
    ] {
        assert_eq!(granted.owns_header(&header(name)), owns, "{name}");
    }
}
