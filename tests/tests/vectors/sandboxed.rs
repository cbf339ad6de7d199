//! The built components, through the whole path of a request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use countersign::clock::FixedClock;
use countersign::egress::EgressError;
use countersign::flow::{Fetcher, Progress};
use countersign::store::MemoryStore;
use countersign::{Countersign, Error, Subject};
use countersign_tests::sandbox;
use countersign_tests::world::{bundled_registry, get, no_egress};
use http::{Request, Response};
use serde_json::{Map, Value as Json, json};

use crate::documents::{FLOW_VALUES, subject_of};
use crate::{cases, values};

/// Any time that is not the beginning of time.
const NOW: u64 = 1_700_000_000_000;

/// Answers from a vector, and keeps what it was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<Json>>,
    fetches: Mutex<Vec<Json>>,
}

#[async_trait]
impl Fetcher for Script {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        _: usize,
        _: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let asked = json!([request.method().as_str(), request.uri().to_string(), body]);
        self.fetches.lock().unwrap().push(asked);
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() {
            return Err(EgressError::Method);
        }
        let answer = answers.remove(0);
        let mut reply = Response::new(Bytes::from(answer[1].as_str().unwrap().to_owned()));
        *reply.status_mut() =
            u16::try_from(answer[0].as_u64().unwrap()).unwrap().try_into().unwrap();
        Ok(reply)
    }
}

fn host(subject: &Subject, now: u64, script: &Arc<Script>) -> Countersign {
    let store = MemoryStore::default();
    if let Some(state) = subject.account().state() {
        store.seed(subject.state_key().clone(), state.clone());
    }
    Countersign::builder(sandbox(), bundled_registry(), no_egress())
        .store(Arc::new(store))
        .clock(Arc::new(FixedClock(now)))
        .fetcher(Arc::clone(script) as _)
        .build()
}

/// As a plugin's own refusal: the host may say it first, and then names the field alone.
fn refused(error: &Error, expected: &Json) -> Json {
    let full = expected["refusal"][1].as_str();
    let field = error.field().map(|field| full.filter(|it| it.ends_with(field)).unwrap_or(field));
    json!({"refusal": [error.code(), field]})
}

#[tokio::test]
async fn each_component_answers_as_its_vectors_say() {
    for (plugin, auth_type) in
        [("basic", "BASIC"), ("bearer", "BEARER"), ("api-key", "API_KEY"), ("oauth", "OAUTH")]
    {
        for case in cases(&format!("{plugin}/authorize.json")) {
            let what = format!("{plugin}: {}", case["name"]);
            let mut given = values(&case);
            if case["expect"]["renew"] == true {
                given.extend(FLOW_VALUES);
            }
            let subject = subject_of(auth_type, &given);
            let script = Arc::new(Script::default());
            let host = host(&subject, case["now"].as_u64().unwrap_or(NOW), &script);
            let prepared = host.prepare(&subject, get("/")).await;
            let expected = &case["expect"];
            if expected["renew"] == true {
                // The token endpoint is out of reach here: that it was asked is the answer.
                assert!(prepared.is_err() && script.fetches.lock().unwrap().len() == 1, "{what}");
                continue;
            }
            match prepared {
                Err(error) => assert_eq!(refused(&error, expected), *expected, "{what}"),
                Ok(request) => check(&request, expected["edits"].as_array().expect(&what), &what),
            }
        }
    }
}

/// Every edit is on the request, and no other: the request came with nothing of its own.
fn check<B>(request: &Request<B>, edits: &[Json], what: &str) {
    let mut found: Vec<Json> = Vec::new();
    for (name, value) in request.headers() {
        let value: String = value.as_bytes().iter().copied().map(char::from).collect();
        match name.as_str() {
            "accept" => {}
            "cookie" => {
                let (name, value) = value.split_once('=').unwrap();
                found.push(json!(["cookie", name, value]));
            }
            name => found.push(json!(["header", name, value])),
        }
    }
    let url = url::Url::parse(&request.uri().to_string()).unwrap();
    found.extend(url.query_pairs().map(|(name, value)| json!(["query", name, value])));
    let sorted = |edits: &[Json]| {
        let mut edits: Vec<String> = edits.iter().map(ToString::to_string).collect();
        edits.sort();
        edits
    };
    assert_eq!(sorted(&found), sorted(edits), "{what}");
}

#[tokio::test]
async fn each_flow_of_a_component_goes_as_its_vectors_say() {
    for case in cases("oauth/flow.json") {
        let mut given = FLOW_VALUES.to_vec();
        given.extend(values(&case));
        let subject = subject_of("OAUTH", &given);
        let script = Arc::new(Script::default());
        script.answers.lock().unwrap().extend(case["answers"].as_array().unwrap().clone());
        let host = host(&subject, NOW, &script);
        let ended = match case["flow"].as_str() {
            Some("renew") => host.renew(&subject).await,
            _ => host.revoke(&subject).await.map(|progress| match progress {
                Progress::Done(state) => state,
                Progress::Paused(_) => panic!("nobody is here"),
            }),
        };
        let mut found = match ended {
            Err(error) => refused(&error, &case["expect"]),
            Ok(state) => {
                let secrets = state.secrets.iter();
                let secrets: Map<String, Json> =
                    secrets.map(|(name, it)| (name.clone(), it.expose().into())).collect();
                json!({
                    "secrets": secrets,
                    "attributes": state.attributes,
                    "expires_after": state.expires_at.map(|until| (until - NOW) / 1000),
                })
            }
        };
        found["fetches"] = script.fetches.lock().unwrap().clone().into();
        assert_eq!(found, case["expect"], "{}", case["name"]);
    }
}
