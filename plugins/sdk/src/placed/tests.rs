//! Patterns and values in, edits out.

use super::*;
use crate::Reason;

fn placed(values: &[(&str, &str)]) -> Result<Vec<Edit>, Refusal> {
    Placed::of(&Account::of(values)).map(|placed| placed.edits)
}

#[test]
fn each_field_goes_where_it_says_in_the_order_of_the_pattern() {
    let edits = placed(&[
        ("pattern/fields/0/field_name", "domain"),
        ("account/domain", "acme.example"),
        ("pattern/fields/1/field_name", "app_id"),
        ("pattern/fields/1/header_name", "X-App"),
        ("account/app_id", "app"),
        ("pattern/fields/2/field_name", "key"),
        ("pattern/fields/2/query_name", "api key"),
        ("account/key", "k&"),
        ("pattern/fields/10/field_name", "session"),
        ("pattern/fields/10/cookie_name", "sid"),
        ("account/session", "s"),
        ("pattern/account_fields/0/field_name", "tenant"),
        ("pattern/account_fields/0/header_name", "X-Tenant"),
        ("account/tenant", "t"),
    ]);
    let expected = [
        Edit::header("X-App", "app"),
        Edit::query("api key", "k&"),
        Edit::cookie("sid", "s"),
        Edit::header("X-Tenant", "t"),
    ];
    assert_eq!(edits.unwrap(), expected);
}

#[test]
fn one_field_may_go_to_several_places() {
    let edits = placed(&[
        ("pattern/fields/0/field_name", "key"),
        ("pattern/fields/0/header_name", "X-Key"),
        ("pattern/fields/0/query_name", "key"),
        ("account/key", "k"),
    ]);
    assert_eq!(edits.unwrap(), [Edit::header("X-Key", "k"), Edit::query("key", "k")]);
}

#[test]
fn an_empty_field_is_left_out_unless_it_is_required() {
    for (required, value) in [("false", ""), ("false", "-"), ("true", ""), ("true", "-")] {
        let mut values = vec![
            ("pattern/fields/0/field_name", "key"),
            ("pattern/fields/0/header_name", "X-Key"),
            ("pattern/fields/0/required", required),
        ];
        if value.is_empty() {
            values.push(("account/key", ""));
        }
        match (required, placed(&values)) {
            ("false", Ok(edits)) => assert_eq!(edits, []),
            ("true", Err(refusal)) => {
                assert_eq!(refusal.reason, Reason::InvalidConfig);
                assert_eq!(refusal.field.as_deref(), Some("account/key"));
            }
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_value_that_no_header_can_carry_is_refused_but_may_go_into_a_query() {
    for (place, fits) in [("header_name", false), ("cookie_name", false), ("query_name", true)] {
        let place = ["pattern/fields/0/", place].concat();
        let values =
            [("pattern/fields/0/field_name", "key"), (&place, "k"), ("account/key", "a\r\nb")];
        assert_eq!(placed(&values).is_ok(), fits, "{place}");
    }
}

#[test]
fn it_knows_which_fields_there_are_and_which_are_placed() {
    let account = Account::of(&[
        ("pattern/fields/0/field_name", "a"),
        ("pattern/fields/1/field_name", "b"),
        ("pattern/fields/1/header_name", "B"),
    ]);
    let placed = Placed::of(&account).unwrap();
    assert_eq!(["a", "b", "c"].map(|name| placed.has(name)), [true, true, false]);
    assert_eq!(["a", "b", "c"].map(|name| placed.takes(name)), [false, true, false]);
}
