//! The examples of the RFCs, with their client nonces.

use super::*;
use crate::{
    algorithm::Algorithm,
    challenge::{Challenge, Found, strongest},
};

const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const OPAQUE: &str = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const MUFASA: Login<'_> = Login { username: "Mufasa", password: "Circle of Life" };

fn session(challenge: &str, cnonce: &str) -> Session {
    let header = ("www-authenticate".to_owned(), challenge.to_owned());
    match strongest(&[header]) {
        Found::Usable(challenge, _) => Session::new(challenge, cnonce.to_owned()),
        other => panic!("{other:?}"),
    }
}

fn get(uri: &str) -> Message<'_> {
    Message { method: "GET", uri, body: None }
}

/// RFC 7616, section 3.9.1.
#[test]
fn the_example_of_rfc_7616_has_its_answers() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
             algorithm={algorithm}, nonce=\"{NONCE}\", opaque=\"{OPAQUE}\""
        );
        let session = session(&challenge, "");
        let sent = credential(&session, 1, CNONCE, &MUFASA, &get("/dir/index.html"));
        assert_eq!(
            sent,
            format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"{NONCE}\", \
                 uri=\"/dir/index.html\", algorithm={algorithm}, qop=auth, nc=00000001, \
                 cnonce=\"{CNONCE}\", response=\"{response}\", opaque=\"{OPAQUE}\""
            )
        );
    }
}

/// RFC 7616, section 3.9.2, with the two values of erratum 4897: those of the text are cut off a SHA-512.
#[test]
fn the_example_of_a_hashed_user_name_has_its_answer() {
    let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
        nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
        opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true";
    let login = Login { username: "J\u{e4}s\u{f8}n Doe", password: "Secret, or not?" };
    let session = session(challenge, "");
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let sent = credential(&session, 1, cnonce, &login, &get("/doe.json"));
    for part in [
        "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
        "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"",
        ", userhash=true",
    ] {
        assert!(sent.contains(part), "{part} is not in {sent}");
    }
}

/// RFC 2617, section 3.5, whose challenge names no algorithm.
#[test]
fn the_example_of_rfc_2617_has_its_answer() {
    let challenge = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let login = Login { username: "Mufasa", password: "Circle Of Life" };
    let session = session(challenge, "");
    let sent = credential(&session, 1, "0a4f113b", &login, &get("/dir/index.html"));
    assert!(sent.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{sent}");
    assert!(!sent.contains("algorithm"), "{sent}");
}

#[test]
fn a_user_name_beyond_ascii_goes_as_the_server_can_read_it() {
    let login = Login { username: "J\u{e4}s\"n", password: "p" };
    for (more, expected) in [
        // The bytes of UTF-8, each as one character.
        ("", "username=\"J\u{c3}\u{a4}s\\\"n\""),
        (", charset=UTF-8", "username*=UTF-8''J%C3%A4s%22n"),
    ] {
        let challenge = format!("Digest realm=\"r\", nonce=\"n\", qop=auth{more}");
        let sent = credential(&session(&challenge, ""), 1, "c", &login, &get("/"));
        assert!(sent.starts_with(&format!("Digest {expected}, realm")), "{sent}");
    }
}

#[test]
fn the_key_of_a_session_stays_while_the_nonce_moves() {
    let challenge = "Digest realm=\"r\", nonce=\"n1\", qop=auth, algorithm=MD5-sess";
    let mut session = session(challenge, "c1");
    session.challenge.nonce = "n2".to_owned();
    let sent = credential(&session, 2, "c2", &MUFASA, &get("/"));
    let hash = Algorithm::UNNAMED.hash;
    let key = hash.of(&[hash.of(&[b"Mufasa", b"r", b"Circle of Life"]).as_bytes(), b"n1", b"c1"]);
    let covered = hash.of(&[b"GET", b"/"]);
    let response =
        hash.of(&[key.as_bytes(), b"n2", b"00000002", b"c2", b"auth", covered.as_bytes()]);
    assert!(sent.contains(&format!("response=\"{response}\"")), "{sent}");
}

#[test]
fn a_realm_is_hashed_as_the_bytes_that_came() {
    let challenge = Challenge {
        realm: "\u{e4}".to_owned(),
        ..session("Digest realm=\"r\", nonce=\"n\", qop=auth, userhash=true", "").challenge
    };
    let session = Session::new(challenge, String::new());
    let sent = credential(&session, 1, "c", &MUFASA, &get("/"));
    let hashed = Algorithm::UNNAMED.hash.of(&[b"Mufasa", b"\xe4"]);
    assert!(sent.starts_with(&format!("Digest username=\"{hashed}\"")), "{sent}");
}
