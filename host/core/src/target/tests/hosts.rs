//! What may stand in a host, and what the operator may allow there.

use super::super::{HostFault, Origin, TargetError, TargetRules, Template, TemplateError};
use super::{account, freshdesk, strict, template};

const OPEN: TargetRules =
    TargetRules { http: true, placeholder_ports: true, placeholder_addresses: true };

fn host_of(text: &str, value: &str, rules: TargetRules) -> Result<String, TargetError> {
    let base = template(text).render(&account("x", value), rules)?;
    Ok(base.origin().to_string())
}

fn host_fault(text: &str, value: &str, rules: TargetRules) -> HostFault {
    match host_of(text, value, rules) {
        Err(TargetError::Host { field, fault }) if field == "x" => fault,
        other => panic!("{text} with {value}: {other:?}"),
    }
}

#[test]
fn a_whole_host_takes_a_dns_name() {
    let long = format!("{}.com", "a".repeat(63));
    let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
    assert_eq!(longest.len(), 253);
    for name in [
        "acme.example.com",
        "a.b",
        "3com.com",
        "a-b.c--d.example",
        "1.2.3.4.example.com",
        "xn--bcher-kva.example",
        "acme.xn--p1ai",
        &long,
        &longest,
    ] {
        assert_eq!(freshdesk(name).unwrap().origin().to_string(), format!("https://{name}"));
    }
    let upper = freshdesk("Acme.Example.COM").unwrap();
    assert_eq!(upper.origin().to_string(), "https://acme.example.com");
}

#[test]
fn a_whole_host_takes_nothing_else() {
    let long_label = format!("{}.com", "a".repeat(64));
    let too_long = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(62));
    for (value, fault) in [
        (long_label.as_str(), HostFault::LabelTooLong),
        (&too_long, HostFault::TooLong),
        ("-a.com", HostFault::Hyphen),
        ("a-.com", HostFault::Hyphen),
        ("a.-com", HostFault::Hyphen),
        ("xn--a.com", HostFault::Punycode),
        ("xn--.com", HostFault::Hyphen),
        ("example.1com", HostFault::Address),
        ("example.0xff", HostFault::Address),
    ] {
        assert_eq!(host_fault("https://{{x}}/", value, strict()), fault, "{value}");
    }
}

#[test]
fn beside_literal_text_a_placeholder_takes_one_label_or_a_part_of_one() {
    for (text, value, origin) in [
        ("https://{{x}}.example.com", "acme", "https://acme.example.com"),
        ("https://{{x}}.example.com", "Acme-1", "https://acme-1.example.com"),
        ("https://api-{{x}}.example.com", "eu", "https://api-eu.example.com"),
        ("https://api.{{x}}.example.com/", "2", "https://api.2.example.com"),
        ("https://api.{{x}}", "example", "https://api.example"),
        ("https://{{x}}.example.com:8443", "acme", "https://acme.example.com:8443"),
    ] {
        assert_eq!(host_of(text, value, strict()).unwrap(), origin);
    }
    let long = "a".repeat(64);
    let longer = "a".repeat(61);
    for (text, value, fault) in [
        ("https://{{x}}.example.com", "a.b", HostFault::SeveralLabels),
        ("https://{{x}}.example.com", "evil.com", HostFault::SeveralLabels),
        ("https://{{x}}.example.com", ".", HostFault::SeveralLabels),
        ("https://{{x}}.example.com", "evil.com/", HostFault::SeveralLabels),
        ("https://{{x}}.example.com", "evil/", HostFault::Character),
        ("https://{{x}}.example.com", "evil#", HostFault::Character),
        ("https://{{x}}.example.com", "a@b", HostFault::Character),
        ("https://{{x}}.example.com", "a:1", HostFault::Character),
        ("https://{{x}}.example.com", "é", HostFault::NonAscii),
        ("https://{{x}}.example.com", "-a", HostFault::Hyphen),
        ("https://{{x}}.example.com", &long, HostFault::LabelTooLong),
        ("https://api-{{x}}.example.com", &longer, HostFault::LabelTooLong),
        ("https://127.0.0.{{x}}", "1", HostFault::Address),
        ("https://x{{x}}.example.com", "n--a", HostFault::Punycode),
    ] {
        if text.contains("127") {
            // Only the last label decides, and only once it is filled.
            assert_eq!(host_fault(text, value, OPEN), fault);
        }
        assert_eq!(host_fault(text, value, strict()), fault, "{text} {value}");
    }
}

#[test]
fn the_error_names_the_placeholder_at_fault_among_several() {
    for (value, fault) in [("a_b", HostFault::Character), ("a.b", HostFault::SeveralLabels)] {
        let mut values = account("tenant", "acme");
        values.values.push(("x", value.to_owned()));
        let error = template("https://{{tenant}}-{{x}}.example.com").render(&values, strict());
        assert_eq!(error, Err(TargetError::Host { field: "x".to_owned(), fault }));
    }
}

