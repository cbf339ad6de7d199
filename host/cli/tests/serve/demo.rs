//! `countersign demo --serve`. That its commands work with curl, as printed, `cargo xtask check` shows.

use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::Value as Json;

use crate::process::{Process, command, run};

/// In a folder for temporary files that is the test's own.
fn demo(scratch: &tempfile::TempDir) -> Process {
    let mut command = command(&["demo", "--serve"]);
    command.env("TMPDIR", scratch.path());
    // Of no concern to a gateway whose data is thrown away.
    command.envs([("COUNTERSIGN_DATA", "/nowhere"), ("COUNTERSIGN_LISTEN", "1.1.1.1:1")]);
    let mut process = Process::spawn(command);
    process.ready();
    process
}

/// The printed command for a connection: its URL, with the method and the two headers that all have.
fn printed<'a>(said: &'a str, connection: &str) -> &'a str {
    let header = format!("-H 'connection_name: {connection}' -H 'identifier: user-1'");
    let (before, _) = said.split_once(&header).unwrap_or_else(|| panic!("{connection}: {said}"));
    let (_, command) = before.rsplit_once("curl '").unwrap();
    let (url, rest) = command.split_once('\'').unwrap();
    assert_eq!(rest, " -H \"Authorization: Bearer $TOKEN\" \\\n  ");
    url
}

fn left(scratch: &tempfile::TempDir) -> usize {
    std::fs::read_dir(scratch.path()).unwrap().count()
}

#[tokio::test]
async fn what_is_printed_shows_the_upstream_the_credential_of_each_account() {
    let scratch = tempfile::tempdir().unwrap();
    let process = demo(&scratch);
    let token = process.shown("TOKEN").unwrap();
    for (connection, header, start, end) in [
        ("asana", "authorization", "Bearer example-access-token", ""),
        ("bearer", "authorization", "Bearer example-bearer-token", ""),
        ("freshdesk", "authorization", "Basic ZXhhbXBsZS1hcGkta2V5Og==", ""),
        ("attention", "authorization", "example-integration-token", ""),
        ("timestamped", "x-client-key", "", ".example-client-key"),
    ] {
        let url = printed(process.said(), connection);
        assert!(url.starts_with(process.url()), "{url}");
        let request = reqwest::Client::new().get(url).bearer_auth(&token);
        let request = request.header("connection_name", connection).header("identifier", "user-1");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{connection}");
        let seen: Json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let headers = seen["headers"].as_array().unwrap().iter();
        let values: Vec<&str> = headers
            .filter(|pair| pair[0] == header)
            .map(|pair| pair[1].as_str().unwrap())
            .collect();
        let [value] = values[..] else { panic!("{connection}: {values:?}") };
        assert!(value.starts_with(start) && value.ends_with(end), "{connection}: {value}");
        assert!(!end.is_empty() || value == start, "{connection}: {value}");
    }
    assert_eq!(process.stop().code, Some(0));
}

#[test]
fn whatever_ends_it_its_folder_is_gone() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let scratch = tempfile::tempdir().unwrap();
        let process = demo(&scratch);
        assert_eq!(left(&scratch), 1);
        process.signal(signal);
        let ended = process.ended();
        assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{signal:?}");
        assert_eq!(left(&scratch), 0, "{signal:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let scratch = tempfile::tempdir().unwrap();
    let mut command = command(&["demo", "--serve", "--listen", &address]);
    command.env("TMPDIR", scratch.path());
    let ended = Process::spawn(command).ended();
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("error[listen_failed]"), "{}", ended.err);
    assert_eq!(left(&scratch), 0);
}

/// It is beside those of everybody, and holds a master key and plugins that are run.
#[test]
fn its_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let scratch = tempfile::tempdir().unwrap();
    let process = demo(&scratch);
    let folder = std::fs::read_dir(scratch.path()).unwrap().next().unwrap().unwrap();
    let mode = folder.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
    assert_eq!(process.stop().code, Some(0));
}

#[test]
fn it_listens_on_loopback_alone() {
    for arguments in [
        &["demo", "--serve", "--listen", "0.0.0.0:0"][..],
        &["demo", "--listen", "127.0.0.1:0"],
        &["demo", "--serve", "--reveal"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.out);
    }
}
