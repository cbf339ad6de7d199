use super::*;

fn check(uri: &str, allowed: &[&str]) -> Result<Destination, EgressError> {
    let uri: Uri = uri.parse().unwrap();
    let allowed = allowed.iter().map(|net| net.parse().unwrap()).collect();
    Destination::check(&uri, false, &AddressPolicy::new(allowed))
}

#[test]
fn row_15_every_spelling_of_a_forbidden_address_is_refused() {
    for host in [
        "169.254.169.254",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0",
        "127.0.0.1.",
        "[::1]",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[fd00:ec2::254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fe80::1]",
        "100.64.0.1",
        "0.0.0.0",
    ] {
        let result = check(&format!("https://{host}/latest/meta-data"), &[]);
        assert!(matches!(result, Err(EgressError::AddressRefused { .. })), "{host}");
    }
}

#[test]
fn an_allowed_address_passes_only_in_its_plain_spelling() {
    assert!(check("https://127.0.0.1:8443/x", &["127.0.0.0/8"]).is_ok());
    for host in ["127.1", "2130706433", "0177.0.0.1"] {
        let result = check(&format!("https://{host}/"), &["127.0.0.0/8"]);
        assert!(matches!(result, Err(EgressError::Url { .. })), "{host}");
    }
}

#[test]
fn a_url_that_would_be_altered_is_refused() {
    for uri in [
        "https://h.example/a/../b",
        "https://h.example/a/./b",
        "https://h.example/a/%2e%2e/b",
        "https://h.example/..",
        "https://h.example/x?q='1'",
        "https://h.example/{id}",
        "https://H.example/",
        "https://h.example:443/",
    ] {
        let result = check(uri, &[]);
        assert!(matches!(result, Err(EgressError::Url { .. })), "{uri}");
    }
}

#[test]
fn what_is_no_web_address_is_refused() {
    for (uri, scheme) in [
        ("http://h.example/", true),
        ("ftp://h.example/", true),
        ("https://user@h.example/", false),
        ("https://user:pw@h.example/", false),
        ("https://h.0x7g.999/", false),
        ("/only/a/path", false),
    ] {
        match check(uri, &[]) {
            Err(EgressError::Scheme { .. }) => assert!(scheme, "{uri}"),
            Err(EgressError::Url { .. }) => assert!(!scheme, "{uri}"),
            _ => panic!("{uri} must be refused"),
        }
    }
}
