use super::*;

#[test]
fn a_mapping_is_a_host_a_port_and_an_address() {
    let cases = [
        ("api.example.com:443=127.0.0.1:8443", "api.example.com", 443, "127.0.0.1:8443"),
        ("API.Example.com:443=127.0.0.1", "api.example.com", 443, "127.0.0.1:443"),
        ("api.example.com:80=[::1]:8080", "api.example.com", 80, "[::1]:8080"),
        ("api.example.com:9000=127.0.0.1:9001", "api.example.com", 9000, "127.0.0.1:9001"),
        ("api.example.com:9000=10.0.0.1:9000", "api.example.com", 9000, "10.0.0.1:9000"),
        ("api.example.com:9000=10.0.0.1", "api.example.com", 9000, "10.0.0.1:9000"),
        ("api.example.com:9000=::1", "api.example.com", 9000, "[::1]:9000"),
        ("localhost:443=[::1]", "localhost", 443, "[::1]:443"),
    ];
    for (text, host, port, address) in cases {
        let parsed: ResolveOverride = text.parse().unwrap();
        assert_eq!(
            (parsed.host(), parsed.port(), parsed.address().to_string().as_str()),
            (host, port, address),
            "{text}"
        );
    }
}

#[test]
fn a_mapping_that_could_not_hold_is_refused_with_its_reason() {
    let cases = [
        ("api.example.com", ResolveOverrideError::Shape),
        ("api.example.com=127.0.0.1", ResolveOverrideError::Shape),
        ("127.0.0.1:443=10.0.0.1", ResolveOverrideError::Host),
        ("0x7f.1:443=10.0.0.1", ResolveOverrideError::Host),
        ("[::1]:443=10.0.0.1", ResolveOverrideError::Host),
        (":443=10.0.0.1", ResolveOverrideError::Host),
        ("a/b:443=10.0.0.1", ResolveOverrideError::Host),
        ("%61.example:443=10.0.0.1", ResolveOverrideError::Host),
        ("api.example.com:=10.0.0.1", ResolveOverrideError::Port),
        ("api.example.com:0=10.0.0.1", ResolveOverrideError::Port),
        ("api.example.com:65536=10.0.0.1", ResolveOverrideError::Port),
        ("api.example.com:443=", ResolveOverrideError::Address),
        ("api.example.com:443=localhost", ResolveOverrideError::Address),
        ("api.example.com:443=10.0.0.1:0", ResolveOverrideError::Address),
        ("api.example.com:443=[fe80::1%2]:8443", ResolveOverrideError::Address),
        ("api.example.com:443=[fe80::1%2]", ResolveOverrideError::Address),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<ResolveOverride>(), Err(error), "{text}");
    }
}
