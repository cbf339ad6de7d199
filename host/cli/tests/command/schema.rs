//! The schemas of docs/schema hold for real cases and answers.

use jsonschema::Validator;
use serde_json::{Value as Json, json};

use super::*;

fn schema(name: &str) -> Validator {
    let schema = repository_json(&format!("docs/schema/{name}.json"));
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn check(schema: &Validator, json: &Json, what: &str) {
    let errors: Vec<String> =
        schema.iter_errors(json).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{json:#}");
}

/// The vectors of the ready payloads, each a case and what must come out of it.
fn vectors() -> Vec<(String, Json, Json)> {
    let mut paths: Vec<_> = std::fs::read_dir(repository("tests/vectors/providers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let mut vector: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let mut case = vector["case"].take();
            let file = case["provider"]["file"].as_str().unwrap().to_owned();
            case["provider"] = repository_json(&file);
            (vector["name"].as_str().unwrap().to_owned(), case, vector["expect"].take())
        })
        .collect()
}

fn stale_case(answers: &Json) -> Json {
    json!({"provider": payload("asana"), "connection": oauth_connection(), "account": stale(),
        "request": {"path": "/x", "body": {"base64": "//4="}}, "answers": answers})
}

#[test]
fn every_vector_and_its_answer_fit_the_schemas_and_each_other() {
    let (cases, answers) = (schema("inject-case"), schema("inject-answer"));
    let vectors = vectors();
    assert!(vectors.len() >= 12);
    let mut lines: Vec<Json> = vectors.iter().map(|(_, case, _)| case.clone()).collect();
    lines.push(stale_case(&json!([token_reply()])));
    lines.push(stale_case(&json!([])));
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    for more in [&[][..], &["--reveal"]] {
        let run = run_with(&[&["inject", "--batch"], more].concat(), input.as_bytes());
        assert_eq!(run.code, 0, "{}", run.err);
        let given: Vec<Json> =
            run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(given.len(), lines.len());
        for (case, answer) in lines.iter().zip(&given) {
            check(&cases, case, "a case");
            check(&answers, answer, "an answer");
        }
        if more.is_empty() {
            continue;
        }
        for ((name, _, expect), answer) in vectors.iter().zip(&given) {
            assert_eq!(answer["method"], expect["method"], "{name}");
            assert_eq!(answer["url"], expect["url"], "{name}");
            assert_eq!(headers(answer), expect["headers"], "{name}");
        }
    }
}

#[test]
fn what_the_command_refuses_does_not_fit_either() {
    let cases = schema("inject-case");
    let good = stale_case(&json!([token_reply()]));
    assert!(cases.is_valid(&good));
    for (pointer, value) in [
        ("/request", json!(null)),
        ("/request/headers", json!([["a"]])),
        ("/request/body", json!({"text": "a", "base64": "YQ=="})),
        ("/request/qwery", json!("")),
        ("/answers/0/status", json!(42)),
        ("/unknown", json!(1)),
    ] {
        let mut bad = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[key] = value;
        assert!(!cases.is_valid(&bad), "{pointer}");
        let run = run_with(&["inject", "--batch"], bad.to_string().as_bytes());
        assert_eq!(run.json()["error"]["code"], "case_invalid", "{pointer}: {}", run.out);
    }
}

/// The vectors of the bundled components, and every case that docs/plugins/testing.md shows.
#[test]
fn every_file_of_cases_fits_the_schema_and_what_the_kit_refuses_does_not() {
    let schema = schema("plugin-case");
    for file in [
        "basic/authorize",
        "bearer/authorize",
        "api-key/authorize",
        "oauth/authorize",
        "oauth/flow",
        "mutation-base64/mutate",
    ] {
        check(&schema, &repository_json(&format!("tests/vectors/{file}.json")), file);
    }
    let text = std::fs::read_to_string(repository("docs/plugins/testing.md")).unwrap();
    let blocks = text.split("```json\n").skip(1).map(|it| it.split("```").next().unwrap());
    let shown: Vec<Json> = blocks.map(|block| serde_json::from_str(block).unwrap()).collect();
    assert_eq!(shown.len(), 3);
    for json in shown {
        // One of them is a case alone.
        let json = if json.get("name").is_some() { json!([json]) } else { json };
        check(&schema, &json, "docs/plugins/testing.md");
    }
    for bad in [
        json!([]),
        json!({"values": {}}),
        json!([{"name": "n", "tpyo": 1}]),
        json!([{"name": "n", "values": {"account/a": 1}}]),
        json!([{"name": "n", "expect": {"refusal": {"reason": "no"}}}]),
        json!([{"name": "n", "fetches": [{"failed": "often"}]}]),
        json!([{"name": "n", "memo": {"base64": 1}}]),
    ] {
        assert!(!schema.is_valid(&bad), "{bad}");
    }
}
