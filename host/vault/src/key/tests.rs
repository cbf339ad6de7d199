//! Master keys, and the places that they come from.

use countersign::random::SeededRandom;

use super::*;

#[test]
fn a_key_reads_back_as_itself_and_has_an_id_that_does_not_hold_it() {
    let key = MasterKey::generate(&SeededRandom::new(1)).unwrap();
    let text = key.to_text();
    let again = MasterKey::parse(&format!(" {}\n", *text)).unwrap();
    assert_eq!(again.bytes(), key.bytes());
    assert_eq!(again.id(), key.id());
    let other = MasterKey::generate(&SeededRandom::new(2)).unwrap();
    assert_ne!(other.id(), key.id());
    assert_eq!(key.id().as_str().len(), 16);
    let id = u64::from_str_radix(key.id().as_str(), 16).unwrap().to_be_bytes();
    assert!(!key.bytes().windows(8).any(|part| part == id));
}

#[test]
fn what_is_no_key_is_refused_without_being_shown() {
    let canary = "canarycanarycanarycanarycanarycanarycanary!";
    for text in ["", "short", canary, &"A".repeat(44), &"é".repeat(21)] {
        let error = MasterKey::parse(text).err().expect("refused");
        assert!(matches!(error, KeyError::Malformed));
        assert!(!error.to_string().contains("canary"));
    }
}

#[cfg(unix)]
#[test]
fn a_file_is_made_for_its_owner_alone_and_is_never_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let key = MasterKey::create_file(&path, &SeededRandom::new(1)).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(KeySource::File(path.clone()).read().unwrap().id(), key.id());
    let again = MasterKey::create_file(&path, &SeededRandom::new(2)).err();
    assert!(matches!(again, Some(KeyError::File { .. })));
    assert_eq!(KeySource::File(path.clone()).read().unwrap().id(), key.id());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let exposed = KeySource::File(path.clone()).read().err().expect("refused");
    assert!(exposed.to_string().contains("chmod 600"), "{exposed}");
}

#[test]
fn each_place_that_has_no_key_says_which_it_is() {
    let command =
        |words: &[&str]| KeySource::Command(words.iter().map(|it| (*it).into()).collect());
    for (source, part) in [
        (KeySource::File("/nowhere/master.key".into()), "/nowhere/master.key"),
        (KeySource::Environment("COUNTERSIGN_NO_SUCH_KEY".into()), "COUNTERSIGN_NO_SUCH_KEY"),
        (command(&["/nowhere/program"]), "/nowhere/program"),
        (command(&["false"]), "exit status: 1"),
        (command(&["echo", "canary"]), "43 characters"),
    ] {
        let error = source.read().err().expect("refused").to_string();
        assert!(error.contains(part) && !error.contains("canary"), "{error}");
    }
}

#[test]
fn a_command_may_print_the_key() {
    let key = MasterKey::generate(&SeededRandom::new(1)).unwrap();
    let source = KeySource::Command(vec!["echo".into(), key.to_text().to_string()]);
    assert_eq!(source.read().unwrap().id(), key.id());
}
