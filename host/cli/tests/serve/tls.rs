//! TLS, and a certificate that is replaced.

use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use reqwest::{Certificate, Client, Version};
use rustix::process::Signal;

use crate::process::{Process, run};

/// Writes a new certificate for loopback and its key; how a client trusts it.
fn write(folder: &Path) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    Certificate::from_pem(certificate.pem().as_bytes()).unwrap()
}

fn trusting(certificate: &Certificate) -> reqwest::ClientBuilder {
    Client::builder().tls_certs_only([certificate.clone()])
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_tls_and_a_new_certificate_is_taken_at_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let arguments = ["--tls-certificate", &certificate, "--tls-key", &key];
    let mut server = Process::serve(&folder.path().join("data"), &arguments);
    assert!(server.url().starts_with("https://"));
    let health = format!("{}/healthz", server.url());
    for (client, version) in
        [(trusting(&first).http1_only(), Version::HTTP_11), (trusting(&first), Version::HTTP_2)]
    {
        let reply = client.build().unwrap().get(&health).send().await.unwrap();
        assert_eq!((reply.status().as_u16(), reply.version()), (200, version));
    }
    let second = write(folder.path());
    let stranger = trusting(&second).build().unwrap();
    assert!(stranger.get(&health).send().await.is_err(), "it is trusted already");
    server.signal(Signal::HUP);
    server.logs("reloaded");
    assert!(stranger.get(&health).send().await.unwrap().status().is_success());

    std::fs::write(&key, "canary").unwrap();
    server.signal(Signal::HUP);
    server.logs("the certificate stays as it was");
    server.logs("reloaded");
    let again = trusting(&second).build().unwrap();
    assert!(again.get(&health).send().await.unwrap().status().is_success());
    assert!(!server.stop().err.contains("canary"));
}

#[test]
fn files_that_are_no_pair_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key, data) = (path("cert.pem"), path("key.pem"), path("data"));
    let serve = |certificate: &str, key: &str| {
        let ended = run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            &data,
            "--tls-certificate",
            certificate,
            "--tls-key",
            key,
        ]);
        assert_eq!(ended.code, Some(1));
        ended.err
    };
    let swapped = serve(&key, &certificate);
    assert!(
        swapped.contains("error[tls_unusable]") && swapped.contains("no certificate"),
        "{swapped}"
    );
    let other = path("other.pem");
    std::fs::write(&other, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let unfit = serve(&certificate, &other);
    assert!(unfit.contains("does not fit the certificate"), "{unfit}");
    let missing = serve(&certificate, &path("gone.pem"));
    assert!(missing.contains("error[config_invalid]") && missing.contains("tls.key"), "{missing}");
}
