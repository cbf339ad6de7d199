//! MS-NLMP, section 4.2.4: a user `User` of the domain `Domain`, with the password `Password`.

use super::*;

/// MS-NLMP, section 4.2.4.1.3, without the zeros behind it.
const TARGET: [u8; 36] = [
    2, 0, 12, 0, b'D', 0, b'o', 0, b'm', 0, b'a', 0, b'i', 0, b'n', 0, //
    1, 0, 12, 0, b'S', 0, b'e', 0, b'r', 0, b'v', 0, b'e', 0, b'r', 0, 0, 0, 0, 0,
];

#[test]
fn the_published_vectors_are_computed() {
    let key = key("User", "Domain", "Password");
    assert_eq!(u128::from_be_bytes(key), 0x0c86_8a40_3bfd_7a93_a300_1ef2_2ef0_2e3f);
    let said = said([0; 8], [0xaa; 8], &TARGET);
    let proof = proof(&key, [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef], &said);
    assert_eq!(u128::from_be_bytes(proof), 0x68cd_0ab8_51e5_1c96_aabc_927b_ebef_6a1c);
    let session = session_key(&key, &proof);
    assert_eq!(u128::from_be_bytes(session), 0x8de4_0cca_dbc1_4a82_f15c_b0ad_0de9_5ca3);
}

#[test]
fn a_users_name_counts_in_capitals_and_a_domains_as_it_is() {
    let of = |user, domain| key(user, domain, "Password");
    assert_eq!(of("User", "Domain"), of("uSER", "Domain"));
    assert_ne!(of("User", "Domain"), of("User", "DOMAIN"));
    assert_eq!(of("jürgen", ""), of("JÜRGEN", ""));
    // What would become two letters stays one.
    assert_eq!(of("weiß", ""), of("WEIß", ""));
    for other in ["WEISS", "WEIS"] {
        assert_ne!(of("weiß", ""), of(other, ""));
    }
    // What has the capital of another letter keeps its own form; by NTFS's table too.
    for (name, capitals) in [
        ("ışık", "ıŞıK"),
        ("İpek", "İPEK"),
        ("µſ", "µſ"),
        ("ϐϑϵẛ", "ϐϑϵẛ"),
        ("ǆǅ", "Ǆǅ"),
        ("Γιώργος", "ΓΙΏΡΓΟΣ"),
        ("жёї", "ЖЁЇ"),
        ("ÿœł", "ŸŒŁ"),
        ("𐐨", "𐐨"),
    ] {
        assert_eq!(name.chars().map(upper).collect::<String>(), capitals);
    }
}

#[test]
fn the_clock_counts_from_1601_in_tenths_of_microseconds() {
    for (now, time) in [
        (0, UNIX_EPOCH),
        // MS-DTYP gives the unit; 2001-09-09T01:46:40Z is 1e9 of Unix.
        (1_000_000_000_000, 126_444_736_000_000_000),
        (u64::MAX, u64::MAX),
    ] {
        assert_eq!(u64::from_le_bytes(file_time(now)), time);
    }
}
