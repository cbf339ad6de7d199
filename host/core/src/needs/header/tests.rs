//! Spellings and bans.

use super::{Ban, ban, same_spelling};

#[test]
fn spellings_differ_in_case_and_in_what_is_no_letter_or_digit() {
    for (one, other, same) in [
        ("x-api-key", "X_API_Key", true),
        ("authorization", "Authorization_", true),
        ("authorization", "authorization-_.", true),
        ("x-api-key", "x-apikey", false),
        ("x-api-key", "x-api-kez", false),
        ("a1", "a2", false),
        ("_a", "a", false),
    ] {
        assert_eq!(same_spelling(one, other), same, "{one} {other}");
        assert_eq!(same_spelling(other, one), same, "{other} {one}");
    }
}

#[test]
fn row_20_framing_routing_and_hop_by_hop_are_the_hosts_alone() {
    for name in [
        "host",
        "Host",
        "content-length",
        "Content_Length",
        "transfer-encoding",
        "transfer.encoding",
        "connection",
        "te",
        "TE_",
        "trailer",
        "upgrade",
        "keep-alive",
        "http2-settings",
        "expect",
        "via",
        "forwarded",
        "x-forwarded",
        "x-forwarded-for",
        "X_Forwarded_Host",
        "proxy",
        "proxy-authorization",
        "Proxy_Connection",
        "cookie",
        "cookie2",
    ] {
        assert_eq!(ban(name), Some(Ban::Always), "{name}");
    }
    for name in ["x-http-method-override", "X_HTTP_Method", "x-method-override"] {
        assert_eq!(ban(name), Some(Ban::UnlessNamed), "{name}");
    }
    for name in [
        "authorization",
        "x-forward",
        "x-forwardedfor",
        "prox",
        "proxyauth",
        "tea",
        "set-cookie",
        "hosts",
    ] {
        assert_eq!(ban(name), None, "{name}");
    }
}

#[test]
fn a_look_at_the_first_letter_alone_never_parts_two_spellings() {
    let letters = ["a", "A", "b", "7", "-", "_", "."];
    let mut names = vec![String::new()];
    for from in [0, 1, 8] {
        let longer: Vec<_> =
            names[from..].iter().flat_map(|it| letters.map(|c| format!("{it}{c}"))).collect();
        names.extend(longer);
    }
    let whole = |name: &str| super::folded(super::trimmed(name).as_bytes()).collect::<Vec<_>>();
    for one in &names {
        for other in &names {
            assert_eq!(same_spelling(one, other), whole(one) == whole(other), "{one} {other}");
        }
    }
}
