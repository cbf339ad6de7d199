//! The plugins' own functions, without a sandbox.

use countersign_mutation_base64::Base64;
use countersign_plugin::{
    Account, Context, Edit, Entry, Event, Flow, HttpResponse, Mutation, Outcome, Plugin, Purpose,
    Reason, Refusal, State, Step,
};
use countersign_plugin_api_key::ApiKey;
use countersign_plugin_basic::Basic;
use countersign_plugin_bearer::Bearer;
use countersign_plugin_oauth::OAuth;
use serde_json::{Map, Value as Json, json};

use crate::{cases, values};

/// Any time that is not the beginning of time.
const NOW: u64 = 1_700_000_000_000;

#[test]
fn each_plugin_answers_as_its_vectors_say() {
    run::<Basic>("basic");
    run::<Bearer>("bearer");
    run::<ApiKey>("api-key");
    run::<OAuth>("oauth");
}

fn run<P: Plugin>(plugin: &str) {
    for case in cases(&format!("{plugin}/authorize.json")) {
        let context = Context::fixed(case["now"].as_u64().unwrap_or(NOW), 1);
        let given = values(&case);
        let answer = P::authorize(&context, &account(&given), None, &[]);
        let expected = &case["expect"];
        let what = format!("{plugin}: {}", case["name"]);
        match answer {
            Ok(Outcome::Ready(ready)) => {
                let edits: Vec<Json> = ready.edits.iter().map(edit).collect();
                assert_eq!(json!(edits), expected["edits"], "{what}");
            }
            // What comes of it is the flow's business, which the kit runs.
            Ok(Outcome::Renew(_)) => assert_eq!(expected["steps"][1], "begin", "{what}"),
            Ok(Outcome::Show(names)) => panic!("{what}: {names:?}"),
            Err(refusal) => assert_eq!(refused(&refusal), expected["refusal"], "{what}"),
        }
    }
}

fn account(values: &[(String, String)]) -> Account {
    let values: Vec<(&str, &str)> =
        values.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Account::of(&values)
}

fn edit(edit: &Edit) -> Json {
    match edit {
        Edit::SetHeader((name, value)) => json!(["set-header", name.to_lowercase(), value]),
        Edit::SetQuery((name, value)) => json!(["set-query", name, value]),
        Edit::SetCookie((name, value)) => json!(["set-cookie", name, value]),
        other => panic!("{other:?}"),
    }
}

fn refused(refusal: &Refusal) -> Json {
    let reason = match refusal.reason {
        Reason::InvalidConfig => "invalid-config",
        Reason::Reauthorize => "reauthorize",
        Reason::Denied => "denied",
        Reason::Unavailable => "unavailable",
        Reason::InvalidRequest => "invalid-request",
    };
    let mut refused = json!({"reason": reason});
    if let Some(field) = &refusal.field {
        refused["field"] = field.as_str().into();
    }
    refused
}

#[test]
fn each_flow_goes_as_its_vectors_say() {
    for case in cases("oauth/flow.json") {
        let account = account(&values(&case));
        let context = Context::fixed(NOW, 1);
        let purpose = match case["flow"].as_str() {
            Some("renew") => Purpose::Renew(Vec::new()),
            _ => Purpose::Revoke,
        };
        let what = &case["name"];
        let mut fetches = case["fetches"].as_array().into_iter().flatten();
        let mut step = OAuth::begin(&context, &account, &purpose);
        let found = loop {
            match step {
                Ok(Step::Fetch(fetch)) => {
                    let scripted = fetches.next().expect("an answer");
                    let body = String::from_utf8(fetch.request.body).unwrap();
                    let asked = json!({"method": fetch.request.method, "url": fetch.request.url,
                        "body": body});
                    assert_eq!(asked, scripted["expect"], "{what}");
                    let answer = &scripted["answer"];
                    let body = answer["body"].as_str().unwrap_or_default();
                    let reply = HttpResponse {
                        status: u16::try_from(answer["status"].as_u64().unwrap_or(200)).unwrap(),
                        headers: Vec::new(),
                        body: body.as_bytes().to_vec(),
                    };
                    step =
                        OAuth::resume(&context, &account, &Event::Response(reply), &fetch.cursor);
                }
                Ok(Step::Done(state)) => break json!({"state": state_of(&state)}),
                Ok(Step::Pause(_)) => panic!("nobody is here"),
                Err(refusal) => break json!({"refusal": refused(&refusal)}),
            }
        };
        assert!(fetches.next().is_none(), "{what}: every answer is asked for");
        assert_eq!(found, case["expect"], "{what}");
    }
}

/// As the vectors have it: what is not there is left out.
fn state_of(state: &State) -> Json {
    let mut told = json!({"secrets": object(&state.secrets)});
    if !state.attributes.is_empty() {
        told["attributes"] = object(&state.attributes);
    }
    for (name, seconds) in
        [("renew_after", state.renew_after), ("expires_after", state.expires_after)]
    {
        if let Some(seconds) = seconds {
            told[name] = seconds.into();
        }
    }
    told
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
            let object = case[key].as_object().into_iter().flatten();
            object.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned())).collect()
        };
        let found = match Base64::mutate(&entries("values"), &entries("options")) {
            Ok(values) => json!({"value": values[0].1}),
            Err(refusal) => json!({"refusal": refused(&refusal)}),
        };
        assert_eq!(found, case["expect"], "{}", case["name"]);
    }
}
