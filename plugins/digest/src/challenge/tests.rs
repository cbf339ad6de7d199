//! Which challenge is answered, and which cannot be.

use super::*;
use crate::algorithm::Hash;

fn found(values: &[&str]) -> Found {
    let header = |value: &&str| ("www-authenticate".to_owned(), (*value).to_owned());
    strongest(&values.iter().map(header).collect::<Vec<_>>())
}

fn digest(more: &str) -> String {
    format!("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"{more}")
}

fn taken(values: &[&str]) -> (String, bool) {
    match found(values) {
        Found::Usable(challenge, stale) => (challenge.algorithm().name(), stale),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_strongest_known_challenge_is_taken_wherever_it_stands() {
    let of = |name: &str| digest(&format!(", algorithm={name}"));
    let (md5, sha256, sha512) = (of("MD5"), of("SHA-256"), of("SHA-512-256"));
    let (sess, unknown) = (of("sha-256-SESS"), of("SHA-1024"));
    for (values, name) in [
        (&[&*md5][..], "MD5"),
        (&[&*digest("")], "MD5"),
        (&[&*md5, &*sha256], "SHA-256"),
        (&[&*sha256, &*md5], "SHA-256"),
        (&[&*format!("Basic realm=\"x\", {md5}, {sha512}, {sha256}")], "SHA-512-256"),
        (&[&*unknown, &*md5], "MD5"),
        (&[&*sess, &*sha256], "SHA-256-sess"),
        (&["Digest realm=\"broken", &*sha256], "SHA-256"),
    ] {
        assert_eq!(taken(values).0, name, "{values:?}");
    }
    assert!(Hash::Md5 < Hash::Sha256 && Hash::Sha256 < Hash::Sha512_256);
}

#[test]
fn only_the_word_true_makes_a_nonce_stale() {
    for (more, expected) in [
        ("", false),
        (", stale=false", false),
        (", stale=TRUE", true),
        (", stale=\"true\"", true),
        (", stale=yes", false),
    ] {
        assert_eq!(taken(&[&digest(more)]).1, expected, "{more}");
    }
}

#[test]
fn the_body_is_covered_only_where_the_server_has_nothing_less() {
    for (qop, expected) in [
        ("auth", Protection::Auth),
        ("auth-int", Protection::AuthInt),
        ("auth-int,auth", Protection::Auth),
        ("other, AUTH-INT", Protection::AuthInt),
    ] {
        let value = format!("Digest realm=\"r\", nonce=\"n\", qop=\"{qop}\"");
        let Found::Usable(challenge, _) = found(&[&value]) else { panic!("{value}") };
        assert_eq!(challenge.protection, expected, "{value}");
    }
}

#[test]
fn what_cannot_be_answered_is_told_from_what_is_not_ours() {
    for values in [&[][..], &["Basic realm=\"x\""], &["Negotiate, NTLM abc="], &["DigestX a=b"]] {
        assert_eq!(found(values), Found::Nothing, "{values:?}");
    }
    let long = format!("Digest realm=\"r\", qop=auth, nonce=\"{}\"", "n".repeat(1600));
    let many = (0..62).map(|nth| format!(", a{nth}=b")).collect::<Vec<_>>().concat();
    assert!(matches!(found(&[&digest(&many[..many.len() - 7])]), Found::Usable(..)));
    let many = digest(&many);
    // In all that there are.
    let one = digest(&format!(", a=\"{}\"", "b".repeat(9 << 10)));
    let Found::Unusable(said) = found(&[&one, &one]) else { panic!("{one}") };
    assert!(said.contains("too long"), "{said}");
    assert!(matches!(found(&[&one]), Found::Usable(..)));
    for (value, why) in [
        ("Digest realm=\"x", "malformed"),
        ("Digest realm=\"r\", nonce=\"n\"", "RFC 2069"),
        ("Digest realm=\"r\", nonce=\"n\", qop=\"other\"", "qop"),
        ("Digest nonce=\"n\", qop=auth", "realm"),
        ("Digest realm=\"r\", qop=auth", "nonce"),
        ("Digest realm=\"r\", nonce=\"n\", qop=auth, Nonce=\"m\"", "twice"),
        ("Digest realm=\"r\", nonce=\"n\", qop=auth, algorithm=SHA-1", "digest"),
        ("Digest realm=\"r\", nonce=\"n\", qop=auth, algorithm=-sess", "digest"),
        (&long, "too long"),
        (&many, "too many"),
    ] {
        let Found::Unusable(said) = found(&[value]) else { panic!("{value}") };
        assert!(said.contains(why), "{value}: {said}");
    }
}
