//! Paths and origins of a plugin's choice.

use url::Url;

use super::{PathEdit, origin, set_origin};
use crate::edit::{EditError, EditName, Flaw};

fn path(path: &str) -> Result<PathEdit, EditError> {
    PathEdit::parse(&EditName::kind("set-path"), path.to_owned())
}

#[test]
fn row_2_a_path_that_could_be_another_is_refused() {
    for (text, flaw) in [
        ("", Flaw::Path),
        ("base", Flaw::Path),
        ("@evil.example/base", Flaw::Path),
        (".evil.example", Flaw::Path),
        (":8443/x", Flaw::Path),
        ("https://evil.example/", Flaw::Path),
        ("//evil.example/base", Flaw::Path),
        ("/base/../admin", Flaw::Path),
        ("/base/.", Flaw::Path),
        ("/..", Flaw::Path),
        ("/base/%2e%2e/admin", Flaw::Path),
        ("/base/.%2E/admin", Flaw::Path),
        ("/base/x%2f..%2fadmin", Flaw::Path),
        ("/base/x%5c..%5cadmin", Flaw::Path),
        ("/base/..;x/admin", Flaw::Path),
        ("/base\\..\\admin", Flaw::Character),
        ("/base?x=1", Flaw::Character),
        ("/base#x", Flaw::Character),
        ("/ba se", Flaw::Character),
        ("/bäse", Flaw::Character),
        ("/base/%zz", Flaw::Character),
        ("/base/%2", Flaw::Character),
        ("/base/%2z", Flaw::Character),
        ("/base/%z2", Flaw::Character),
        ("/base/%", Flaw::Character),
        ("/base/x HTTP/1.1\r\nhost: evil.example", Flaw::Control),
        ("/\t/evil.example", Flaw::Control),
    ] {
        let error = path(text).err().unwrap_or_else(|| panic!("{text}"));
        assert!(matches!(error, EditError::Value { flaw: f, .. } if f == flaw), "{text}: {error}");
    }
}

#[test]
fn a_path_goes_out_byte_for_byte() {
    for text in [
        "/",
        "/bot123:ABC-def_~/send",
        "/a//b/",
        "/projects/group%2Fproject",
        "/a...b/.../.x/x..",
        "/%41%zz".trim_end_matches("%zz"),
        "/a;v=1.2/!$&'()*+,;=:@",
    ] {
        let mut url = Url::parse("https://api.example.com/old?q=1").unwrap();
        path(text).unwrap_or_else(|e| panic!("{text}: {e}")).apply(&mut url);
        assert_eq!(url.as_str(), format!("https://api.example.com{text}?q=1"));
    }
}

#[test]
fn row_1_an_origin_is_scheme_host_and_port_and_nothing_else() {
    let parse = |text: &str| origin(&EditName::kind("set-origin"), text);
    for text in [
        "",
        "api.example.com",
        "https://",
        "https://user@api.example.com",
        "https://:pw@api.example.com",
        "https://api.example.com/base",
        "https://api.example.com/?q",
        "https://api.example.com#f",
        "https://api.example.com?",
        "https://api.example.com\\",
        "https://API.example.com",
        "https://api.example.com:0443",
        "https:api.example.com",
        " https://api.example.com",
        "https://api.example.com\r\n",
        "ftp://api.example.com",
        "file:///",
        "data:,x",
        "https://api.example.com//",
    ] {
        assert!(matches!(parse(text), Err(EditError::Value { flaw: Flaw::Origin, .. })), "{text}");
    }
    for text in [
        "https://api.example.com",
        "https://api.example.com/",
        "https://api.example.com:443",
        "http://api.example.com:8080",
        "https://[::1]:8443",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn an_origin_takes_the_place_of_another_and_nothing_else_moves() {
    for (from, to, after) in [
        ("https://a.example/x?y=%20", "https://b.example", "https://b.example/x?y=%20"),
        ("https://a.example:8443/x", "http://b.example", "http://b.example/x"),
        ("http://a.example/x", "https://b.example:8443", "https://b.example:8443/x"),
        ("https://a.example/", "https://[::1]", "https://[::1]/"),
    ] {
        let mut url = Url::parse(from).unwrap();
        set_origin(&mut url, &Url::parse(to).unwrap()).unwrap();
        assert_eq!(url.as_str(), after);
    }
    let mut opaque = Url::parse("data:,x").unwrap();
    assert!(set_origin(&mut opaque, &Url::parse("https://b.example").unwrap()).is_err());
}
