//! What moves a digest, and what must not.

use std::fs;

use super::*;
use crate::plugins::{GUESTS, root};

#[test]
fn bytes_cannot_move_from_one_part_into_the_next() {
    let of = |parts: &[(&str, &str)]| {
        let mut input = Input::default();
        for (name, bytes) in parts {
            input.part(name, bytes.as_bytes());
        }
        input.finish()
    };
    let digests = [
        of(&[("a", "bc")]),
        of(&[("ab", "c")]),
        of(&[("a", "b"), ("", "c")]),
        of(&[("a", "b"), ("c", "")]),
    ];
    let distinct: BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

#[test]
fn a_file_counts_with_its_name_and_bytes_but_tests_do_not() {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(root.path().join("p").join(name), text).unwrap();
    let of = || {
        let mut input = Input::default();
        input.folder(root.path(), Path::new("p")).unwrap();
        input.finish()
    };
    fs::create_dir_all(root.path().join("p/tests")).unwrap();
    write("lib.rs", "fn a() {}");
    let first = of();
    write("tests.rs", "x");
    write("tests/a.rs", "x");
    write("notes.txt", "x");
    assert_eq!(of(), first);
    write("lib.rs", "fn b() {}");
    let second = of();
    assert_ne!(second, first);
    fs::rename(root.path().join("p/lib.rs"), root.path().join("p/other.rs")).unwrap();
    assert_ne!(of(), second);
}

#[test]
fn only_the_profiles_of_guests_count() {
    let manifest = "[profile.dev]\ndebug = 1\n[profile.release]\nlto = true\n# why\n\n\
                    [profile.guest]\nstrip = true\n[profile.bench]\nx = 1\n";
    let kept = "[profile.release]\nlto = true\n[profile.guest]\nstrip = true\n";
    assert_eq!(profiles(manifest), kept);
}

#[test]
fn a_package_is_named_without_its_folder() {
    assert_eq!(package("sdk v0.1.0 (/somewhere/sdk)\tflow"), "sdk v0.1.0 flow");
    assert_eq!(package("serde v1.0.0\talloc,std"), "serde v1.0.0 alloc,std");
}

#[test]
fn a_guest_counts_its_own_packages_alone() {
    let of = |name| {
        let guest = GUESTS.iter().find(|guest| guest.name == name).unwrap();
        packages(root(), guest).unwrap()
    };
    assert!(of("oauth").contains("\nsha2 "));
    assert!(!of("bearer").contains("\nsha2 "), "the features of another guest leak in");
}
