//! Cookies of the caller's beside those of the plugin's.

use http::{HeaderMap, HeaderValue};

use super::{CookieEdit, merged, remove};
use crate::edit::{EditError, EditName, Flaw};

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("cookie", HeaderValue::from_str(line).unwrap());
    }
    headers
}

fn parse(name: &str, value: &str) -> Result<CookieEdit, EditError> {
    CookieEdit::parse(&EditName::kind("set-cookie"), name.to_owned(), value.to_owned())
}

#[test]
fn row_7_every_copy_of_a_cookie_is_replaced_and_the_others_stay() {
    for (before, after) in [
        (&[][..], "session=ours"),
        (&["session=theirs"], "session=ours"),
        (&["a=1; session=theirs; b=2"], "a=1; b=2; session=ours"),
        (&["a=1;session=x;b=2"], "a=1; b=2; session=ours"),
        (&["session=1; session=2", "a=1; session=3"], "a=1; session=ours"),
        (&["sess%69on=theirs; a=%31"], "a=%31; session=ours"),
        (&["\"session\"=theirs; a=1"], "a=1; session=ours"),
        (&[" session =theirs; a=1"], "a=1; session=ours"),
        (&["session; a=1"], "a=1; session=ours"),
        (&["Session=1; sessions=2; a=session"], "Session=1; sessions=2; a=session; session=ours"),
        (&["a=b=c; ; ;"], "a=b=c; session=ours"),
    ] {
        let value = merged(&headers(before), &[&parse("session", "ours").unwrap()]);
        let value = value.unwrap().unwrap();
        assert_eq!(value.to_str().unwrap(), after, "{before:?}");
        assert!(value.is_sensitive());
    }
}

#[test]
fn a_cookie_goes_under_its_name_as_it_stands_too() {
    let value = merged(&headers(&["a%62=1"]), &[&parse("a%62", "2").unwrap()]).unwrap().unwrap();
    assert_eq!(value, "a%62=2");
}

#[test]
fn several_cookies_share_one_header() {
    let (a, b) = (parse("a", "1").unwrap(), parse("b", "2").unwrap());
    let value = merged(&headers(&["c=3; b=0"]), &[&a, &b]).unwrap().unwrap();
    assert_eq!(value, "c=3; a=1; b=2");
    assert!(merged(&headers(&["c=3"]), &[]).unwrap().is_none());
}

#[test]
fn cookies_are_taken_away_by_name() {
    for (before, after) in [
        (&["a=1; s=2"][..], &["a=1"][..]),
        (&["s=2"], &[]),
        (&["a=1;b=2", "c=3"], &["a=1;b=2", "c=3"]),
        (&["a=1;s=2", "c=3"], &["a=1; c=3"]),
    ] {
        let mut headers = headers(before);
        remove(&mut headers, |name| name == "s");
        let left = headers.get_all("cookie").iter().collect::<Vec<_>>();
        assert_eq!(left, after, "{before:?}");
    }
}

#[test]
fn row_5_a_cookie_is_of_cookie_octets_alone() {
    for (value, flaw) in [
        ("", Flaw::Empty),
        ("\"\"", Flaw::Empty),
        ("a\r\nx-evil: 1", Flaw::Control),
        ("a\0", Flaw::Control),
        ("a; admin=1", Flaw::Character),
        ("a b", Flaw::Character),
        ("a,b", Flaw::Character),
        ("a\\b", Flaw::Character),
        ("a\"b", Flaw::Character),
        ("\"ab", Flaw::Character),
        ("\"", Flaw::Character),
        ("ä", Flaw::Character),
    ] {
        let error = parse("session", value).err().unwrap();
        assert!(matches!(error, EditError::Value { flaw: f, .. } if f == flaw), "{value}: {error}");
    }
    for name in ["", "a b", "a=b", "a;b", "a\r\n", "ä", "\"a\""] {
        assert!(matches!(parse(name, "v").err().unwrap(), EditError::Name(_)), "{name}");
    }
    for value in ["a", "\"ab\"", "!#$%&'()*+-./:<=>?@[]^_`{|}~"] {
        assert!(parse("session", value).is_ok(), "{value}");
    }
}
