//! Encoding, decoding, and that one undoes the other.

use proptest::prelude::*;

use super::*;

#[test]
fn only_unreserved_characters_stay_as_they_are() {
    for (text, as_form, as_segment) in [
        ("AZaz09-._~", "AZaz09-._~", "AZaz09-._~"),
        ("a b", "a+b", "a%20b"),
        ("a+b&c=d", "a%2Bb%26c%3Dd", "a%2Bb%26c%3Dd"),
        (
            ":/?#[]@!$'()*,;%",
            "%3A%2F%3F%23%5B%5D%40%21%24%27%28%29%2A%2C%3B%25",
            "%3A%2F%3F%23%5B%5D%40%21%24%27%28%29%2A%2C%3B%25",
        ),
        // RFC 6749, appendix B.
        (" %&+£€", "+%25%26%2B%C2%A3%E2%82%AC", "%20%25%26%2B%C2%A3%E2%82%AC"),
        ("\r\n\0", "%0D%0A%00", "%0D%0A%00"),
    ] {
        assert_eq!(encode(text), as_form);
        assert_eq!(percent_encode(text), as_segment);
    }
}

#[test]
fn a_form_is_taken_apart() {
    let pairs = |form| split(form).unwrap();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    assert_eq!(pairs(""), []);
    assert_eq!(
        pairs("a=1&&b=x+y%3D&c&=d"),
        [("a", "1"), ("b", "x y="), ("c", ""), ("", "d")].map(owned)
    );
    assert_eq!(pairs("a=b=c"), [("a", "b=c")].map(owned));
}

#[test]
fn a_broken_form_is_none() {
    for form in ["a=%", "a=%4", "a=%zz", "%4", "a=%ff", "a=%+1"] {
        assert_eq!(split(form), None, "{form}");
    }
}

proptest! {
    #[test]
    fn a_form_reads_back(pairs: Vec<(String, String)>) {
        let form = join(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        prop_assert!(form.is_ascii());
        prop_assert_eq!(split(&form), Some(pairs));
    }
}
