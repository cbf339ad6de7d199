//! `countersign provider check`.

use serde_json::json;

use super::*;

#[test]
fn every_ready_payload_is_good() {
    let mut files: Vec<String> = std::fs::read_dir(repository("providers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert!(files.len() >= 12);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let run = run(&[&["provider", "check"][..], &files].concat());
    assert_eq!(run.code, 0, "{}", run.out);
}

#[test]
fn every_problem_of_a_broken_payload_is_told_at_once() {
    let files = Files::new();
    let broken = files.json(
        "broken.json",
        &json!({
            "display_name": "Broken",
            "proxy_enabled": "yes",
            "proxy_url": "http://{{nobody}}:{{port}}/api",
            "proxy_headers": {"Host": "evil"},
            "auth_patterns": [
                {"type": "NO_SUCH_TYPE", "fields": [{"label": "no name"}]},
                {"type": "BEARER", "display_name": "b",
                    "auth_field_mutations": {"token": {"mutation": "no-such-mutation"}}},
            ],
        }),
    );
    let good = repository("providers/asana.json");
    let arguments = ["provider", "check", &broken, good.to_str().unwrap()];
    let text = run(&arguments);
    assert_eq!(text.code, 1);
    let json = run(&[&arguments[..], &["--json"]].concat());
    assert_eq!(json.code, 1);
    let reports = json.json();
    assert_eq!((&reports[0]["ok"], &reports[1]["ok"]), (&json!(false), &json!(true)));
    let problems = reports[0]["problems"].as_array().unwrap();
    for path in [
        "proxy_enabled",
        "proxy_headers.Host",
        "auth_patterns[0].type",
        "auth_patterns[0].fields[0].field_name",
        "auth_patterns[1].auth_field_mutations.token.mutation",
    ] {
        let found = problems.iter().find(|it| it["path"] == path);
        let found = found.unwrap_or_else(|| panic!("{path}: {problems:#?}"));
        assert_ne!(found["fix"], "", "{path}");
        assert!(text.out.contains(path), "{path}: {}", text.out);
    }
    let of_type = problems.iter().find(|it| it["path"] == "auth_patterns[0].type").unwrap();
    assert!(
        of_type["fix"].as_str().unwrap().contains("API_KEY, AWS_SIGV4, BASIC, BEARER, DIGEST, ")
    );
}

#[test]
fn a_file_that_is_no_payload_is_told_and_the_next_one_still_read() {
    let files = Files::new();
    let torn = files.bytes("torn.json", b"{\"token\": canary-torn}");
    let missing = files.path("missing.json");
    let good = repository("providers/asana.json");
    let run = run(&["provider", "check", &torn, &missing, good.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    run.hides(&["canary-torn"]);
    assert!(run.out.contains("torn.json: refused"), "{}", run.out);
    assert!(run.out.contains("missing.json: refused"), "{}", run.out);
    assert!(run.out.contains("asana.json: ok"), "{}", run.out);
}

/// What a plugin asks to see of its pattern is a setting; what nothing reads may be misspelt.
#[test]
fn settings_that_the_plugin_of_the_pattern_reads_are_known() {
    let files = Files::new();
    let field = |name: &str| json!({"field_name": name, "required": true});
    let payload = |auth_type: &str| {
        json!({
            "display_name": "Signed",
            "proxy_enabled": true,
            "proxy_url": "https://api.example.com",
            "auth_patterns": [{
                "type": auth_type, "display_name": "Keys",
                "fields": [field("access_key_id"), field("secret_access_key"), field("token")],
                "aws_sigv4": {"region": "eu-west-1", "service": "s3"},
                "aws_sigv5": {"region": "eu-west-1"},
            }],
        })
    };
    for (auth_type, unknown) in [
        ("AWS_SIGV4", &["auth_patterns[0].aws_sigv5"][..]),
        ("BEARER", &["auth_patterns[0].aws_sigv4", "auth_patterns[0].aws_sigv5"]),
    ] {
        let file = files.json("p.json", &payload(auth_type));
        let text = run(&["provider", "check", &file, "--json"]);
        assert_eq!(text.code, 0, "{}", text.out);
        let told = text.json();
        let told = told[0]["problems"].as_array().unwrap().iter();
        let paths: Vec<_> = told.map(|it| it["path"].as_str().unwrap()).collect();
        assert_eq!(paths, unknown, "{}", text.out);
    }
}

/// What a plugin wants of every account, or of the pattern, and the provider does not have: each is a
/// warning, as a host without that plugin would take the payload all the same.
#[test]
fn what_the_plugin_misses_in_a_provider_is_told() {
    let files = Files::new();
    let provider = |name: &str, pattern: serde_json::Value| {
        let payload = json!({
            "display_name": name, "proxy_enabled": true,
            "proxy_url": "https://api.example.com", "auth_patterns": [pattern],
        });
        files.json(&format!("{name}.json"), &payload)
    };
    for (name, pattern, told) in [
        (
            "basic",
            json!({"type": "BASIC", "fields": [{"field_name": "password"}]}),
            &["fields has no field `username`, which BASIC needs of every account"][..],
        ),
        ("bearer", json!({"type": "BEARER"}), &["fields has no field `token`"]),
        (
            "placed",
            json!({"type": "BEARER", "fields": [
            {"field_name": "key", "header_name": "X-Key", "required": true}]}),
            &[],
        ),
        (
            "mutated",
            json!({"type": "BEARER", "fields": [{"field_name": "key"}],
            "auth_field_mutations": {"token": {"prefix": "{{key}}"}}}),
            &[],
        ),
        (
            "aws",
            json!({"type": "AWS_SIGV4", "fields": [
            {"field_name": "access_key_id"}, {"field_name": "secret_access_key"}]}),
            &["aws_sigv4.service is missing, and AWS_SIGV4 needs it"],
        ),
        (
            "session",
            json!({"type": "SESSION"}),
            &["session.requests is refused by SESSION: 1 to 7 requests are expected"],
        ),
    ] {
        let run = run(&["provider", "check", &provider(name, pattern)]);
        assert_eq!(run.code, 0, "{}", run.out);
        assert_eq!(run.out.contains("warning"), !told.is_empty(), "{name}: {}", run.out);
        for told in told {
            assert!(run.out.contains(&format!("auth_patterns[0].{told}")), "{name}: {}", run.out);
        }
    }
}