#[test]
fn addresses_and_short_names_only_where_the_operator_allows_them() {
    let rules = TargetRules { placeholder_addresses: true, ..strict() };
    for (value, origin) in [
        ("127.0.0.1", "https://127.0.0.1"),
        ("[::1]", "https://[::1]"),
        ("::1", "https://[::1]"),
        ("localhost", "https://localhost"),
        ("acme.example.com", "https://acme.example.com"),
    ] {
        assert_eq!(host_of("https://{{x}}/api", value, rules).unwrap(), origin);
        if value != "acme.example.com" {
            assert!(host_of("https://{{x}}/api", value, strict()).is_err(), "{value}");
        }
    }
    for (value, fault) in [
        ("2130706433", HostFault::Address),
        ("0x7f.1", HostFault::Address),
        ("0177.0.0.1", HostFault::Address),
        ("127.0.0.1.", HostFault::TrailingDot),
        ("localhost.", HostFault::TrailingDot),
        ("[0:0:0:0:0:0:0:1]", HostFault::Character),
        ("[::1", HostFault::Character),
        ("127.0.0.1:80", HostFault::Character),
        ("[127.0.0.1]", HostFault::Character),
    ] {
        assert_eq!(host_fault("https://{{x}}/api", value, rules), fault, "{value}");
    }
}

#[test]
fn ports_only_where_the_operator_allows_them() {
    let rules = TargetRules { placeholder_ports: true, ..strict() };
    let text = "https://api.example.com:{{x}}/api";
    assert_eq!(host_of(text, "8443", rules).unwrap(), "https://api.example.com:8443");
    assert_eq!(host_of(text, "443", rules).unwrap(), "https://api.example.com");
    assert_eq!(host_of(text, "65535", rules).unwrap(), "https://api.example.com:65535");
    for bad in ["0", "08443", "+1", "-1", "65536", "1/", "8443@evil", " 1", "１"] {
        let error = host_of(text, bad, rules).unwrap_err();
        assert_eq!(error, TargetError::Port { field: "x".to_owned() }, "{bad}");
        assert_eq!(error.field(), Some("x"));
    }
    let error = host_of(text, "8443", strict()).unwrap_err();
    let refused = TemplateError::PortPlaceholder { field: "x".to_owned() };
    assert_eq!(error, TargetError::Template(refused.clone()));
    assert_eq!(error.field(), Some("x"));
    assert_eq!(template(text).check(strict()), Err(refused));
    assert_eq!(template(text).check(rules), Ok(()));

    // A whole-host value may then bring a port of its own, where the template has none.
    let whole = "https://{{x}}/api";
    let origin = host_of(whole, "acme.example.com:8443", rules).unwrap();
    assert_eq!(origin, "https://acme.example.com:8443");
    assert!(host_of(whole, "acme.example.com:0", rules).is_err());
    assert!(host_of(whole, "acme.example.com:", rules).is_err());
    assert!(host_of(whole, "a:b@evil.com:80", rules).is_err());
    assert_eq!(host_fault(whole, "127.0.0.1:80", rules), HostFault::Address);
    assert_eq!(host_of(whole, "127.0.0.1:80", OPEN).unwrap(), "https://127.0.0.1:80");
    assert_eq!(host_of(whole, "[::1]:80", OPEN).unwrap(), "https://[::1]:80");
    let fixed = host_fault("https://{{x}}:8443/", "acme.example.com:80", rules);
    assert_eq!(fixed, HostFault::Character);
}

#[test]
fn http_only_where_the_operator_allows_it() {
    let plain = template("http://api.example.com");
    let refused = TargetError::Template(TemplateError::HttpNotAllowed);
    assert_eq!(plain.render(&(), strict()), Err(refused.clone()));
    assert_eq!(plain.render_url(&(), strict()), Err(refused));
    let allowed = plain.render(&(), TargetRules { http: true, ..strict() }).unwrap();
    assert_eq!(allowed.origin().to_string(), "http://api.example.com");
    assert_eq!(allowed.origin().port(), 80);
}

#[test]
fn literal_hosts_have_one_spelling() {
    for (text, origin) in [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.com", "https://api.example.com"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("https://[::1]", "https://[::1]"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("http://api.example.com:443", "http://api.example.com:443"),
    ] {
        let parsed = Origin::parse(text).unwrap();
        assert_eq!(parsed.to_string(), origin);
        let url = ::url::Url::parse(text).unwrap();
        assert_eq!(Origin::of(&url), Some(parsed));
    }
    for (text, fault) in [
        ("https://2130706433", HostFault::Address),
        ("https://0x7f.1", HostFault::Address),
        ("https://0177.0.0.1", HostFault::Address),
        ("https://[0::1]", HostFault::Character),
        ("https://api.example.com.", HostFault::TrailingDot),
        ("https://bücher.example", HostFault::NonAscii),
        ("https://", HostFault::Empty),
        ("https:///x", HostFault::Empty),
        ("https://:8443", HostFault::Empty),
        ("https://a b.example", HostFault::Character),
        (r"https://evil.com\x", HostFault::Character),
    ] {
        assert_eq!(Template::parse(text), Err(TemplateError::Host(fault)), "{text}");
    }
}
