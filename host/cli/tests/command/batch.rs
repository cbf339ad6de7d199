//! `countersign inject --batch`.

use serde_json::{Value as Json, json};

use super::*;

/// The JSON examples of docs/inject.md, in their order; one that is a member alone, in braces.
fn examples() -> Vec<Json> {
    let text = std::fs::read_to_string(repository("docs/inject.md")).unwrap();
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let parse = |block: &str| {
        let whole = if block.starts_with('"') { format!("{{{block}}}") } else { block.to_owned() };
        serde_json::from_str(&whole).unwrap_or_else(|error| panic!("{error}: {block}"))
    };
    blocks.map(parse).collect()
}

#[test]
fn the_examples_of_the_document_are_what_the_command_gives() {
    let examples = examples();
    let [account, connection, case, answer, failed, answers, state] = &examples[..] else {
        panic!("{} examples", examples.len())
    };
    let mut empty = case.clone();
    empty["account"]["authorization_details"]["static_auth"]["details"] = json!({});
    let mut stale = json!({"provider": repository_json("providers/asana.json"),
        "account": account, "connection": connection, "request": {"path": "/1.0/users/me"}});
    stale["answers"] = answers["answers"].clone();
    let lines = format!("{case}\n{empty}\n{stale}\n");
    let arguments = ["inject", "--batch", "--now", "2026-01-31T12:00:00Z"];
    let run = run_with(&arguments, lines.as_bytes());
    let given: Vec<Json> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!([&given[0], &given[1]], [answer, failed]);
    assert_eq!(given[2]["state"], state["state"]);
}

fn case(path: &str) -> Json {
    json!({
        "provider": payload("bearer"),
        "connection": {},
        "account": details(&json!({"token": "canary-token"})),
        "request": {"method": "GET", "path": path, "query": "q=1", "headers": [["x-a", "b"]],
            "body": null},
    })
}

fn renewal(answers: &Json) -> Json {
    json!({
        "provider": payload("asana"),
        "connection": oauth_connection(),
        "account": stale(),
        "request": {"method": "GET", "path": "/1.0/users/me"},
        "answers": answers,
    })
}

fn batch(lines: &[String], more: &[&str]) -> (Run, Vec<Json>) {
    let input = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let run = run_with(&[&["inject", "--batch"], more].concat(), input.as_bytes());
    let answers = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (run, answers)
}

#[test]
fn answers_come_in_order_and_a_bad_line_is_an_error_line() {
    let mut unknown = case("/u");
    unknown["request"]["qwery"] = "canary-query".into();
    let mut torn = case("/h");
    torn["request"]["headers"] = json!([["a"]]);
    let mut both = case("/b?x=1");
    both["request"]["body"] = json!({"text": "a", "base64": "YQ=="});
    let lines = [
        case("/first").to_string(),
        "canary-not-json".to_owned(),
        String::new(),
        "[]".to_owned(),
        unknown.to_string(),
        torn.to_string(),
        both.to_string(),
        case("/a#b").to_string(),
        case("/../climb").to_string(),
        case("/last").to_string(),
    ];
    let (run, answers) = batch(&lines, &[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    run.hides(&["canary"]);
    let codes: Vec<_> =
        answers.iter().map(|it| it["error"]["code"].as_str().unwrap_or("ok")).collect();
    let invalid = "case_invalid";
    assert_eq!(
        codes,
        [
            "ok",
            invalid,
            invalid,
            invalid,
            invalid,
            invalid,
            invalid,
            invalid,
            "target_refused",
            "ok"
        ]
    );
    assert_eq!(answers[0]["url"], "https://api.example.com/first?q=1");
    assert_eq!(answers[9]["url"], "https://api.example.com/last?q=1");
    assert_eq!(answers[5]["error"]["field"], "request.headers");
}

#[test]
fn a_line_that_is_not_utf_8_and_a_last_line_without_an_end_are_answered() {
    let mut input = b"\xff\n".to_vec();
    input.extend_from_slice(case("/last").to_string().as_bytes());
    let run = run_with(&["inject", "--batch"], &input);
    let answers: Vec<Json> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0]["error"]["code"], "case_invalid");
    assert_eq!(answers[1]["url"], "https://api.example.com/last?q=1");
    assert_eq!(answers.len(), 2);
}

#[test]
fn a_renewal_is_answered_from_the_script_and_its_state_comes_back() {
    let lines = [renewal(&json!([token_reply()])).to_string()];
    let fixed = ["--now", "2026-01-31T12:00:00Z", "--seed", "1"];

    let (masked, answers) = batch(&lines, &[&fixed[..], &["--log", "trace"]].concat());
    masked.hides(OAUTH_CANARIES);
    assert_eq!(headers(&answers[0]), json!([["authorization", "Bearer [masked]"]]));
    assert_eq!(answers[0]["fetches"][0]["url"], "https://app.asana.com/-/oauth_token");
    assert_eq!(answers[0]["state"]["secrets"]["refresh_token"], "[masked]");
    assert_eq!(answers[0]["state"]["expires_at"], "2026-01-31T13:00:00Z");

    let (shown, answers) = batch(&lines, &[&fixed[..], &["--reveal"]].concat());
    assert_eq!(headers(&answers[0]), json!([["authorization", "Bearer canary-new-access"]]));
    assert_eq!(answers[0]["state"]["secrets"]["refresh_token"], "canary-new-refresh");
    let fetched = answers[0]["fetches"][0]["body"]["text"].as_str().unwrap();
    assert!(fetched.contains("refresh_token=canary-refresh"), "{fetched}");
    assert_eq!(batch(&lines, &[&fixed[..], &["--reveal"]].concat()).0.out, shown.out);
}

#[test]
fn a_state_that_was_shown_can_be_given_back() {
    let lines = [renewal(&json!([token_reply()])).to_string()];
    let (_, answers) = batch(&lines, &["--reveal"]);
    let mut case = renewal(&json!([]));
    case["state"] = answers[0]["state"].clone();
    let (_, answers) = batch(&[case.to_string()], &["--reveal"]);
    assert_eq!(headers(&answers[0]), json!([["authorization", "Bearer canary-new-access"]]));
    assert_eq!(answers[0].get("state"), None, "nothing changed it");
}

#[test]
fn where_the_answers_run_out_the_fetch_is_named() {
    let (run, answers) = batch(&[renewal(&json!([])).to_string()], &[]);
    run.hides(OAUTH_CANARIES);
    let error = &answers[0]["error"];
    assert_eq!(error["code"], "answers_missing");
    assert!(error["message"].as_str().unwrap().contains("https://app.asana.com"), "{error}");
    assert_eq!(answers[0]["fetches"].as_array().unwrap().len(), 1);
}

#[test]
fn a_fetch_without_tls_is_refused_unless_it_is_let() {
    let mut case = renewal(&json!([]));
    let config = &mut case["provider"]["auth_patterns"][0]["oauth_config"];
    config["token_uri"] = "http://127.0.0.1:9/token".into();
    let (_, answers) = batch(&[case.to_string()], &[]);
    assert_eq!(answers[0]["error"]["code"], "target_refused", "{}", answers[0]);
    let (_, answers) = batch(&[case.to_string()], &["--allow-http-upstream"]);
    let error = &answers[0]["error"];
    assert_eq!(error["code"], "answers_missing", "{error}");
    assert!(error["message"].as_str().unwrap().contains("http://127.0.0.1:9"), "{error}");
}
