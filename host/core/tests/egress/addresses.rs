//! Row 15: the address that is dialled is the one that is checked.

use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig, EgressConfigError, EgressError};
use http::Request;

use crate::upstream::{EMPTY, Recorder, Then};
use crate::{SOON, Script, config, egress, get, loopback};

#[tokio::test]
async fn row_15_loopback_is_refused_until_the_operator_allows_it() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let closed = Egress::new(EgressConfig { allow_http: true, ..config() }).unwrap();
    for host in ["127.0.0.1", "localhost", "localhost."] {
        let is_refusal = |error: &EgressError| match error {
            EgressError::AddressRefused { .. } => true,
            // Not every resolver knows the absolute form.
            EgressError::Dns { .. } => host.ends_with('.'),
            _ => false,
        };
        let url = format!("http://{host}:{}/", upstream.port());
        let error = closed.send(get(&url)).await.unwrap_err();
        assert!(is_refusal(&error), "{host}: {error:?}");
        let request = Request::get(&url).body(Bytes::new()).unwrap();
        let error = closed.fetch(request, 100, SOON).await.unwrap_err();
        assert!(is_refusal(&error), "{host}: {error:?}");
    }
    assert_eq!(upstream.connections(), 0);
    egress().send(get(&upstream.url("/"))).await.unwrap();
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn row_15_a_name_that_flips_after_a_check_is_refused() {
    let upstream = Recorder::start(EMPTY, Then::Close).await;
    let url = format!("http://rebind.example:{}/", upstream.port());
    let config = || EgressConfig { allow_http: true, ..config() };

    // Whoever looked first saw a public address; the dial sees another one.
    let resolver = Script::new(&[&["1.1.1.1"], &["127.0.0.1"]]);
    let first = countersign::egress::Resolver::resolve(&*resolver, "rebind.example").await.unwrap();
    assert_eq!(first, ["1.1.1.1".parse::<std::net::IpAddr>().unwrap()]);
    let refused = Egress::with_resolver(config(), resolver).unwrap().send(get(&url)).await;
    assert!(matches!(refused, Err(EgressError::AddressRefused { .. })));
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn row_15_every_new_connection_is_checked_anew() {
    let upstream = Recorder::start(
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        Then::Close,
    )
    .await;
    let url = format!("http://rebind.example:{}/", upstream.port());
    let resolver = Script::new(&[&["127.0.0.1"], &["127.0.0.2", "::1", "169.254.169.254"]]);
    let only_one =
        EgressConfig { allowed_networks: vec!["127.0.0.1/32".parse().unwrap()], ..loopback() };
    let egress = Egress::with_resolver(only_one, resolver).unwrap();
    egress.send(get(&url)).await.unwrap();
    let refused = egress.send(get(&url)).await;
    assert!(matches!(refused, Err(EgressError::AddressRefused { .. })));
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn of_several_addresses_only_permitted_ones_are_dialled() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let url = format!("http://mixed.example:{}/", upstream.port());
    let resolver = Script::new(&[&["::1", "169.254.169.254", "127.0.0.1"]]);
    let egress = Egress::with_resolver(loopback(), resolver).unwrap();
    egress.send(get(&url)).await.unwrap();
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_a_name_error() {
    let egress = Egress::with_resolver(config(), Script::new(&[])).unwrap();
    let failed = egress.send(get("https://nobody.example/")).await;
    assert!(matches!(failed, Err(EgressError::Dns { .. })), "{failed:?}");
    let egress = Egress::with_resolver(config(), Script::new(&[&[]])).unwrap();
    let failed = egress.send(get("https://nobody.example/")).await;
    assert!(matches!(failed, Err(EgressError::Dns { .. })), "{failed:?}");
}

#[tokio::test]
async fn a_mapping_holds_for_its_host_and_port_alone_and_needs_no_allowed_network() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let mapped = EgressConfig {
        allow_http: true,
        resolve: vec![format!("api.example:80=127.0.0.1:{}", upstream.port()).parse().unwrap()],
        ..config()
    };
    let egress = Egress::with_resolver(mapped, Script::new(&[])).unwrap();
    egress.send(get("http://api.example/path")).await.unwrap();
    assert!(upstream.header_lines().contains(&"host: api.example".to_owned()));

    for url in ["http://api.example:81/", "https://api.example/", "http://other.example/"] {
        let failed = egress.send(get(url)).await;
        assert!(matches!(failed, Err(EgressError::Dns { .. })), "{url}: {failed:?}");
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_port_that_is_written_out_can_be_mapped_to_another() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let mapped = EgressConfig {
        allow_http: true,
        resolve: vec![format!("api.example:9000=127.0.0.1:{}", upstream.port()).parse().unwrap()],
        ..config()
    };
    let egress = Egress::with_resolver(mapped, Script::new(&[])).unwrap();
    egress.send(get("http://api.example:9000/path")).await.unwrap();
    assert!(upstream.header_lines().contains(&"host: api.example:9000".to_owned()));
    let failed = egress.send(get("http://api.example/path")).await;
    assert!(matches!(failed, Err(EgressError::Dns { .. })), "{failed:?}");
}

#[test]
fn a_host_mapped_twice_is_refused() {
    let twice = EgressConfig {
        resolve: ["a.example:443=127.0.0.1", "A.example:443=127.0.0.2"]
            .map(|mapping| mapping.parse().unwrap())
            .to_vec(),
        ..config()
    };
    assert!(matches!(Egress::new(twice).err(), Some(EgressConfigError::MappedTwice { .. })));
}

#[tokio::test]
async fn plain_http_is_refused_until_the_operator_allows_it() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let https_only = EgressConfig { allow_http: false, ..loopback() };
    let refused = Egress::new(https_only).unwrap().send(get(&upstream.url("/"))).await;
    assert!(matches!(refused, Err(EgressError::Scheme { .. })));
    assert_eq!(upstream.connections(), 0);
}
