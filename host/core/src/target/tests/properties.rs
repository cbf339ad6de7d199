//! For any account value and any caller path: an error, or the same origin and a path under the
//! base, as parsers see it that share no code with this module.

use proptest::prelude::*;

use super::super::TargetRules;
use super::{account, strict, template};

/// What parsers trip over.
const TOKENS: &[&str] = &[
    "/",
    "//",
    "\\",
    ".",
    "..",
    "%2e",
    "%2E",
    "%2f",
    "%5c",
    "%3b",
    "%25",
    "%252e",
    "%00",
    "%",
    ";",
    ":",
    "@",
    "?",
    "#",
    "&",
    "=",
    "[",
    "]",
    "{{",
    "}}",
    "\t",
    "\r",
    "\n",
    " ",
    "\0",
    "-",
    "xn--",
    "evil.com",
    "acme",
    "com",
    "0x7f",
    "127.0.0.1",
    "8443",
    "https:",
    "é",
    "。",
    "．",
    "\u{ad}",
    "a",
    "B",
    "1",
    "'",
    "\"",
    "<",
    "|",
    "^",
    "`",
    "x=1",
];

/// Text made of what parsers trip over, and any text at all.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(TOKENS), 0..8).prop_map(|t| t.concat()),
        proptest::collection::vec(
            proptest::sample::select(&["a", "-", ".", "b1", "com"][..]),
            1..8
        )
        .prop_map(|t| t.concat()),
        any::<String>(),
        "[ -~]{0,24}",
    ]
}

/// What a server that decodes once, takes `\` for `/` and cuts parameters off makes of a path.
fn as_a_lax_server_reads(path: &str) -> Vec<String> {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let digits: String = rest.clone().take(2).map(char::from).collect();
        match u8::from_str_radix(&digits, 16) {
            Ok(decoded) if byte == b'%' && digits.len() == 2 => {
                bytes.push(decoded);
                rest.nth(1);
            }
            _ => bytes.push(byte),
        }
    }
    let decoded = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let mut kept: Vec<String> = Vec::new();
    for segment in decoded.split('/').map(|segment| segment.split(';').next().unwrap_or("")) {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment.to_owned()),
        }
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_path_and_query_stay_under_the_base(path in odd_text(), query in proptest::option::of(odd_text())) {
        for (root, prefix) in [("https://api.example.com", vec![]), ("https://api.example.com/a/b", vec!["a", "b"])] {
            let base = super::base(root);
            for made in [base.join(&path, query.as_deref()), base.with_path(&format!("/a/b{path}"), query.as_deref())] {
                let Ok(url) = made else { continue };
                let wire: http::Uri = url.as_str().parse().unwrap();
                prop_assert_eq!(wire.scheme_str(), Some("https"));
                prop_assert_eq!(wire.authority().unwrap().as_str(), "api.example.com");
                prop_assert_eq!(wire.path_and_query().unwrap().as_str(), url.path_and_query());
                let read = as_a_lax_server_reads(wire.path());
                prop_assert!(read.iter().zip(&prefix).all(|(a, b)| a == b) && read.len() >= prefix.len());
                let again = ::url::Url::parse(url.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), url.as_str());
                prop_assert_eq!(&again, url.as_url());
            }
        }
    }

    #[test]
    fn a_joined_url_is_what_a_parser_makes_of_its_whole_text(path in odd_text(), query in proptest::option::of(odd_text())) {
        for root in ["https://api.example.com", "https://127.0.0.1:8443", "https://api.example.com/a%2Fb"] {
            let Ok(joined) = super::base(root).join(&path, query.as_deref()) else { continue };
            let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
            let query = query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
            let whole = ::url::Url::parse(&format!("{root}{slash}{path}{query}")).unwrap();
            prop_assert_eq!(&whole, joined.as_url());
        }
    }

    #[test]
    fn any_whole_host_value_is_an_error_or_that_host(value in odd_text()) {
        if let Ok(base) = super::freshdesk(&value) {
            let lower = value.to_ascii_lowercase();
            prop_assert!(lower.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b)));
            prop_assert!(lower.contains('.') && lower.parse::<std::net::IpAddr>().is_err());
            let wire: http::Uri = base.url().as_str().parse().unwrap();
            prop_assert_eq!(wire.authority().unwrap().as_str(), lower);
            prop_assert_eq!(wire.path(), "/api");
        }
    }

    #[test]
    fn any_label_value_stays_one_label(value in odd_text()) {
        let made = template("https://{{x}}.example.com/api").render(&account("x", &value), strict());
        if let Ok(base) = made {
            let wire: http::Uri = base.url().as_str().parse().unwrap();
            let host = wire.authority().unwrap().as_str();
            prop_assert_eq!(host, format!("{}.example.com", value.to_ascii_lowercase()));
            prop_assert_eq!(host.split('.').count(), 3);
        }
    }

    #[test]
    fn any_segment_value_stays_one_segment(value in odd_text()) {
        let made = template("https://example.com/a/{{x}}/b").render(&account("x", &value), strict());
        if let Ok(base) = made {
            let wire: http::Uri = base.url().as_str().parse().unwrap();
            prop_assert_eq!(wire.authority().unwrap().as_str(), "example.com");
            let plain = value.split(';').next().unwrap_or("");
            let expected: Vec<_> = ["a", plain, "b"].into_iter().filter(|part| !part.is_empty()).collect();
            prop_assert_eq!(as_a_lax_server_reads(wire.path()), expected);
        }
    }

    #[test]
    fn any_query_value_stays_one_value(value in odd_text()) {
        let made = template("https://example.com/t?a={{x}}&b=1").render_url(&account("x", &value), strict());
        if let Ok(url) = made {
            let pairs: Vec<_> = url.as_url().query_pairs().collect();
            prop_assert_eq!(pairs, [("a".into(), value.into()), ("b".into(), "1".into())]);
        }
    }

    #[test]
    fn what_the_operator_allows_still_keeps_the_shape(value in odd_text()) {
        let rules = TargetRules { http: true, placeholder_ports: true, placeholder_addresses: true };
        if let Ok(base) = template("https://{{x}}/api").render(&account("x", &value), rules) {
            let wire: http::Uri = base.url().as_str().parse().unwrap();
            prop_assert_eq!(wire.host().unwrap(), base.origin().host().to_string());
            prop_assert_eq!(wire.port_u16().unwrap_or(443), base.origin().port());
            prop_assert_eq!(wire.path(), "/api");
            prop_assert!(!wire.authority().unwrap().as_str().contains('@'));
        }
    }
}
