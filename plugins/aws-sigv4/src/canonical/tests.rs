//! The published suite, byte for byte, and what it does not ask.

use countersign_plugin::Account;
use serde_json::Value as Json;

use super::*;
use crate::{settings::Settings, signature::Signing, stamp::Stamp};

/// Its `about` says where it is from.
const SUITE: &str = include_str!("../../../../tests/vectors/aws-sig-v4-test-suite.json");

/// 2015-08-30T12:36:00Z
const NOW: u64 = 1_440_938_160_000;

/// A request as it stands in the suite: not yet encoded, a header's lines folded.
struct Raw<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(String, String)>,
    body: &'a str,
}

fn raw(text: &str) -> Raw<'_> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let (target, _) = target.rsplit_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':') {
            _ if line.starts_with(' ') => headers.last_mut().unwrap().1.push_str(line),
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => panic!("{line}"),
        }
    }
    Raw { method, path, query, headers, body }
}

#[test]
fn each_case_of_the_published_suite_is_signed_byte_for_byte() {
    use sha2::Digest as _;

    let suite: Json = serde_json::from_str(SUITE).unwrap();
    let cases = suite["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 34);
    let account = Account::of(&[
        ("account/access_key_id", "AKIDEXAMPLE"),
        ("account/secret_access_key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        ("connection/region", "us-east-1"),
        ("pattern/aws_sigv4/service", "service"),
    ]);
    let settings = Settings::of(&account).unwrap();
    let stamp = Stamp::of(NOW);
    for case in cases {
        let name = &case["name"];
        let text = |key: &str| case[key].as_str().unwrap();
        let raw = raw(text("request"));
        let mut headers = Headers::default();
        for (name, value) in &raw.headers {
            headers.add(name, value);
        }
        // The suite gives the token beside the request.
        let mut lines = text("canonical").lines();
        let token = lines.find_map(|line| line.strip_prefix("x-amz-security-token:"));
        let has_token = raw.headers.iter().any(|(name, _)| name == "x-amz-security-token");
        if let Some(token) = token.filter(|_| !has_token) {
            headers.add("x-amz-security-token", token);
        }
        let payload = crate::signature::hex(&sha2::Sha256::digest(raw.body));
        let (method, path, query) = (raw.method, raw.path, raw.query);
        let parts = Parts { method, path, query, headers: &headers, payload: &payload };
        let canonical = parts.canonical(Paths::of(&settings));
        assert_eq!(String::from_utf8(canonical.clone()).unwrap(), text("canonical"), "{name}");
        let signing = Signing::new(&settings, &stamp);
        assert_eq!(signing.string_to_sign(&canonical), text("string_to_sign"), "{name}");
        let signature = signing.sign(&canonical);
        let authorization = signing.authorization(&headers.names(), &signature);
        assert_eq!(authorization, text("authorization"), "{name}");
    }
}

#[test]
fn a_path_of_s3_is_a_key_and_any_other_is_normalized_and_encoded_twice() {
    for (path, verbatim, normalized) in [
        ("", "/", "/"),
        ("/", "/", "/"),
        ("/a%20b", "/a%20b", "/a%2520b"),
        ("/a+b", "/a%2Bb", "/a%2Bb"),
        ("/a%2Bb", "/a%2Bb", "/a%252Bb"),
        ("/a%2fb", "/a/b", "/a%252fb"),
        ("/a//b/", "/a//b/", "/a/b/"),
        ("/a/./b/../c", "/a/./b/../c", "/a/c"),
        ("/a/..", "/a/..", "/"),
        ("/%e1%88%b4", "/%E1%88%B4", "/%25e1%2588%25b4"),
        ("/a%2525", "/a%2525", "/a%252525"),
        ("/~-._!*'()=:@", "/~-._%21%2A%27%28%29%3D%3A%40", "/~-._%21%2A%27%28%29%3D%3A%40"),
    ] {
        assert_eq!(Paths::Verbatim.canonical(path), verbatim);
        assert_eq!(Paths::Normalized.canonical(path), normalized);
    }
}

#[test]
fn a_query_is_one_whatever_its_spelling_and_order() {
    for (query, is) in [
        ("", ""),
        ("acl", "acl="),
        ("&&b=2&a=1&", "a=1&b=2"),
        ("a=x+y&a=x%20a", "a=x%20a&a=x%20y"),
        ("prefix=a%2Fb/c", "prefix=a%2Fb%2Fc"),
        ("k=a=b", "k=a%3Db"),
        ("k=%zz&k=%4", "k=%254&k=%25zz"),
        ("k=%c3%a9", "k=%C3%A9"),
        ("a-b=1&a=2", "a=2&a-b=1"),
    ] {
        assert_eq!(query::canonical(query), is, "{query}");
    }
}

#[test]
fn a_header_is_signed_as_the_bytes_that_it_is() {
    let mut headers = Headers::default();
    headers.add("x-amz-meta", " \u{e9}\t  b ");
    let mut text = Vec::new();
    headers.write(&mut text);
    assert_eq!(text, b"x-amz-meta:\xe9 b\n");
}
