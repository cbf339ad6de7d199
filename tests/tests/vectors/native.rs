//! The plugins' own functions, without a sandbox.

use countersign_mutation_base64::Base64;
use countersign_plugin::{
    Account, Context, Edit, Entry, Event, Flow, HttpResponse, Mutation, Outcome, Plugin, Purpose,
    Reason, Refusal, Step,
};
use countersign_plugin_api_key::ApiKey;
use countersign_plugin_basic::Basic;
use countersign_plugin_bearer::Bearer;
use countersign_plugin_oauth::OAuth;
use serde_json::{Map, Value as Json, json};

use crate::{cases, values};

#[test]
fn each_plugin_answers_as_its_vectors_say() {
    run::<Basic>("basic");
    run::<Bearer>("bearer");
    run::<ApiKey>("api-key");
    run::<OAuth>("oauth");
}

fn run<P: Plugin>(plugin: &str) {
    for case in cases(&format!("{plugin}/authorize.json")) {
        let context = Context::fixed(case["now"].as_u64().unwrap_or(0), 1);
        let answer = P::authorize(&context, &Account::of(&values(&case)), None, &[]);
        let found = match answer {
            Ok(Outcome::Ready(ready)) => {
                json!({"edits": ready.edits.iter().map(edit).collect::<Vec<_>>()})
            }
            Ok(Outcome::Renew(_)) => json!({"renew": true}),
            Ok(Outcome::Show(names)) => json!({"show": names}),
            Err(refusal) => json!({"refusal": refused(&refusal)}),
        };
        assert_eq!(found, case["expect"], "{plugin}: {}", case["name"]);
    }
}

fn edit(edit: &Edit) -> Json {
    match edit {
        Edit::SetHeader((name, value)) => json!(["header", name.to_lowercase(), value]),
        Edit::SetQuery((name, value)) => json!(["query", name, value]),
        Edit::SetCookie((name, value)) => json!(["cookie", name, value]),
        other => panic!("{other:?}"),
    }
}

fn refused(refusal: &Refusal) -> Json {
    let reason = match refusal.reason {
        Reason::InvalidConfig => "invalid_config",
        Reason::Reauthorize => "reauthorize",
        Reason::Denied => "denied",
        Reason::Unavailable => "unavailable",
        Reason::InvalidRequest => "invalid_request",
    };
    json!([reason, refusal.field])
}

#[test]
fn each_flow_goes_as_its_vectors_say() {
    for case in cases("oauth/flow.json") {
        let mut given = values(&case);
        for usual in super::documents::FLOW_VALUES {
            if !given.iter().any(|(name, _)| *name == usual.0) {
                given.push(*usual);
            }
        }
        if let Some(token) = given.iter().find(|it| it.0 == "account/token").map(|it| it.1) {
            given.push(("state/access_token", token));
        }
        let account = Account::of(&given);
        let context = Context::fixed(0, 1);
        let purpose = match case["flow"].as_str() {
            Some("renew") => Purpose::Renew(Vec::new()),
            _ => Purpose::Revoke,
        };
        let mut fetches = Vec::new();
        let mut answers = case["answers"].as_array().unwrap().iter();
        let mut step = OAuth::begin(&context, &account, &purpose);
        let mut found = loop {
            match step {
                Ok(Step::Fetch(fetch)) => {
                    let body = String::from_utf8(fetch.request.body).unwrap();
                    fetches.push(json!([fetch.request.method, fetch.request.url, body]));
                    let answer = answers.next().expect("an answer");
                    let reply = HttpResponse {
                        status: u16::try_from(answer[0].as_u64().unwrap()).unwrap(),
                        headers: Vec::new(),
                        body: answer[1].as_str().unwrap().as_bytes().to_vec(),
                    };
                    step =
                        OAuth::resume(&context, &account, &Event::Response(reply), &fetch.cursor);
                }
                Ok(Step::Done(state)) => {
                    break json!({
                        "secrets": object(&state.secrets),
                        "attributes": object(&state.attributes),
                        "expires_after": state.expires_after,
                    });
                }
                Ok(Step::Pause(_)) => panic!("nobody is here"),
                Err(refusal) => break json!({"refusal": refused(&refusal)}),
            }
        };
        found["fetches"] = fetches.into();
        assert_eq!(found, case["expect"], "{}", case["name"]);
    }
}

fn object(entries: &[Entry]) -> Json {
    entries
        .iter()
        .map(|(name, text)| (name.clone(), text.clone().into()))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
fn the_mutation_answers_as_its_vectors_say() {
    for case in cases("mutation-base64/mutate.json") {
        let entries = |key: &str| -> Vec<Entry> {
            let object = case[key].as_object().unwrap();
            object
                .iter()
                .map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()))
                .collect()
        };
        let found = match Base64::mutate(&entries("values"), &entries("options")) {
            Ok(values) => json!({"value": values[0].1}),
            Err(refusal) => json!({"refusal": refused(&refusal)}),
        };
        assert_eq!(found, case["expect"], "{}", case["name"]);
    }
}
