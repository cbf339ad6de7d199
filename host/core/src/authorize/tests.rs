//! What the caller sent, as it is dressed to leave.

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;

use super::*;
use crate::last::Last;
use crate::needs::Needs;
use crate::target::{TargetRules, Template};
use crate::values::Values;

#[test]
fn a_fixed_header_replaces_every_spelling_that_the_caller_sent() {
    let base = Template::parse_base("https://api.example.com").unwrap();
    let base = base.render(&(), TargetRules::default()).unwrap();
    let granted = Needs::parse(&[]).unwrap().resolve(&Values::default());
    let request = Request::get("/v1")
        .header("X_Tenant_Id", "theirs")
        .header("x-tenant-id", "theirs")
        .header("x-other", "kept")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut fixed = HeaderMap::new();
    fixed.insert("x-tenant-id", http::HeaderValue::from_static("ours"));
    let place = Place { base, headers: fixed, rules: EditRules::default() };
    let headers = Outgoing::new(request).dressed(&place, &granted).unwrap().headers;
    let sent: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(sent, [("accept", "*/*"), ("x-other", "kept"), ("x-tenant-id", "ours")]);
}

#[test]
fn accounts_share_where_their_requests_go_only_where_all_of_it_is_the_same() {
    let place = |base: &str, header: Option<&'static str>, origin: &str| {
        let base = Template::parse_base(base).unwrap().render(&(), TargetRules::default()).unwrap();
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|it| (http::header::ACCEPT, http::HeaderValue::from_static(it))));
        let origins = vec![url::Url::parse(origin).unwrap().origin()];
        Place { base, headers, rules: EditRules { origins, ..EditRules::default() } }
    };
    let (listed, last) = ("https://files.example.com", Last::default());
    let first = last.shared(place("https://a.example.com/v1", None, listed));
    assert!(Arc::ptr_eq(&first, &last.shared(place("https://a.example.com/v1", None, listed))));
    for other in [
        place("https://b.example.com/v1", None, listed),
        place("https://a.example.com/v2", None, listed),
        place("https://a.example.com/v1", Some("*/*"), listed),
        place("https://a.example.com/v1", None, "https://other.example.com"),
    ] {
        let last = Last::default();
        let first = last.shared(place("https://a.example.com/v1", None, listed));
        assert!(!Arc::ptr_eq(&first, &last.shared(other)));
    }
}
