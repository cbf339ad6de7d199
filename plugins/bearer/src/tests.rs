//! Values in, edits or refusals out.

use countersign_plugin::{Edit, Reason};

use super::*;

fn authorize(values: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    Bearer::authorize(&Context::fixed(0, 0), &Account::of(values), None, &[])
}

#[test]
fn the_token_goes_where_the_pattern_says() {
    let placed = [
        (TOKEN, "t0k"),
        ("pattern/fields/0/field_name", "token"),
        ("pattern/fields/0/header_name", "X-Token"),
    ];
    let beside = [
        (TOKEN, "t0k"),
        ("pattern/fields/0/field_name", "token"),
        ("pattern/fields/1/field_name", "key"),
        ("pattern/fields/1/query_name", "k"),
        ("account/key", "v"),
    ];
    for (values, edits) in [
        (&[(TOKEN, "t0k")][..], vec![Edit::header("authorization", "Bearer t0k")]),
        (
            &[(TOKEN, "t0k"), (header::OVERRIDE, "X-Auth")],
            vec![Edit::header("X-Auth", "Bearer t0k")],
        ),
        (&placed, vec![Edit::header("X-Token", "t0k")]),
        (&beside, vec![Edit::header("authorization", "Bearer t0k"), Edit::query("k", "v")]),
    ] {
        assert_eq!(authorize(values).unwrap(), Ready::lasting(edits).into());
    }
}

#[test]
fn a_missing_or_broken_token_is_refused_by_name() {
    for values in [&[][..], &[(TOKEN, "")], &[(TOKEN, "a\r\nX: y")]] {
        let refusal = authorize(values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(TOKEN));
    }
}

#[test]
fn a_broken_token_is_found_before_it_is_saved() {
    let validate = |values| Bearer::validate(&Context::fixed(0, 0), &Account::of(values));
    assert_eq!(validate(&[]), []);
    assert_eq!(validate(&[(TOKEN, "t0k")]), []);
    assert_eq!(validate(&[(TOKEN, "t\n")]).len(), 1);
}
