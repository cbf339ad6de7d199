//! Which header, and which values.

use super::*;
use crate::Reason;

#[test]
fn the_credential_goes_to_the_header_that_the_pattern_names() {
    for (values, name) in [
        (&[][..], "authorization"),
        (&[(OVERRIDE, "X-API-Key")][..], "X-API-Key"),
        (&[(OVERRIDE, "")][..], "authorization"),
    ] {
        let edit = credential(&Account::of(values), "account/token", "Bearer ", "t0k").unwrap();
        assert_eq!(edit, Edit::header(name, "Bearer t0k"));
    }
}

#[test]
fn a_value_that_no_header_can_carry_is_refused_by_name() {
    for value in
        ["a\r\nX: y", "a\n", "a\r", "a\tb", "\0", "a\u{7f}", "a\u{1b}", "a\u{10a}", "ключ", "😀"]
    {
        let refusal = credential(&Account::of(&[]), "account/token", "", value).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some("account/token"));
        assert!(!refusal.message.contains(value), "the value is in the message");
    }
}

#[test]
fn latin_1_passes() {
    for value in ["", "a b c", "~!", "\u{80}\u{ff}é"] {
        assert_eq!(check("x", value), Ok(()));
    }
}
