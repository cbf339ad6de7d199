//! What is said where a gateway does not do what is asked, or is none.

use std::io::{Read as _, Write as _};

use crate::process::{Process, command};
use crate::world::{Gateway, SECRET, bearer};

#[test]
fn wrong_credentials_and_a_gateway_that_is_not_there_are_told_apart() {
    let gateway = Gateway::start();
    let file = gateway.file("p.json", &bearer("https://api.example.com"));
    // Nothing listens at port 1 of loopback.
    let gone = "http://127.0.0.1:1";
    let here = gateway.url();
    for (url, variables, expected) in [
        (here, &[("CLIENT_ID", "ops"), ("CLIENT_SECRET", "canary-wrong")][..], "invalid_client"),
        (here, &[("TOKEN", "canary-wrong")], "unauthenticated"),
        (here, &[("CLIENT_ID", "ops")], "error[credentials_missing]"),
        (here, &[], "error[credentials_missing]"),
        (gone, &[("TOKEN", "canary-wrong")], "error[gateway_unreachable]"),
        // No loopback, and no other machine either.
        ("http://0.0.0.0:1", &[("TOKEN", "canary-wrong")], "error[gateway_url]"),
    ] {
        for arguments in [&["provider", "apply", &file][..], &["account", "list"]] {
            let mut command = command(arguments);
            command.args(["--url", url]);
            command.envs(variables.iter().map(|(name, it)| (format!("COUNTERSIGN_{name}"), it)));
            let ended = Process::spawn(command).ended();
            assert_eq!(ended.code, Some(1), "{variables:?}");
            assert!(ended.err.contains(expected), "{expected}: {}", ended.err);
            assert!(!ended.err.contains("canary") && ended.out.is_empty(), "{}", ended.err);
        }
    }
}

#[test]
fn every_field_that_the_gateway_refuses_is_told() {
    let gateway = Gateway::start();
    let mut payload = bearer("nonsense");
    payload["auth_patterns"][0]["type"] = "NOBODY".into();
    let file = gateway.file("p.json", &payload);
    let told = gateway.run(&["provider", "apply", &file, "--json"]);
    assert_eq!(told.code, Some(1));
    let error: serde_json::Value = serde_json::from_str(&told.err).unwrap();
    let told = &error["error"]["gateway"];
    assert_eq!(told["code"], "invalid_request", "{error}");
    assert!(told["request_id"].is_string() && told["fields"][0]["field"].is_string(), "{error}");
}

#[test]
fn a_server_starts_with_the_variables_of_the_command_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let variables =
        ["URL", "TOKEN", "FROM_TOKEN", "TO_TOKEN", "FROM_CLIENT_SECRET", "TO_CLIENT_SECRET"];
    let variables = variables.map(|it| format!("COUNTERSIGN_{it}"));
    let variables: Vec<_> = variables.iter().map(|it| (it.as_str(), SECRET)).collect();
    let server = Process::serve_with(folder.path(), &[], &variables);
    assert!(!server.stop().err.contains(SECRET));
}

/// A gateway that is not the one that was meant has a terminal before it.
#[test]
fn what_a_gateway_says_does_nothing_to_a_terminal() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = r#"{"error_code": "own\u001b[2J", "message": "\u001b]0;title\u0007 \u202ebad"}"#;
    let served = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).unwrap();
            let length = body.len();
            write!(stream, "HTTP/1.1 400 Bad Request\r\ncontent-length: {length}\r\n\r\n{body}")
                .unwrap();
        }
    });
    for json in [false, true] {
        let mut command = command(&["account", "list", "--url", &url]);
        command.args(json.then_some("--json")).env("COUNTERSIGN_TOKEN", "canary-token");
        let ended = Process::spawn(command).ended();
        assert_eq!(ended.code, Some(1));
        let text = ended.err.replace('\n', "");
        assert!(!text.contains(|it: char| it.is_control() || it == '\u{202e}'), "{text:?}");
        assert!(text.contains("title"), "{text:?}");
    }
    served.join().unwrap();
}
