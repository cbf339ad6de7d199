//! Client certificates: out of the values of the account or the connection, for requests and for flows,
//! at a server that asks for them.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use countersign::egress::EgressConfig;
use countersign::store::MemoryStore;
use countersign::{Countersign, Egress, Error, Sender, Subject};
use countersign_hostile::answer::{self, entry};
use countersign_hostile::{Guest, TOKEN_URI, Val};
use countersign_tests::world::{get, registry_of, status};
use countersign_tests::{sandbox, subject};
use http::Response;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::plot::{TYPE, done, guest};

const API: &str = "api.hostile.example";
const LOGIN: &str = "login.hostile.example";

/// Vouches for the server and for its clients.
static AUTHORITY: LazyLock<(Certificate, Issuer<'static, KeyPair>)> = LazyLock::new(|| {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.self_signed(&key).unwrap(), Issuer::new(params, key))
});

/// A chain and its key in PEM, in that name.
fn pair(name: &str) -> [String; 2] {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    [params.signed_by(&key, &AUTHORITY.1).unwrap().pem(), key.serialize_pem()]
}

/// A server that turns everybody away who has no certificate, and answers with the name in it: as a
/// token where the path is that of the token endpoint.
async fn mutual() -> Egress {
    let [chain, key] = {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![API.to_owned(), LOGIN.to_owned()]).unwrap();
        [params.signed_by(&key, &AUTHORITY.1).unwrap().der().to_vec(), key.serialize_der()]
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut clients = RootCertStore::empty();
    clients.add(AUTHORITY.0.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![chain.into()], PrivatePkcs8KeyDer::from(key).into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let peer = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
                let peer = String::from_utf8_lossy(&peer).into_owned();
                let name: String = peer[peer.find("client-").unwrap()..].chars().take(8).collect();
                let service = service_fn(move |_| {
                    let reply = Response::new(Full::<Bytes>::from(name.clone()));
                    async move { Ok::<_, Infallible>(reply) }
                });
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let mapped = [API, LOGIN].map(|host| format!("{host}:443={address}").parse().unwrap());
    Egress::new(EgressConfig {
        resolve: mapped.into(),
        upstream_ca: vec![AUTHORITY.0.pem().into_bytes()],
        ..EgressConfig::default()
    })
    .unwrap()
}

fn host(egress: Egress, guest: &Guest) -> Countersign {
    let (registry, _) = registry_of(&[("plot", guest.build().unwrap())]);
    let refused = registry.listing().refused;
    assert!(refused.is_empty(), "{refused:?}");
    Countersign::builder(sandbox(), registry, egress)
        .store(Arc::new(MemoryStore::default()))
        .build()
}

fn provider() -> Json {
    let mut provider = crate::plot::provider();
    provider["auth_patterns"][0]["fields"] = json!([
        {"field_name": "token", "label": "Token", "input_type": "password", "required": false},
        {"field_name": "chain", "label": "Certificate", "input_type": "textarea", "required": false},
        {"field_name": "key", "label": "Key", "input_type": "textarea", "required": false},
    ]);
    provider
}

fn account(identifier: &str, [chain, key]: [&str; 2]) -> Arc<Subject> {
    let account = json!({"identifier": identifier, "authorization_details": {
        "static_auth": {"details": {"token": "t", "chain": chain, "key": key}}}});
    subject(&provider(), &json!({"client_id": "c", "type": TYPE}), &account)
}

fn with(chain: &str, key: &str) -> Val {
    Val::of("client-certificate", entry(chain, key))
}

/// Presents these, and has the answer kept.
fn presenting(needs: &[&str], chain: &str, key: &str) -> Guest {
    let ready = Val::ok(Val::of(
        "ready",
        Val::Record(vec![
            ("edits", Val::List(vec![with(chain, key)])),
            ("remember", Val::Num(3600)),
            ("watches", Val::List(Vec::new())),
            ("memo", Val::none()),
            ("cursor", "".into()),
        ]),
    ));
    guest(needs).body("authorize", ready)
}

/// It may not even read them.
const NAMED: [&str; 2] =
    ["write client-certificate/account/chain", "write client-certificate/account/key"];

#[tokio::test(flavor = "multi_thread")]
async fn each_account_is_known_by_its_own_certificate_also_from_memory() {
    let host = host(mutual().await, &presenting(&NAMED, "account/chain", "account/key"));
    let accounts = ["client-a", "client-b"].map(|name| {
        let [chain, key] = pair(name);
        (name, account(name, [&chain, &key]))
    });
    let mut requests = JoinSet::new();
    for nth in 0..50 {
        let (host, (name, subject)) = (host.clone(), accounts[nth % 2].clone());
        requests.spawn(async move {
            let (code, body) = status(&host, &subject, "/things").await.unwrap();
            assert_eq!((code, &body[..]), (200, name.as_bytes()));
        });
    }
    requests.join_all().await;
    // By now both answers are kept.
    let asked = host.tally().asked;
    for (name, subject) in &accounts {
        let (code, body) = status(&host, subject, "/things").await.unwrap();
        assert_eq!((code, &body[..]), (200, name.as_bytes()));
    }
    assert_eq!(host.tally().asked, asked);
}

/// A key is read and checked, which is not for each request that a plugin is asked about.
#[tokio::test]
async fn it_is_read_once_for_all_requests_of_an_account_though_each_is_asked_about() {
    let edits = vec![with("account/chain", "account/key")];
    let guest = guest(&NAMED).body("authorize", answer::ready(edits));
    let host = host(mutual().await, &guest);
    let ([chain, key], [other, other_key]) = (pair("client-a"), pair("client-b"));
    let read = async |subject: &Arc<Subject>| {
        let (_, route) = host.prepare_by(subject, get("/")).await.unwrap();
        route.certificate().unwrap().clone()
    };
    let subject = account("a", [&chain, &key]);
    let [first, second] = [read(&subject).await, read(&subject).await];
    assert!(std::ptr::eq(first.chain(), second.chain()));
    let other = read(&account("a", [&other, &other_key])).await;
    assert!(first.chain().expose() != other.chain().expose());
    assert_eq!(host.tally().asked, 3);
}

#[tokio::test]
async fn one_that_the_authority_does_not_know_is_turned_away() {
    let key = KeyPair::generate().unwrap();
    let chain = CertificateParams::new(vec!["client-a".to_owned()]).unwrap();
    let chain = chain.self_signed(&key).unwrap().pem();
    let host = host(mutual().await, &presenting(&NAMED, "account/chain", "account/key"));
    let stranger = account("a", [&chain, &key.serialize_pem()]);
    let error = status(&host, &stranger, "/things").await.err().unwrap();
    assert!(error.to_string().contains(API), "{error}");
}

#[tokio::test]
async fn a_value_that_makes_none_is_named_and_nothing_is_sent() {
    let ([chain, key], [_, other]) = (pair("client-a"), pair("client-b"));
    let host = host(mutual().await, &presenting(&NAMED, "account/chain", "account/key"));
    for (values, field, said) in [
        ([&*chain, ""], "account/key", "is not there"),
        (["", &*key], "account/chain", "is not there"),
        ([&*chain, &*other], "account/key", "is not the private key of the certificate"),
        ([&*chain, "canary"], "account/key", "is not an unencrypted private key in PEM"),
        (["canary", &*key], "account/chain", "is not a certificate in PEM"),
    ] {
        let error = host.send(&account("a", values), get("/things")).await.err().unwrap();
        assert_eq!((error.code(), error.field()), ("invalid_config", Some(field)), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert!(!error.to_string().contains("canary") && !error.may_have_been_sent());
    }
}

#[tokio::test]
async fn a_key_that_nobody_else_may_see_is_judged_by_the_host_before_it_is_saved() {
    let [chain, key] = pair("client-a");
    let host = host(mutual().await, &presenting(&NAMED, "account/chain", "account/key"));
    for (values, fields) in [
        ([&*chain, &*key], &[][..]),
        ([&*chain, "canary"], &["account/key"]),
        (["canary", ""], &["account/chain"]),
    ] {
        let found = host.validate(&account("a", values)).await.unwrap();
        let named: Vec<_> = found.iter().filter_map(|it| it.field.as_deref()).collect();
        assert_eq!(named, fields);
        assert!(found.iter().all(|it| !it.to_string().contains("canary")));
    }
}

#[tokio::test]
async fn the_connections_own_is_every_accounts_and_comes_out_of_its_settings() {
    let [chain, key] = pair("client-a");
    let named = [
        "write client-certificate/connection/client_certificate",
        "write client-certificate/connection/private_key",
    ];
    let guest = presenting(&named, "connection/client_certificate", "connection/private_key");
    let host = host(mutual().await, &guest);
    let connection = json!({"type": TYPE, "client_certificate": chain, "private_key": key});
    for identifier in ["a", "b"] {
        let account = json!({"identifier": identifier, "authorization_details": {
            "static_auth": {"details": {"token": "t"}}}});
        let subject = subject(&provider(), &connection, &account);
        let (code, body) = status(&host, &subject, "/things").await.unwrap();
        assert_eq!((code, &body[..]), (200, &b"client-a"[..]));
    }
}

#[tokio::test]
async fn a_plugin_presents_nothing_that_it_did_not_ask_leave_for() {
    let [chain, key] = pair("client-a");
    for needs in [&[][..], &NAMED[..1], &["write client-certificate", "read account/chain"]] {
        let guest = presenting(needs, "account/chain", "account/key");
        let host = host(mutual().await, &guest);
        let error = host.send(&account("a", [&chain, &key]), get("/")).await.err().unwrap();
        assert_eq!(error.code(), "edit_refused", "{needs:?}: {error}");
    }
}

/// RFC 8705: the token endpoint knows the client by its certificate.
fn renewing(needs: &[&str], chain: &str, key: &str) -> Guest {
    let fetch = Val::ok(Val::of(
        "fetch",
        Val::Record(vec![
            (
                "request",
                Val::Record(vec![
                    ("method", "POST".into()),
                    ("url", TOKEN_URI.into()),
                    ("headers", Val::List(Vec::new())),
                    ("body", "grant_type=client_credentials".into()),
                ]),
            ),
            ("client-certificate", Val::some(entry(chain, key))),
            ("cursor", "".into()),
        ]),
    ));
    guest(needs).body("begin", fetch).body("resume", done("new", 3600))
}

#[tokio::test]
async fn a_flow_fetches_with_a_certificate_and_with_none_it_gets_nothing() {
    let [chain, key] = pair("client-a");
    let egress = mutual().await;
    let subject = account("a", [&chain, &key]);
    let guest = renewing(&NAMED, "account/chain", "account/key");
    host(egress.clone(), &guest).renew(&subject).await.unwrap();

    let renewal = async |guest: &Guest, subject: &Arc<Subject>| match host(egress.clone(), guest)
        .renew(subject)
        .await
        .err()
        .unwrap()
    {
        Error::Renewal(cause) => (cause.code(), cause.field().map(str::to_owned)),
        other => panic!("{other}"),
    };
    let ungranted = renewing(&NAMED[..1], "account/chain", "account/key");
    assert_eq!(renewal(&ungranted, &subject).await, ("flow_refused", None));
    let keyless = account("b", [&chain, "no key"]);
    let field = Some("account/key".to_owned());
    assert_eq!(renewal(&guest, &keyless).await, ("invalid_config", field));
}

/// Knows nothing of certificates.
struct Plain;

#[async_trait::async_trait]
impl Sender for Plain {
    async fn send(
        &self,
        _: http::Request<countersign::body::RequestBody>,
    ) -> Result<Response<Bytes>, countersign::egress::EgressError> {
        panic!("it was sent without its certificate")
    }
}

#[async_trait::async_trait]
impl countersign::flow::Fetcher for Plain {
    async fn fetch(
        &self,
        _: http::Request<Bytes>,
        _: usize,
        _: std::time::Duration,
    ) -> Result<Response<Bytes>, countersign::egress::EgressError> {
        panic!("it was sent without its certificate")
    }
}

#[tokio::test]
async fn whoever_sends_or_fetches_himself_cannot_overlook_it() {
    let [chain, key] = pair("client-a");
    let subject = account("a", [&chain, &key]);
    let plain = |guest: &Guest| {
        let (registry, _) = registry_of(&[("plot", guest.build().unwrap())]);
        Countersign::builder(sandbox(), registry, countersign_tests::world::no_egress())
            .sender(Arc::new(Plain))
            .fetcher(Arc::new(Plain))
            .build()
    };
    let presents = plain(&presenting(&NAMED, "account/chain", "account/key"));
    for error in [
        presents.send(&subject, get("/")).await.err().unwrap(),
        presents.prepare(&subject, get("/")).await.err().unwrap(),
        plain(&renewing(&NAMED, "account/chain", "account/key"))
            .renew(&subject)
            .await
            .err()
            .unwrap(),
    ] {
        assert_eq!((error.code(), error.may_have_been_sent()), ("unsupported", false), "{error}");
    }
    let (_, route) = presents.prepare_by(&subject, get("/")).await.unwrap();
    assert_eq!(route.certificate().unwrap().names(), ["account/chain", "account/key"]);
}
