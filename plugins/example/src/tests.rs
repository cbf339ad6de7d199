//! Values in, edits or refusals out.

use countersign_plugin::Reason;

use super::*;

fn authorize(now: u64, values: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    TimestampedKey::authorize(&Context::fixed(now, 0), &Account::of(values), None, &[])
}

#[test]
fn each_moment_has_its_own_pair_of_headers() {
    for (now, stamped) in [(0, "0.k"), (1_999, "1.k"), (2_000, "2.k")] {
        let edits = vec![Edit::header("x-client", "c"), Edit::header("x-client-key", stamped)];
        assert_eq!(authorize(now, &[(ID, "c"), (KEY, "k")]).unwrap(), Ready::once(edits).into());
    }
}

#[test]
fn a_missing_or_broken_value_is_refused_by_name() {
    for (values, field) in [
        (&[(KEY, "k")][..], ID),
        (&[(ID, "c")], KEY),
        (&[(ID, "c\r\n"), (KEY, "k")], ID),
        (&[(ID, "c"), (KEY, "k\0")], KEY),
    ] {
        let refusal = authorize(0, values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
}
