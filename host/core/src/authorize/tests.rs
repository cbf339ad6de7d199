//! What the caller sent, as it is dressed to leave.

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;

use super::*;
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
