//! What makes a certificate, what does not, and who shares a connection.

use super::*;

/// A certificate under its own key, and the key.
fn pair() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn parse(chain: &str, key: &str, holder: &[&str]) -> Result<ClientCertificate, CertificateError> {
    let names = ["account/certificate", "account/private_key"];
    ClientCertificate::parse(names, &Secret::from(chain), &Secret::from(key), holder)
}

#[test]
fn a_chain_and_its_key_make_a_certificate_and_nothing_else_does() {
    let ((chain, key), (other, other_key)) = (pair(), pair());
    let both = format!("{chain}{other}");
    assert_eq!(parse(&both, &key, &[]).unwrap().certified().cert.len(), 2);
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let torn = chain.replace("-----END", "-----");
    for (chain, key, name, flaw) in [
        ("", &*key, "account/certificate", CertificateFlaw::Chain),
        ("no PEM", &key, "account/certificate", CertificateFlaw::Chain),
        (broken, &key, "account/certificate", CertificateFlaw::Chain),
        (&torn, &key, "account/certificate", CertificateFlaw::Chain),
        (&key, &key, "account/certificate", CertificateFlaw::Chain),
        (&chain, "", "account/private_key", CertificateFlaw::Key),
        (&chain, "no PEM", "account/private_key", CertificateFlaw::Key),
        (&chain, &chain, "account/private_key", CertificateFlaw::Key),
        (&chain, &encrypted, "account/private_key", CertificateFlaw::Key),
        (&chain, &other_key, "account/private_key", CertificateFlaw::Mismatch),
        // The first is its own.
        (&format!("{other}{chain}"), &key, "account/private_key", CertificateFlaw::Mismatch),
    ] {
        let error = parse(chain, key, &[]).err().unwrap();
        assert_eq!((&*error.name, error.flaw), (name, flaw), "{chain}");
        assert!(error.to_string().starts_with(&format!("`{name}` is")), "{error}");
    }
}

#[test]
fn only_one_holder_of_one_certificate_shares_connections_with_itself() {
    let (chain, key) = pair();
    let identity = |chain: &str, key: &str, holder: &[&str]| {
        parse(chain, key, holder).map(|it| it.identity()).unwrap()
    };
    let ours = identity(&chain, &key, &["c", "a"]);
    assert!(ours == identity(&chain, &key, &["c", "a"]));
    let (other, other_key) = pair();
    for other in [
        identity(&chain, &key, &["c", "b"]),
        identity(&chain, &key, &["ca", ""]),
        identity(&chain, &key, &["c"]),
        identity(&format!("{chain}{other}"), &key, &["c", "a"]),
        identity(&other, &other_key, &["c", "a"]),
    ] {
        assert!(ours != other);
    }
}
