use super::*;

fn pair(name: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [&name.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
}

fn list(pairs: &[(u16, &[u8])]) -> Vec<u8> {
    pairs.iter().flat_map(|(name, value)| pair(*name, value)).chain([0; 4]).collect()
}

#[test]
fn what_a_server_says_is_given_back_as_it_came_with_what_is_not_known() {
    for pairs in [
        &[][..],
        &[(2, &b"D\0"[..]), (1, b"S\0")],
        &[(TIMESTAMP, &b"8 bytes."[..]), (0xffff, b""), (FLAGS, &[1, 0, 0, 0]), (99, &[0; 300])],
    ] {
        let bytes = list(pairs);
        assert_eq!(Target::parse(&bytes).unwrap().write(), bytes);
        // Some fill up with zeros.
        assert_eq!(Target::parse(&[&bytes[..], &[0; 4]].concat()).unwrap().write(), bytes);
    }
}

#[test]
fn a_list_that_is_malformed_anywhere_is_none() {
    let twice = list(&[(1, b"S\0"), (2, b"D\0"), (1, b"S\0")]);
    let behind = [list(&[(1, b"S\0")]), pair(2, b"D\0")].concat();
    for (bytes, why) in [
        (&b""[..], "no end"),
        (&[0, 0, 0], "no end"),
        (&pair(1, b"S\0"), "no end"),
        (&[1, 0, 3, 0, b'S', 0], "goes past"),
        (&[1, 0, 0xff, 0xff], "goes past"),
        (&[0, 0, 1, 0, 0], "goes on behind"),
        (&behind, "goes on behind"),
        (&twice, "twice"),
        (&list(&[(FLAGS, &[0; 3])]), "flags"),
        (&list(&[(FLAGS, &[0; 8])]), "flags"),
        (&list(&[(TIMESTAMP, &[0; 7])]), "time"),
        (&list(&[(TIMESTAMP, b"")]), "time"),
    ] {
        let refused = Target::parse(bytes).unwrap_err();
        assert!(refused.contains(why), "{bytes:?}: {refused}");
    }
}

#[test]
fn that_there_is_a_code_is_said_beside_what_the_server_had_said() {
    let with_code = |pairs: &[(u16, &[u8])]| Target::parse(&list(pairs)).unwrap().with_code();
    assert_eq!(with_code(&[(1, b"S\0")]).write(), list(&[(1, b"S\0"), (FLAGS, &[2, 0, 0, 0])]));
    let said = with_code(&[(FLAGS, &[1, 0, 8, 0]), (1, b"S\0")]);
    assert_eq!(said.write(), list(&[(FLAGS, &[3, 0, 8, 0]), (1, b"S\0")]));
}
