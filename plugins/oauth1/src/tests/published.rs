//! What the RFC, X and oauthlib have published: each base string and signature byte for byte.

use serde_json::Value as Json;

use super::*;
use crate::base::Parameters;

/// Its `about` says where each is from.
const PUBLISHED: &str = include_str!("../../../../tests/vectors/oauth1-signatures.json");

fn published(part: &str) -> Json {
    serde_json::from_str::<Json>(PUBLISHED).unwrap()[part].take()
}

fn client(method: &str, secret: &str, key: &str) -> Account {
    Account::of(&[
        ("connection/client_id", "id"),
        ("connection/client_secret", secret),
        ("connection/private_key", key),
        ("pattern/oauth1/signature_method", method),
    ])
}

#[test]
fn every_request_comes_to_its_base_string_and_signature() {
    let requests = published("requests");
    assert_eq!(requests.as_array().unwrap().len(), 6);
    for request in requests.as_array().unwrap() {
        let text = |name: &str| request[name].as_str().unwrap();
        let target = Target::of(text("url")).unwrap();
        let mut parameters = Parameters::default();
        parameters.add_form(target.query.as_bytes());
        parameters.add_form(text("form").as_bytes());
        for pair in request["parameters"].as_array().unwrap() {
            parameters.add(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        }
        let base = target.base_string(text("method"), parameters);
        if let Some(expected) = request["base_string"].as_str() {
            assert_eq!(base, expected, "{}", text("name"));
        }
        let account = client("HMAC-SHA1", text("client_secret"), "");
        let signature = Client::of(&account).unwrap().sign(&cx(), text("token_secret"), &base);
        assert_eq!(signature.unwrap(), text("signature"), "{}", text("name"));
    }
}

#[test]
fn every_method_signs_as_published() {
    let all = published("signatures");
    let text = |name: &str| all[name].as_str().unwrap();
    let expected = all["expected"].as_array().unwrap();
    assert_eq!(expected.len(), 4);
    for pair in expected {
        let (method, expected) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let account = client(method, text("client_secret"), text("private_key"));
        let client = Client::of(&account).unwrap();
        let signature = client.sign(&cx(), text("token_secret"), text("base_string")).unwrap();
        assert_eq!(signature, expected, "{method}");
    }
}

/// Blinding must not show in what is signed.
#[test]
fn the_same_text_is_signed_the_same_whatever_the_random_bytes() {
    let all = published("signatures");
    let account = client("RSA-SHA1", "", all["private_key"].as_str().unwrap());
    let client = Client::of(&account).unwrap();
    let sign = |seed| client.sign(&Context::fixed(0, seed), "", "text").unwrap();
    assert_eq!(sign(1), sign(2));
}

#[test]
fn every_url_comes_to_its_base_string_uri() {
    for pair in published("uris").as_array().unwrap() {
        let (url, expected) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let base = Target::of(url).unwrap().base_string("get", Parameters::default());
        let expected = ["GET&", &encoding::encoded(expected.as_bytes()), "&"].concat();
        assert_eq!(base, expected, "{url}");
    }
    for url in ["", "example.com/", "ftp://example.com/", "http://", "https:///x"] {
        assert!(Target::of(url).is_none(), "{url}");
    }
}
