//! What is written is read again, and nothing else is.

use super::*;

fn session(algorithm: Option<&str>, opaque: Option<&str>) -> Session {
    let challenge = Challenge {
        algorithm: algorithm.map(|name| Algorithm::parse(name).unwrap()),
        protection: Protection::AuthInt,
        userhash: true,
        utf8: false,
        realm: "a \u{e4} \" realm".to_owned(),
        nonce: String::new(),
        opaque: opaque.map(str::to_owned),
    };
    Session { count: 7, ..Session::new(challenge, "c".to_owned()) }
}

#[test]
fn a_session_comes_back_as_it_was_kept() {
    for (algorithm, opaque) in [
        (None, None),
        (Some("MD5"), Some("")),
        (Some("SHA-512-256"), Some("=o")),
        (Some("SHA-256-sess"), None),
    ] {
        let kept = session(algorithm, opaque);
        assert_eq!(Session::read(&kept.write()), Some(kept));
    }
    let sent = Sent { fresh: true, realm: "r r".to_owned(), nonce: "n".to_owned() };
    assert_eq!(Sent::read(&sent.write()), Some(sent));
}

#[test]
fn what_is_no_session_is_none() {
    let good = String::from_utf8(session(Some("SHA-256-sess"), None).write()).unwrap();
    assert!(Session::read(good.as_bytes()).is_some());
    for (memo, what) in [
        (String::new(), "empty"),
        (good.replacen('1', "2", 1), "of another version"),
        (good.replace("\n7\n", "\n-7\n"), "a count below nothing"),
        (good.replace("\n7\n", &format!("\n{}\n", u32::MAX)), "a count without a next"),
        (good.replace("-sess", ""), "a key of a session, and no session"),
        (good.replace("SHA-256", "SHA-1"), "an unknown digest"),
        (good.replace("auth-int", "auth-conf"), "an unknown protection"),
        (format!("{good}\nmore"), "a line too many"),
    ] {
        assert_eq!(Session::read(memo.as_bytes()), None, "{what}");
    }
    assert_eq!(Session::read(&[0xff]), None);
    assert_eq!(Sent::read(b""), None);
}
