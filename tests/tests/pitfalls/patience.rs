//! Row 20, from the other side: whoever calls must not choose how long a plugin takes. A call that runs
//! out of time is a fault, and some faults suspend the plugin for every account. That servers must not
//! either, the kit's `hostile-reply` shows of each bundled plugin.

use std::sync::Arc;

use bytes::Bytes;
use countersign::{Countersign, Subject};
use countersign_tests::world::no_egress;
use countersign_tests::{registry, sandbox, subject};
use http::Request;
use http_body_util::Full;
use serde_json::{Value as Json, json};

use crate::HOST;

/// The longest query, and the longest form that is signed, of the shortest parameters.
const LONGEST: usize = 60 << 10;

fn signed(pattern: &Json, details: &Json) -> Arc<Subject> {
    let names = details.as_object().unwrap().keys();
    let fields: Vec<Json> = names.map(|name| json!({"field_name": name})).collect();
    let mut pattern = pattern.clone();
    pattern["fields"] = fields.into();
    let provider = json!({
        "display_name": "Signed", "proxy_url": format!("https://{HOST}"), "proxy_enabled": true,
        "auth_patterns": [pattern],
    });
    let account = json!({"identifier": "u",
        "authorization_details": {"static_auth": {"details": details}}});
    subject(&provider, &json!({"client_id": "c", "client_secret": "s"}), &account)
}

#[tokio::test(flavor = "multi_thread")]
async fn row_20_a_request_of_very_many_parameters_is_no_fault_of_who_signs_it() {
    let keys = json!({"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"});
    let aws = |service: &str, placement: &str| {
        let signing = json!({"service": service, "region": "eu-1", "placement": placement});
        signed(&json!({"type": "AWS_SIGV4", "aws_sigv4": signing}), &keys)
    };
    let token = json!({"token": "t", "token_secret": "s"});
    let oauth1 = || signed(&json!({"type": "OAUTH1"}), &token);
    let get = |query: &str| Request::get(format!("/?{query}")).body(Full::default()).unwrap();
    let post = |form: String| {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post("/").header("content-type", kind);
        request.body(Full::new(Bytes::from(form))).unwrap()
    };
    let registry = tokio::task::spawn_blocking(|| registry(None)).await.unwrap();
    let host = Countersign::builder(sandbox(), registry, no_egress()).build();
    for part in ["a&", "&", "%41=%42&", "a+b=c+d&"] {
        let many = part.repeat(LONGEST / part.len());
        for (subject, request) in [
            (aws("s3", "header"), get(&many)),
            (aws("s3", "query"), get(&many)),
            (aws("execute-api", "header"), get(&many)),
            (oauth1(), get(&many)),
            (oauth1(), post(many.clone())),
        ] {
            let prepared = host.prepare(&subject, request).await.map(drop);
            // Parts of nothing are no parameters to OAuth.
            let code = prepared.err().map(|error| error.code().to_string());
            assert!(
                code.is_none() || code.as_deref() == Some("invalid_request"),
                "{part} for {:?}: {code:?}",
                subject.pattern().auth_type()
            );
        }
    }
    for guest in host.registry().listing().serving {
        assert_eq!(guest.status.faults, 0, "{}", guest.name);
    }
}
