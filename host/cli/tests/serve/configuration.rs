//! The configuration: its layers, what is wrong with it, and what a running server takes of it.

use std::path::Path;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::process::{Process, command, run};

fn check(text: &str, more: &[&str], variables: &[(&str, &str)]) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let mut command = command(&["config", "check", "--json", "--config", file]);
    command.args(more).envs(variables.iter().copied());
    let ended = Process::spawn(command).ended();
    let json: Json = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}", ended.err));
    assert_eq!(ended.code, Some(i32::from(json["valid"] != true)));
    json
}

/// The keys that are wrong, with what is said of each.
fn wrong(json: &Json) -> Vec<(String, String)> {
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let problems = json["problems"].as_array().unwrap().iter();
    let mut wrong: Vec<_> = problems.map(|it| (text(&it["key"]), text(&it["message"]))).collect();
    wrong.sort();
    wrong
}

#[test]
fn every_key_that_is_wrong_is_named_with_what_would_be_right_and_no_value() {
    let file = "\
        listn = \"127.0.0.1:1\"\n\
        tokens_per_minute = 4\n\
        insecure_listen = \"canary\"\n\
        threads = 1025\n\
        master_keys = [\"canary-of-a-key-in-the-wrong-place\"]\n\
        log = \"canary\"\n\
        [limits]\n\
        deadline = 30\n\
        most_in_flight = 0\n\
        longest_body = \"canaryKiB\"\n\
        [traces]\n\
        endpoint = \"http://user:canary@127.0.0.1:4318\"\n\
        sample = 1.5\n\
        service_name = \" \"\n\
        [egress]\n\
        resolve = [\"api.example.com:443\"]\n";
    let json = check(
        file,
        &["--set", "drain.grac=1s", "--set", "egress.allow_upstream=10.0.0.0/8,canary"],
        &[("COUNTERSIGN_LIMITS__TOKEN_LIFETIME", "canary"), ("COUNTERSIGN_LISTENN", "canary")],
    );
    let expected = [
        ("drain.grac", "drain.grace"),
        ("egress.allow_upstream", "network"),
        ("egress.resolve", "HOST:PORT=ADDR"),
        ("insecure_listen", "true or false"),
        ("limits.deadline", "\"30s\""),
        ("limits.longest_body", "64KiB"),
        ("limits.most_in_flight", "1 or more"),
        ("limits.token_lifetime", "24h"),
        ("listenn", "nearest one is listen"),
        ("listn", "nearest one is listen"),
        ("log", "log.filter"),
        ("master_keys", "env:NAME"),
        ("threads", "from 1 to 1024"),
        ("tokens_per_minute", "limits.tokens_per_minute"),
        ("traces.endpoint", "without a user"),
        ("traces.sample", "from 0 to 1"),
        ("traces.service_name", "a name"),
    ];
    let found = wrong(&json);
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, expected.map(|(key, _)| key));
    for ((key, message), (_, told)) in found.iter().zip(expected) {
        assert!(message.contains(told), "{key}: {message}");
    }
    assert!(!json.to_string().contains("canary"), "{json}");
    let text = json.to_string();
    assert!(text.contains("COUNTERSIGN_LIMITS__TOKEN_LIFETIME") && text.contains("command line"));
}

