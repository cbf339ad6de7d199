//! `--ca`: a gateway whose certificate no public authority has signed.

use rcgen::{CertificateParams, KeyPair};

use crate::process::{Process, command};
use crate::world::SECRET;

#[test]
fn a_private_authority_is_trusted_where_it_is_named_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(path(name), certificate.pem()).unwrap();
        std::fs::write(path("key.pem"), key.serialize_pem()).unwrap();
        path(name)
    };
    let (stranger, own) = (write("stranger.pem"), write("own.pem"));
    let tls = ["--tls-certificate", &own, "--tls-key", &path("key.pem")];
    let variables = [("COUNTERSIGN_CLIENT_ID", "ops"), ("COUNTERSIGN_CLIENT_SECRET", SECRET)];
    let server = Process::serve_with(&folder.path().join("data"), &tls, &variables);
    let list = |more: &[&str]| {
        let mut command = command(&["provider", "list", "--json", "--url", server.url()]);
        command.args(more).envs(variables);
        let ended = Process::spawn(command).ended();
        assert!(!ended.err.contains(SECRET), "{}", ended.err);
        ended
    };
    for more in [&[][..], &["--ca", &stranger]] {
        let ended = list(more);
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains("gateway_unreachable"), "{}", ended.err);
    }
    let ended = list(&["--ca", &own]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    // A file without a certificate is not passed over.
    let ended = list(&["--ca", &path("key.pem")]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("file_unreadable"), "{}", ended.err);
}
