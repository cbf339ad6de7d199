//! What is said where a gateway does not do what is asked, or is none.

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