#[test]
fn what_belongs_together_must_be_there_together() {
    for (file, key) in [
        ("listen = \"0.0.0.0:1\"", "listen"),
        ("listen = \"[::]:1\"", "listen"),
        ("tls.key = \"/dev/null\"", "tls.certificate"),
        ("policy = \"/no/such/file\"", "policy"),
        ("plugins = \"/no/such/folder\"", "plugins"),
        ("egress.upstream_ca = [\"/no/such/file\"]", "egress.upstream_ca"),
        (
            "sandbox = { concurrent_calls = 4, concurrent_calls_per_plugin = 5 }",
            "sandbox.concurrent_calls_per_plugin",
        ),
    ] {
        let found = wrong(&check(file, &[], &[]));
        assert!(found.iter().any(|(found, _)| found == key), "{file}: {found:?}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line_and_not_by_its_text() {
    let json = check("listen = \"127.0.0.1:1\"\nsecret = canary canary\n", &[], &[]);
    let [(_, message)] = &wrong(&json)[..] else { panic!("{json}") };
    assert!(message.contains("line 2"), "{message}");
    assert!(!json.to_string().contains("canary"), "{json}");
}

#[test]
fn later_layers_win_and_variables_that_are_no_settings_are_let_be() {
    let print = |arguments: &[&str], variables: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("countersign.toml"),
            "log.filter = \"debug\"\ndrain.grace = \"1s\"\nlimits.deadline = \"1s\"\n\
             limits.token_lifetime = \"90m\"\nlimits.longest_body = 4096\n",
        )
        .unwrap();
        let data = folder.path().to_str().unwrap();
        let mut command = command(&["config", "print", "--data", data]);
        command.args(arguments).envs(variables.iter().copied());
        let ended = Process::spawn(command).ended();
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
        ended.out
    };
    let out = print(
        &["--log", "warn", "--set", "drain.grace=3s"],
        &[
            ("COUNTERSIGN_DRAIN__GRACE", "2s"),
            ("COUNTERSIGN_LIMITS__DEADLINE", "2s"),
            ("COUNTERSIGN_PINS", ""),
            // What Kubernetes sets where a service has this name, and others that are ours.
            ("COUNTERSIGN_PORT", "tcp://10.0.0.1:80"),
            ("COUNTERSIGN_PORT_8087_TCP_ADDR", "10.0.0.1"),
            ("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
            ("COUNTERSIGN_MASTER_KEY_OLD", "canary"),
            ("COUNTERSIGN_CLIENT_SECRET", "canary"),
        ],
    );
    for line in [
        "filter = \"warn\"",
        "grace = \"3s\"",
        "deadline = \"2s\"",
        "token_lifetime = \"90m\"",
        "longest_body = \"4KiB\"",
    ] {
        assert!(out.lines().any(|it| it == line), "{line}: {out}");
    }
    assert!(!out.contains("canary"));
}

#[test]
fn the_printed_defaults_are_accepted_and_the_document_shows_them() {
    let defaults = run(&["config", "print", "--defaults"]).out;
    let checked = check(&defaults, &[], &[]);
    assert_eq!(checked["valid"], true, "{checked}");
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let document = std::fs::read_to_string(document).unwrap();
    let (_, rest) = document.split_once("```toml\n").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    assert!(shown == defaults, "put what `countersign config print --defaults` prints there");
}

#[tokio::test]
async fn sighup_takes_what_it_can_and_a_broken_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    std::fs::write(&file, "log.filter = \"warn\"\n").unwrap();
    let mut server = Process::serve(folder.path(), &[]);
    let health = format!("{}/healthz", server.url());

    std::fs::write(&file, "limits.deadlin = \"1s\"\nlog.filter = \"info\"\n").unwrap();
    server.signal(Signal::HUP);
    server.logs("limits.deadline");
    assert!(server.log().contains("the old one goes on"), "{}", server.log());
    assert!(reqwest::get(&health).await.unwrap().status().is_success());

    std::fs::write(&file, "drain.grace = \"1s\"\nlog.filter = \"info\"\n").unwrap();
    server.signal(Signal::HUP);
    server.logs("take effect when the server is started again");
    let told = server.log().lines().last().unwrap().to_owned();
    assert!(told.contains("drain.grace") && !told.contains("log.filter"), "{told}");
    // Which is no warning, and so is told under the new filter alone.
    server.logs("reloaded");
    assert_eq!(server.log().matches("reloaded").count(), 1, "{}", server.log());
    assert!(!server.log().contains("ready"), "{}", server.log());
    assert!(reqwest::get(&health).await.unwrap().status().is_success());
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn the_log_has_json_lines_where_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Process::serve(folder.path(), &["--set", "log.format=json"]).stop();
    assert!(ended.err.lines().count() > 1);
    for line in ended.err.lines() {
        let json: Json = serde_json::from_str(line).unwrap();
        assert!(json["message"].is_string() && json["level"].is_string(), "{line}");
    }
}
