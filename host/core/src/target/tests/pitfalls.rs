//! Rows 1 to 3 of docs/pitfalls.md, with a table of URLs.

use ::url::Url;

use super::super::{AllowedOrigins, HostFault, Origin, PathFault, TargetError};
use super::{account, base, freshdesk, strict, template};

#[test]
fn row_1_no_edit_takes_the_credential_to_another_host() {
    let base = base("https://api.example.com/base");
    for (url, error) in [
        ("https://evil.com/base/x", TargetError::OtherOrigin),
        ("https://api.example.com.evil.com/base", TargetError::OtherOrigin),
        ("https://api.example.com:8443/base", TargetError::OtherOrigin),
        ("http://api.example.com/base", TargetError::OtherOrigin),
        ("http://api.example.com:443/base", TargetError::OtherOrigin),
        ("https://127.0.0.1/base", TargetError::OtherOrigin),
        ("ftp://api.example.com/base", TargetError::OtherOrigin),
        ("data:text/plain,x", TargetError::OtherOrigin),
        ("https://user@api.example.com/base", TargetError::UserInfo),
        ("https://:pw@api.example.com/base", TargetError::UserInfo),
        ("https://api.example.com/basex", TargetError::OutsideBase),
        ("https://api.example.com/", TargetError::OutsideBase),
        ("https://api.example.com/%62ase/x", TargetError::OutsideBase),
        ("https://api.example.com/BASE/x", TargetError::OutsideBase),
        ("https://api.example.com/base/..;/x", TargetError::Path(PathFault::DotSegment)),
        ("https://api.example.com/base/..%2fx", TargetError::Path(PathFault::DotSegment)),
        ("https://api.example.com/base/x#y", TargetError::Path(PathFault::Fragment)),
        ("https://api.example.com/base/%zz", TargetError::Path(PathFault::Escape)),
        ("https://api.example.com/base?a=%zz", TargetError::Query(PathFault::Escape)),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!(base.admits(&url), Err(error.clone()), "{url}");
        assert_eq!(base.accept(url).unwrap_err(), error);
    }
    // The URL parser has resolved these before anyone compares.
    let climbed = Url::parse("https://api.example.com/base/%2e%2e/admin").unwrap();
    assert_eq!(base.admits(&climbed), Err(TargetError::OutsideBase));
}

#[test]
fn row_1_another_origin_only_where_the_provider_lists_it() {
    let allowed = ["files.example.com", "https://up.example.com:8443"];
    let allowed = AllowedOrigins::parse(allowed, strict()).unwrap();
    for (origin, listed) in [
        ("https://files.example.com", true),
        ("https://files.example.com:443", true),
        ("https://FILES.example.com", true),
        ("https://up.example.com:8443", true),
        ("https://files.example.com:8443", false),
        ("http://files.example.com", false),
        ("https://up.example.com", false),
        ("https://example.com", false),
        ("https://x.files.example.com", false),
        ("https://files.example.com.evil.com", false),
    ] {
        assert_eq!(allowed.contains(&Origin::parse(origin).unwrap()), listed, "{origin}");
    }
}

#[test]
fn row_2_url_table_the_path_never_changes_the_authority() {
    use PathFault::{Backslash, Control, DotSegment, LeadingSlashes, SchemeLike};
    for (path, expected) in [
        ("//evil.com/x", Err(LeadingSlashes)),
        (r"/\evil.com/x", Err(Backslash)),
        (r"\\evil.com/x", Err(Backslash)),
        ("\t//evil.com", Err(Control)),
        ("/\t/evil.com", Err(Control)),
        ("@evil.com", Ok("/@evil.com")),
        (":pw@evil.com/", Err(SchemeLike)),
        (".evil.com/", Ok("/.evil.com/")),
        ("v1/x", Ok("/v1/x")),
        (":8443/x", Err(SchemeLike)),
        ("https://evil.com/x", Err(SchemeLike)),
        ("http:/x", Err(SchemeLike)),
        ("javascript:", Err(SchemeLike)),
        ("/../../admin", Err(DotSegment)),
        ("/%2e%2e/admin", Err(DotSegment)),
        ("/x\r\nHost: evil", Err(Control)),
    ] {
        for (root, prefix) in [
            ("https://api.example.com", ""),
            ("https://api.example.com/", ""),
            ("https://api.example.com/base", "/base"),
            ("https://api.example.com/base/", "/base"),
        ] {
            let joined = base(root).join(path, None);
            match expected {
                Ok(tail) => {
                    let url = format!("https://api.example.com{prefix}{tail}");
                    assert_eq!(joined.unwrap().as_str(), url, "{root} + {path:?}");
                }
                Err(fault) => {
                    assert_eq!(joined, Err(TargetError::Path(fault)), "{root} + {path:?}");
                }
            }
        }
    }
}

