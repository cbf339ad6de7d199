//! Values in, edits or refusals out: plain functions, without a sandbox.

use countersign_plugin::Reason;

use super::*;

const NOW: u64 = 1_700_000_000_000;

fn authorize(now: u64, values: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    AcmeAuth::authorize(&Context::fixed(now, 0), &Account::of(values), None, &[])
}

#[test]
fn each_second_has_its_own_signature() {
    for (now, time, signature) in [
        (NOW, "1700000000", "QyK72YmVTvMrey+26aB8L4xgr6loZRyRq88qZOG1R+M="),
        (NOW + 999, "1700000000", "QyK72YmVTvMrey+26aB8L4xgr6loZRyRq88qZOG1R+M="),
        (0, "0", "bY3vdFdzrU8LpyUV3qoADx8I4AgzkgQsYhhoCQIVZxw="),
    ] {
        let credential = format!("SIGNED id=key-7, time={time}, signature={signature}");
        let edits = vec![Edit::header("authorization", &credential)];
        let found = authorize(now, &[(KEY_ID, "key-7"), (SECRET, "a-made-up-secret")]);
        assert_eq!(found.unwrap(), Ready::once(edits).into());
    }
}

#[test]
fn a_missing_or_broken_value_is_refused_by_name() {
    for (values, field) in [
        (&[(SECRET, "a-made-up-secret")][..], KEY_ID),
        (&[(KEY_ID, "key-7\r\n"), (SECRET, "a-made-up-secret")], KEY_ID),
        (&[(KEY_ID, "key-7")], SECRET),
        (&[(KEY_ID, "key-7"), (SECRET, "cut-off")], SECRET),
    ] {
        let refusal = authorize(NOW, values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
}

#[test]
fn a_secret_that_was_cut_off_is_refused_before_it_is_saved() {
    for (secret, refused) in [("cut-off", true), ("a-made-up-secret", false)] {
        let found = AcmeAuth::validate(&Context::fixed(NOW, 0), &Account::of(&[(SECRET, secret)]));
        assert_eq!(!found.is_empty(), refused, "{secret}");
    }
}
