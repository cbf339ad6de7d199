//! The first start and those after it.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::StatusCode;

use crate::process::{Process, run};
use crate::world::{ask_token, token};

const ID: &str = "COUNTERSIGN_CLIENT_ID";
const SECRET: &str = "COUNTERSIGN_CLIENT_SECRET";

#[tokio::test]
async fn a_first_start_without_configuration_makes_all_it_needs_and_shows_one_secret_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep/data");
    let mut server = Process::begin(&data, &["--log", "trace"], &[]);
    server.ready();
    let (id, secret) = (server.shown(ID).unwrap(), server.shown(SECRET).unwrap());
    let token = token(server.url(), &id, &secret).await;
    let ready = reqwest::get(format!("{}/readyz", server.url())).await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    for (name, mode) in [
        ("", 0o700),
        ("plugins", 0o700),
        ("master.key", 0o600),
        ("countersign.db", 0o600),
        ("lock", 0o600),
    ] {
        let found = std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let key = std::fs::read_to_string(data.join("master.key")).unwrap();
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(ended.out.matches(&*secret).count(), 1);
    assert!(ended.err.contains("TRACE") && ended.err.contains("keep it elsewhere"));
    for canary in [&*secret, &*token, key.trim()] {
        assert!(!ended.err.contains(canary), "a secret is in the log");
    }

    let server = Process::serve(&data, &[]);
    assert_eq!(server.said().lines().count(), 1, "{}", server.said());
    assert_eq!(std::fs::read_to_string(data.join("master.key")).unwrap(), key);
    let reply = ask_token(&reqwest::Client::new(), server.url(), &id, &secret).await;
    assert_eq!(reply.status(), StatusCode::OK);
    assert!(!server.stop().err.contains("a master key was made"));
}

#[tokio::test]
async fn two_first_starts_at_once_have_one_key_and_one_client() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = [(); 2].map(|()| Process::begin(folder.path(), &[], &[]));
    both.iter_mut().for_each(Process::ready);
    let shown: Vec<(String, String)> =
        both.iter().filter_map(|it| Some((it.shown(ID)?, it.shown(SECRET)?))).collect();
    let [(id, secret)] = &shown[..] else { panic!("{} clients were made", shown.len()) };
    for server in &both {
        token(server.url(), id, secret).await;
    }
    let made = both.map(|it| it.stop().err.contains("a master key was made"));
    assert_eq!(made.iter().filter(|it| **it).count(), 1);
}

#[tokio::test]
async fn a_client_of_the_operators_choosing_is_kept_and_never_changed_silently() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "canary-of-the-operator-0123456789";
    let given = [(ID, "ops"), (SECRET, secret)];
    for _ in 0..2 {
        let server = Process::serve_with(folder.path(), &[], &given);
        token(server.url(), "ops", secret).await;
        let ended = server.stop();
        assert_eq!(ended.out.lines().count(), 1, "{}", ended.out);
        assert!(!ended.err.contains(secret));
    }
    let long = "canary-".repeat(6);
    for (variables, told) in [
        (&[(ID, "ops"), (SECRET, &*long)][..], "ops of COUNTERSIGN_CLIENT_ID is there already"),
        (&[(ID, "new"), (SECRET, "canary-too-short")], "at least 32 characters"),
        (&[(ID, "new")], "COUNTERSIGN_CLIENT_SECRET is not"),
        (&[(SECRET, &*long)], "COUNTERSIGN_CLIENT_ID is not"),
        (&[(ID, "a b"), (SECRET, &*long)], "letters, digits"),
    ] {
        let ended = Process::begin(folder.path(), &[], variables).ended();
        assert_eq!(ended.code, Some(1), "{variables:?}");
        assert!(ended.err.contains("error[client_refused]"), "{}", ended.err);
        assert!(ended.err.contains(told), "{}", ended.err);
        assert!(!ended.err.contains("canary") && !ended.out.contains("canary"));
    }
    let server = Process::serve(folder.path(), &[]);
    token(server.url(), "ops", secret).await;
}

#[test]
fn another_address_than_loopback_needs_tls_or_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let ended = run(&["serve", "--listen", address, "--data", data]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains("--insecure-listen"), "{}", ended.err);
        assert!(ended.err.contains("field: listen"), "{}", ended.err);
        assert!(!std::path::Path::new(data).exists(), "nothing was begun");
    }
    let arguments = ["--listen", "0.0.0.0:0", "--insecure-listen"];
    let mut serve = crate::process::command(&["serve", "--data", data]);
    serve.args(arguments);
    let mut server = Process::spawn(serve);
    server.ready();
}

#[test]
fn an_address_that_is_taken_is_named_and_costs_no_client() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = folder.path().to_str().unwrap();
    let ended = run(&["serve", "--listen", &address, "--data", data]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("error[listen_failed]") && ended.err.contains(&address));
    let server = Process::serve(folder.path(), &[]);
    assert!(server.shown(SECRET).is_some());
}