#[test]
fn row_3_an_account_value_never_changes_the_authority() {
    use HostFault::{Address, Character, EmptyLabel, NonAscii, SingleLabel, TrailingDot};
    for (value, fault) in [
        ("acme@evil", Character),
        ("acme@evil.com", Character),
        ("evil/", Character),
        ("evil.com/", Character),
        ("evil#", Character),
        ("evil.com#", Character),
        ("evil?", Character),
        ("evil.com?", Character),
        (r"evil\", Character),
        (r"evil.com\", Character),
        ("acme:8080", Character),
        ("acme.example.com:8080", Character),
        ("user:pw@evil", Character),
        ("user:pw@evil.com", Character),
        ("%2e", Character),
        ("acme.example%2eevil.com", Character),
        ("acme．example．com", NonAscii),
        ("evil。com", NonAscii),
        ("ⓔvil.com", NonAscii),
        ("ev\u{ad}il.com", NonAscii),
        ("..", TrailingDot),
        (".", EmptyLabel),
        ("a..com", EmptyLabel),
        (".com", EmptyLabel),
        ("2130706433", Address),
        ("0x7f.1", Address),
        ("0x7f.0x1", Address),
        ("0177.0.0.1", Address),
        ("127.0.0.1", Address),
        ("127.1", Address),
        ("0", Address),
        ("[::1]", Character),
        ("::1", Character),
        ("localhost.", TrailingDot),
        ("acme.example.com.", TrailingDot),
        ("127.0.0.1.", TrailingDot),
        ("localhost", SingleLabel),
        (" acme.example.com", Character),
        ("acme.example.com\n", Character),
        ("acme.example.com\0", Character),
        ("{{token}}", Character),
        ("${credentials.password}", Character),
        ("*.example.com", Character),
        ("a_b.example.com", Character),
    ] {
        let error = freshdesk(value).unwrap_err();
        assert_eq!(error, TargetError::Host { field: "domain".to_owned(), fault }, "{value:?}");
        assert_eq!(error.field(), Some("domain"));
    }
    let error = freshdesk("").unwrap_err();
    assert_eq!(error, TargetError::Missing { field: "domain".to_owned() });
    assert!(error.to_string().contains("`domain`"));
}

#[test]
fn row_3_a_value_in_the_path_stays_one_segment() {
    use PathFault::{Backslash, Control, DotSegment, Percent, Slash};
    let versioned = template("https://api.example.com/api/{{version}}/x");
    for (value, fault) in [
        (".", DotSegment),
        ("..", DotSegment),
        ("..;x", DotSegment),
        (".;", DotSegment),
        ("%2e%2e", Percent),
        ("%2f", Percent),
        ("%5c", Percent),
        ("100%", Percent),
        ("a/b", Slash),
        ("/", Slash),
        ("../admin", Slash),
        (r"a\b", Backslash),
        ("a\r\nHost: evil", Control),
        ("a\0", Control),
        ("a\t", Control),
        ("a\u{7f}", Control),
        ("a\u{85}", Control),
    ] {
        let error = versioned.render(&account("version", value), strict()).unwrap_err();
        assert_eq!(error, TargetError::Text { field: "version".to_owned(), fault }, "{value:?}");
    }
    for (value, segment) in [
        ("v1", "v1"),
        ("...", "..."),
        ("a b", "a%20b"),
        ("a?b#c", "a%3Fb%23c"),
        ("a;b", "a%3Bb"),
        ("user@example.com", "user@example.com"),
        ("123:a-b_c~d.e", "123:a-b_c~d.e"),
        ("!$&'()*+,=", "!$&'()*+,="),
        ("café", "caf%C3%A9"),
        ("{{token}}", "%7B%7Btoken%7D%7D"),
        ("a\"<>^`|[]b", "a%22%3C%3E%5E%60%7C%5B%5Db"),
    ] {
        let base = versioned.render(&account("version", value), strict()).unwrap();
        assert_eq!(base.path(), format!("/api/{segment}/x"), "{value:?}");
    }
}

#[test]
fn row_11_a_value_that_is_itself_a_placeholder_stays_literal() {
    let both = template("https://api.example.com/{{a}}/{{token}}");
    let mut account = account("a", "{{token}}");
    account.values.push(("token", "hunter2".to_owned()));
    let base = both.render(&account, strict()).unwrap();
    assert_eq!(base.path(), "/%7B%7Btoken%7D%7D/hunter2");
}

#[test]
fn yourcompany_freshdesk_com_renders() {
    let base = freshdesk("yourcompany.freshdesk.com").unwrap();
    assert_eq!(base.origin().to_string(), "https://yourcompany.freshdesk.com");
    let url = base.join("/v2/tickets", Some("page=2")).unwrap();
    assert_eq!(url.as_str(), "https://yourcompany.freshdesk.com/api/v2/tickets?page=2");
}
