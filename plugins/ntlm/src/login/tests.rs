use countersign_plugin::Reason;

use super::*;

fn of(values: &[(&str, &str)]) -> Result<(String, String), Refusal> {
    let given = [&[(PASSWORD, "p")], values].concat();
    let account = Account::of(&given);
    Login::of(&account).map(|it| (it.user.to_owned(), it.domain.to_owned()))
}

#[test]
fn a_domain_is_taken_from_wherever_it_is_said() {
    for (username, domain, user, of_it) in [
        ("User", "", "User", ""),
        ("User", "Domain", "User", "Domain"),
        ("Domain\\User", "", "User", "Domain"),
        ("Domain\\User", "DOMAIN", "User", "Domain"),
        // A principal's name goes whole: its domain is the server's to find.
        ("user@example.com", "", "user@example.com", ""),
        ("user@example.com", "Domain", "user@example.com", "Domain"),
        (".\\User", "", "User", "."),
    ] {
        let found = of(&[(USERNAME, username), (DOMAIN, domain)]).unwrap();
        assert_eq!(found, (user.to_owned(), of_it.to_owned()), "{username} {domain}");
    }
}

#[test]
fn what_a_message_cannot_carry_is_refused_by_name() {
    let long = "x".repeat(1025);
    let pairs = "\u{10000}".repeat(513);
    for (values, field) in [
        (&[][..], USERNAME),
        (&[(USERNAME, "")], USERNAME),
        (&[(USERNAME, "\\User")], USERNAME),
        (&[(USERNAME, "Domain\\")], USERNAME),
        (&[(USERNAME, "a\\b\\c")], USERNAME),
        (&[(USERNAME, &long)], USERNAME),
        (&[(USERNAME, &pairs)], USERNAME),
        (&[(USERNAME, "a\n")], USERNAME),
        (&[(USERNAME, "A\\u"), (DOMAIN, "B")], DOMAIN),
        (&[(USERNAME, "u"), (DOMAIN, "B\0")], DOMAIN),
        (&[(USERNAME, "u"), (DOMAIN, &long)], DOMAIN),
        (&[(USERNAME, "u"), (WORKSTATION, &long)], WORKSTATION),
        (&[(USERNAME, "u"), (WORKSTATION, "\u{7f}")], WORKSTATION),
    ] {
        let refusal = of(values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field), "{values:?}");
    }
    for password in ["", "p\r"] {
        let account = Account::of(&[(USERNAME, "u"), (PASSWORD, password)]);
        let refusal = Login::of(&account).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some(PASSWORD));
    }
    assert!(of(&[(USERNAME, &"x".repeat(1024))]).is_ok());
}

#[test]
fn every_value_that_is_there_is_judged_and_a_missing_one_is_not() {
    let problems = |values: &[(&str, &str)]| super::problems(&Account::of(values)).len();
    assert_eq!(problems(&[]), 0);
    assert_eq!(problems(&[(USERNAME, "\\u"), (PASSWORD, "\n"), (WORKSTATION, "\n")]), 3);
    assert_eq!(problems(&[(USERNAME, "A\\u"), (DOMAIN, "B")]), 1);
}
