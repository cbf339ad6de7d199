//! How an operator narrows what a plugin asks for.

use super::*;

#[test]
fn a_policy_leaves_only_what_both_grant() {
    let wide =
        needs(&["read account/token", "write header/x-*", "send bare", "write path", "read body"]);
    let policy = needs(&[
        "read body/sha-256",
        "write header/x-api-*",
        "write header/authorization",
        "read account/token",
    ]);
    for narrowed in [wide.narrowed(&policy), policy.narrowed(&wide)] {
        let granted = narrowed.resolve(&Values::default());
        assert!(granted.may_read("account/token"));
        assert!(granted.may_read("body/sha-256") && !granted.may_read("body/bytes"));
        assert!(granted.may_write_header(&header("x-api-key")));
        assert!(!granted.may_write_header(&header("x-other")));
        assert!(!granted.may_write_header(&header("authorization")));
        assert!(!granted.send_bare() && !granted.may_write_path());
    }
    let twice = wide.narrowed(&wide.narrowed(&policy)).resolve(&Values::default());
    assert!(!twice.may_write_path() && !twice.may_write_header(&header("x-other")));
    assert!(wide.resolve(&Values::default()).may_write_path());
}

#[test]
fn a_policy_without_entries_leaves_nothing() {
    let granted = needs(&["read account/token", "send bare", "write path"]).narrowed(&needs(&[]));
    let granted = granted.resolve(&Values::default());
    assert!(
        !granted.may_read("account/token") && !granted.send_bare() && !granted.may_write_path()
    );
}
