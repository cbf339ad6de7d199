use super::*;

fn permits(allowed: &[&str], address: &str) -> bool {
    let allowed = allowed.iter().map(|net| net.parse().unwrap()).collect();
    AddressPolicy::new(allowed).permits(address.parse().unwrap())
}

#[test]
fn only_addresses_of_the_public_internet_are_dialled() {
    let cases = [
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "this network"),
        ("10.0.0.1", "private"),
        ("100.64.0.1", "CGNAT, first"),
        ("100.127.255.254", "CGNAT, last"),
        ("100.100.100.200", "Alibaba metadata"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback, far end"),
        ("168.63.129.16", "Azure host agent"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "ECS metadata"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private, last"),
        ("192.0.0.192", "Oracle metadata"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking, last"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("233.252.0.1", "documentation"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::7f00:1", "v4-compatible"),
        ("::808:808", "v4-compatible, public"),
        ("::ffff:169.254.169.254", "v4-mapped metadata"),
        ("::ffff:127.0.0.1", "v4-mapped loopback"),
        ("64:ff9b::7f00:1", "NAT64 of loopback"),
        ("64:ff9b::a9fe:a9fe", "NAT64 of metadata"),
        ("64:ff9b:1::1", "local NAT64"),
        ("100::1", "discard"),
        ("2001::1", "Teredo"),
        ("2001:0:7f00:1::", "Teredo with a loopback server"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "ORCHID"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::1", "6to4 of loopback"),
        ("2002:a9fe:a9fe::1", "6to4 of metadata"),
        ("3fff::1", "documentation"),
        ("5f00::1", "segment routing"),
        ("fc00::1", "unique-local"),
        ("fd00:ec2::254", "EC2 metadata"),
        ("fd20:ce::254", "Google metadata"),
        ("fe80::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
    ];
    for (address, kind) in cases {
        assert!(!permits(&[], address), "{address} ({kind}) must be refused");
    }
}

#[test]
fn public_addresses_are_dialled() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2001:4860:4860::8888",
        "2002:808:808::1",
        "2606:4700::1111",
        "2a00:1450::1",
    ] {
        assert!(permits(&[], address), "{address} must be allowed");
    }
}

#[test]
fn the_operator_may_allow_a_network_and_gets_no_more_than_that() {
    let cases = [
        ("127.0.0.0/8", "127.0.0.1", true),
        ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ("127.0.0.0/8", "64:ff9b::7f00:1", true),
        ("127.0.0.0/8", "::1", false),
        ("127.0.0.0/8", "10.0.0.1", false),
        ("10.1.0.0/16", "10.1.2.3", true),
        ("10.1.0.0/16", "10.2.0.1", false),
        ("::1/128", "::1", true),
        ("fd00::/8", "fd12::1", true),
        ("fd00::/8", "fc00::1", false),
    ];
    for (net, address, expected) in cases {
        assert_eq!(permits(&[net], address), expected, "{address} with {net} allowed");
    }
}
