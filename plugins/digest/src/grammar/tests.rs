//! What servers send, and what is none of it.

use super::*;

fn shown(value: &str) -> Result<Vec<String>, Malformed> {
    let show = |offer: Offer| {
        let pairs = offer.parameters.iter().map(|(name, value)| format!(" {name}=[{value}]"));
        offer.scheme + &pairs.collect::<String>()
    };
    Ok(offers(value)?.into_iter().map(show).collect())
}

#[test]
fn each_challenge_of_a_list_is_found_with_its_parameters() {
    for (value, expected) in [
        ("", &[][..]),
        ("Negotiate", &["Negotiate"]),
        ("Digest realm=\"a, b\", QOP=auth", &["Digest realm=[a, b] qop=[auth]"]),
        ("Digest  a = b ,, c=\"\"", &["Digest a=[b] c=[]"]),
        (r#"Digest a="say \"x\" \\ y""#, &[r#"Digest a=[say "x" \ y]"#]),
        ("Negotiate, Digest a=b", &["Negotiate", "Digest a=[b]"]),
        ("NTLM abc/+d==, Digest a=b", &["NTLM", "Digest a=[b]"]),
        ("NTLM abc=, Digest a=b", &["NTLM", "Digest a=[b]"]),
        // RFC 9110, section 11.6.1.
        (
            "Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"",
            &["Basic realm=[simple]", "Newauth realm=[apps] type=[1] title=[Login to \"apps\"]"],
        ),
        (", Digest a=\"\u{e4}\"", &["Digest a=[\u{e4}]"]),
    ] {
        assert_eq!(shown(value).unwrap(), expected, "{value}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_not_read() {
    for value in [
        "Digest a=\"b",
        "Digest a=\"b\\\"",
        "Digest a=\"b\"c=d",
        "Digest a=b c=d",
        "Digest a=b, c=",
        "Digest a=\"b\u{0}\"",
        "Digest a=\"b\\\n\"",
        "Digest\u{0}a=b",
        "Digest a=b;c",
        "=b",
        "\"Digest\"",
    ] {
        assert_eq!(shown(value), Err(Malformed), "{value:?}");
    }
}

#[test]
fn the_info_of_a_reply_is_a_list_of_parameters() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let read = parameters("nextnonce=\"n 2\", qop=auth,").unwrap();
    assert_eq!(read, [pair("nextnonce", "n 2"), pair("qop", "auth")]);
    for value in ["nextnonce", "nextnonce=\"n", "a=b c=d", "Digest a=b"] {
        assert_eq!(parameters(value), Err(Malformed), "{value}");
    }
}
