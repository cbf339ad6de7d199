//! What opens, and what does not.

use countersign::random::SeededRandom;

use super::*;

fn origins() -> [String; 2] {
    ["https://api.example.com".to_owned(), "https://login.example.com".to_owned()]
}

fn seat(origins: &[String]) -> Seat<'_> {
    Seat { table: "accounts", column: "details", row: vec!["ca_1", "conn_1", "u1"], origins }
}

fn key(number: u32) -> DataKey {
    let random = SeededRandom::new(number.into());
    let master = MasterKey::generate(&SeededRandom::new(99)).unwrap();
    DataKey::generate(number, &master, &random).unwrap().0
}

#[test]
fn a_value_opens_in_its_own_seat_and_in_no_other() {
    let (key, origins) = (key(7), origins());
    let seat = seat(&origins);
    let sealed = key.seal(&seat, b"canary").unwrap();
    assert_eq!(number_of(&sealed), Some(7));
    assert_eq!(&key.open(&seat, &sealed).unwrap()[..], b"canary");
    let fewer = &origins[..1];
    let joined = [origins.concat()];
    let swapped = [origins[1].clone(), origins[0].clone()];
    let with_row = |row: &[&'static str]| Seat { row: row.to_vec(), ..seat.clone() };
    let shifted = ["u1".to_owned(), origins[0].clone(), origins[1].clone()];
    for other in [
        Seat { table: "states", ..seat.clone() },
        Seat { column: "state", ..seat.clone() },
        Seat { origins: fewer, ..seat.clone() },
        Seat { origins: &joined, ..seat.clone() },
        Seat { origins: &swapped, ..seat.clone() },
        with_row(&["ca_2", "conn_1", "u1"]),
        with_row(&["ca_1", "conn_1", "u2"]),
        // The same texts, cut or counted elsewhere.
        with_row(&["ca_1", "conn_1u", "1"]),
        Seat { origins: &shifted, ..with_row(&["ca_1", "conn_1"]) },
    ] {
        assert_eq!(key.open(&other, &sealed).err(), Some(DoesNotOpen));
    }
}

#[test]
fn a_value_that_was_changed_anywhere_does_not_open() {
    let (key, origins) = (key(7), origins());
    let sealed = key.seal(&seat(&origins), b"canary").unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key.open(&seat(&origins), &changed).is_err(), "byte {at}");
        assert!(key.open(&seat(&origins), &sealed[..at]).is_err(), "the first {at} bytes");
    }
}

#[test]
fn a_value_shows_nothing_and_is_never_sealed_twice_alike() {
    let (key, origins) = (key(7), origins());
    let first = key.seal(&seat(&origins), b"canary").unwrap();
    let second = key.seal(&seat(&origins), b"canary").unwrap();
    assert_ne!(first, second);
    assert!(!first.windows(6).any(|it| it == b"canary"));
}

#[test]
fn a_data_key_opens_under_its_master_key_alone_and_moves_to_another() {
    let [one, two] = [1, 2].map(|n| MasterKey::generate(&SeededRandom::new(n)).unwrap());
    let (key, wrapped) = DataKey::generate(3, &one, &SeededRandom::new(9)).unwrap();
    let origins = origins();
    let sealed = key.seal(&seat(&origins), b"canary").unwrap();
    assert!(DataKey::unwrap(3, &wrapped, &two).is_err());
    assert!(DataKey::unwrap(4, &wrapped, &one).is_err(), "it is another number's");
    let moved = DataKey::rewrap(3, &wrapped, &one, &two).unwrap();
    assert!(DataKey::unwrap(3, &moved, &one).is_err());
    let again = DataKey::unwrap(3, &moved, &two).unwrap();
    assert_eq!(&again.open(&seat(&origins), &sealed).unwrap()[..], b"canary");
}
