//! Values in, the names of values or refusals out.

use countersign_plugin::Reason;

use super::*;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

fn authorize(values: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    Mtls::authorize(&Context::fixed(0, 0), &Account::of(values), None, &[])
}

fn presents([certificate, key]: Pair) -> Outcome {
    Ready::lasting(vec![Edit::ClientCertificate((certificate.to_owned(), key.to_owned()))]).into()
}

#[test]
fn the_accounts_certificate_goes_before_the_connections() {
    for (values, pair) in [
        (&[(ACCOUNT[0], PEM)][..], ACCOUNT),
        (&[(CONNECTION[0], PEM)], CONNECTION),
        (&[(ACCOUNT[0], PEM), (CONNECTION[0], PEM)], ACCOUNT),
        (&[(ACCOUNT[0], " \n"), (CONNECTION[0], PEM)], CONNECTION),
        (&[(ACCOUNT[0], &format!("subject=CN = ours\n{PEM}{PEM}"))], ACCOUNT),
    ] {
        assert_eq!(authorize(values).unwrap(), presents(pair));
    }
}

#[test]
fn what_is_no_certificate_is_refused_by_name() {
    for (values, name) in [
        (&[][..], ACCOUNT[0]),
        (&[(ACCOUNT[0], "")], ACCOUNT[0]),
        (&[(ACCOUNT[0], "MIIB")], ACCOUNT[0]),
        (&[(ACCOUNT[0], "MIIB"), (CONNECTION[0], PEM)], ACCOUNT[0]),
        (&[(CONNECTION[0], "-----BEGIN PRIVATE KEY-----")], CONNECTION[0]),
    ] {
        let refusal = authorize(values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(name));
    }
}

#[test]
fn what_is_no_certificate_is_found_before_it_is_saved() {
    let validate = |values| Mtls::validate(&Context::fixed(0, 0), &Account::of(values));
    assert_eq!(validate(&[]), []);
    assert_eq!(validate(&[(ACCOUNT[0], PEM), (CONNECTION[0], "")]), []);
    assert_eq!(validate(&[(ACCOUNT[0], "x"), (CONNECTION[0], "y")]).len(), 2);
}

/// The host shows what is read, and nothing else.
#[test]
fn no_key_is_read() {
    let needs = Mtls::descriptor().needs;
    assert!(needs.iter().all(|(verb, object)| verb != "read" || !object.contains("key")));
    assert_eq!(needs.len(), 6);
}
