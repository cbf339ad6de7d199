//! Master keys: lost, wrong, half made, elsewhere, and replaced.

use countersign::random::SystemRandom;
use countersign_vault::key::{KeySource, MasterKey};

use crate::process::{Process, run};

#[test]
fn a_key_that_is_lost_is_named_and_none_is_made_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    Process::serve(folder.path(), &[]).stop();
    let file = folder.path().join("master.key");
    let key = KeySource::File(file.clone()).read().unwrap();
    std::fs::rename(&file, folder.path().join("away")).unwrap();
    let data = folder.path().to_str().unwrap();
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["client", "list"]] {
        let ended = run(&[arguments, &["--data", data]].concat());
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains("error[master_key_unusable]"), "{}", ended.err);
        assert!(ended.err.contains(key.id().as_str()), "{}", ended.err);
        assert!(ended.err.contains("master.key is not there"), "{}", ended.err);
        assert!(!file.exists());
    }
    let away = format!("master_keys=file:{data}/away");
    Process::serve(folder.path(), &["--set", &away]).stop();
}

#[test]
fn a_wrong_key_is_told_from_a_damaged_database() {
    let folder = tempfile::tempdir().unwrap();
    Process::serve(folder.path(), &[]).stop();
    let file = folder.path().join("master.key");
    let needed = KeySource::File(file.clone()).read().unwrap();
    std::fs::remove_file(&file).unwrap();
    let wrong = MasterKey::create_file(&file, &SystemRandom).unwrap();
    let ended = Process::begin(folder.path(), &[], &[]).ended();
    assert_eq!(ended.code, Some(1));
    for told in ["error[master_key_unusable]", needed.id().as_str(), wrong.id().as_str()] {
        assert!(ended.err.contains(told), "{told}: {}", ended.err);
    }
    std::fs::write(&file, "canary").unwrap();
    let ended = Process::begin(folder.path(), &[], &[]).ended();
    assert!(ended.err.contains("error[master_key_unusable]") && ended.err.contains("master.key"));
    assert!(!ended.err.contains("canary"));
}

/// A start that broke off while it wrote the key.
#[test]
fn half_a_key_is_no_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("master.key.new"), "ha").unwrap();
    Process::serve(folder.path(), &[]).stop();
    assert!(!folder.path().join("master.key.new").exists());
    KeySource::File(folder.path().join("master.key")).read().unwrap();
}

#[test]
fn a_key_of_the_environment_leaves_none_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::generate(&SystemRandom).unwrap().to_text();
    let variables = [
        ("COUNTERSIGN_MASTER_KEYS", "env:COUNTERSIGN_MASTER_KEY"),
        ("COUNTERSIGN_MASTER_KEY", &*key),
    ];
    let ended = Process::serve_with(folder.path(), &[], &variables).stop();
    assert_eq!(ended.code, Some(0));
    assert!(!folder.path().join("master.key").exists());
    assert!(!ended.err.contains("master key was made") && !ended.err.contains(&**key));
}

#[test]
fn a_master_key_is_replaced_in_three_steps() {
    let folder = tempfile::tempdir().unwrap();
    Process::serve(folder.path(), &[]).stop();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, new) = (folder.path().to_str().unwrap(), path("new.key"));
    let made = run(&["vault", "key", &new]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert_ne!(run(&["vault", "key", &new]).code, Some(0), "it was replaced");
    let both = format!("master_keys=file:{new},file:{}", path("master.key"));
    let alone = format!("master_keys=file:{new}");
    for keys in [&both, &alone] {
        let rotated = run(&["vault", "rotate", "--data", data, "--set", keys]);
        assert_eq!(rotated.code, Some(0), "{}", rotated.err);
        assert!(rotated.out.contains("sealed anew"), "{}", rotated.out);
    }
    Process::serve(folder.path(), &["--set", &alone]).stop();
    let old = Process::begin(folder.path(), &[], &[]).ended();
    assert!(old.err.contains("error[master_key_unusable]"), "{}", old.err);
}
