//! Values in, edits or refusals out.

use countersign_plugin::{Edit, Reason};

use super::*;

fn authorize(values: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    Basic::authorize(&Context::fixed(0, 0), &Account::of(values), None, &[])
}

#[test]
fn user_name_and_password_are_joined_and_encoded() {
    for (values, sent) in [
        // RFC 7617, section 2 and section 2.1.
        (
            &[(USERNAME, "Aladdin"), (PASSWORD, "open sesame")][..],
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (&[(USERNAME, "test"), (PASSWORD, "123£")], "Basic dGVzdDoxMjPCow=="),
        (&[(USERNAME, "key")], "Basic a2V5Og=="),
        (&[(USERNAME, "key"), (PASSWORD, "")], "Basic a2V5Og=="),
        (&[(USERNAME, "a"), (PASSWORD, "b:c")], "Basic YTpiOmM="),
    ] {
        let expected = Ready::lasting(vec![Edit::header("authorization", sent)]).into();
        assert_eq!(authorize(values).unwrap(), expected, "{values:?}");
    }
}

#[test]
fn placed_fields_go_beside_it_and_the_header_may_be_another() {
    let outcome = authorize(&[
        (USERNAME, "key"),
        (header::OVERRIDE, "X-Auth"),
        ("pattern/fields/0/field_name", "tenant"),
        ("pattern/fields/0/header_name", "X-Tenant"),
        ("account/tenant", "t1"),
    ]);
    let edits = vec![Edit::header("X-Auth", "Basic a2V5Og=="), Edit::header("X-Tenant", "t1")];
    assert_eq!(outcome.unwrap(), Ready::lasting(edits).into());
}

#[test]
fn what_the_scheme_cannot_carry_is_refused_by_name() {
    for (values, field) in [
        (&[][..], USERNAME),
        (&[(USERNAME, ""), (PASSWORD, "p")], USERNAME),
        (&[(USERNAME, "a:b"), (PASSWORD, "p")], USERNAME),
        (&[(USERNAME, "a\n")], USERNAME),
        (&[(USERNAME, "a"), (PASSWORD, "p\0")], PASSWORD),
        (&[(USERNAME, "a"), (PASSWORD, "p\u{85}")], PASSWORD),
    ] {
        let refusal = authorize(values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field), "{values:?}");
    }
}

#[test]
fn every_broken_value_is_found_before_it_is_saved() {
    let validate = |values| Basic::validate(&Context::fixed(0, 0), &Account::of(values));
    assert_eq!(validate(&[]), []);
    assert_eq!(validate(&[(USERNAME, "a"), (PASSWORD, "b")]), []);
    assert_eq!(validate(&[(USERNAME, "a:b"), (PASSWORD, "\r")]).len(), 2);
}
