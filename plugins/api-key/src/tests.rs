//! Values in, edits or refusals out.

use countersign_plugin::{Edit, Reason};

use super::*;

fn authorize(values: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    ApiKey::authorize(&Context::fixed(0, 0), &Account::of(values), None, &[])
}

const OTHER: [(&str, &str); 2] =
    [("pattern/fields/1/field_name", "app_key"), ("pattern/fields/1/query_name", "app")];

#[test]
fn the_key_goes_where_the_pattern_says() {
    let key = (KEY, "Klaviyo-API-Key k");
    let field = ("pattern/fields/0/field_name", "api_key");
    let in_cookie = ("pattern/fields/0/cookie_name", "sid");
    let app = ("account/app_key", "a");
    for (values, edits) in [
        (vec![key, field], vec![Edit::header("authorization", "Klaviyo-API-Key k")]),
        (
            vec![key, (header::OVERRIDE, "X-API-Key")],
            vec![Edit::header("X-API-Key", "Klaviyo-API-Key k")],
        ),
        (vec![key, field, in_cookie], vec![Edit::cookie("sid", "Klaviyo-API-Key k")]),
        (
            vec![key, field, OTHER[0], OTHER[1], app],
            vec![Edit::header("authorization", "Klaviyo-API-Key k"), Edit::query("app", "a")],
        ),
        (vec![OTHER[0], OTHER[1], app], vec![Edit::query("app", "a")]),
    ] {
        assert_eq!(authorize(&values).unwrap(), Ready::lasting(edits).into(), "{values:?}");
    }
}

#[test]
fn a_request_never_goes_without_its_key() {
    let field = ("pattern/fields/0/field_name", "api_key");
    let in_header = ("pattern/fields/0/header_name", "X-Key");
    let app = ("account/app_key", "a");
    for values in [
        vec![],
        vec![(KEY, "")],
        vec![(KEY, "k\n")],
        vec![field],
        vec![field, in_header],
        vec![field, in_header, OTHER[0], OTHER[1], app],
        vec![field, OTHER[0], OTHER[1], app],
        vec![OTHER[0], OTHER[1]],
    ] {
        let refusal = authorize(&values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(KEY), "{values:?}");
    }
}

#[test]
fn a_broken_key_is_found_before_it_is_saved() {
    let validate = |values| ApiKey::validate(&Context::fixed(0, 0), &Account::of(values));
    assert_eq!(validate(&[]), []);
    assert_eq!(validate(&[(KEY, "k")]), []);
    assert_eq!(validate(&[(KEY, "ключ")]).len(), 1);
}
