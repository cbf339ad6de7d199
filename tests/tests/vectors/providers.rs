//! The ready-made payloads, each with its vector, and those that documents show.

use countersign::provider::Provider;
use countersign_tests::world::{bundled_registry, no_egress};
use countersign_tests::{host, json, subject};
use http_body_util::Full;
use serde_json::{Value as Json, json};

#[tokio::test]
async fn each_ready_made_payload_makes_the_request_of_its_vector() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut payloads = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(root.join("vectors/providers")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let vector = json(&format!("tests/vectors/providers/{name}"));
        let case = &vector["case"];
        let file = case["provider"]["file"].as_str().expect(&name);
        payloads.insert(file.to_owned());
        let connection = Some(&case["connection"]).filter(|it| it.is_object()).cloned();
        let connection = connection.unwrap_or_else(|| json!({}));
        let subject = subject(&json(file), &connection, &case["account"]);
        let host = host(bundled_registry(), no_egress(), &subject);
        let asked = &case["request"];
        let query = asked["query"].as_str().map(|query| format!("?{query}")).unwrap_or_default();
        let uri = format!("{}{query}", asked["path"].as_str().unwrap());
        let request = http::Request::builder().method(asked["method"].as_str().unwrap()).uri(uri);
        let request = request.body(Full::<bytes::Bytes>::default()).unwrap();
        let made =
            host.prepare(&subject, request).await.unwrap_or_else(|it| panic!("{name}: {it}"));
        let expected = &vector["expect"];
        assert_eq!(made.method().as_str(), expected["method"], "{name}");
        assert_eq!(made.uri().to_string(), expected["url"], "{name}");
        for pair in expected["headers"].as_array().unwrap() {
            let values = made.headers().get_all(pair[0].as_str().unwrap());
            let values: Vec<Json> = values.iter().map(|it| json!(it.to_str().unwrap())).collect();
            assert_eq!(values, [pair[1].clone()], "{name}: {}", pair[0]);
        }
    }
    let there = std::fs::read_dir(root.join("../providers")).unwrap();
    let there =
        there.map(|it| format!("providers/{}", it.unwrap().file_name().into_string().unwrap()));
    assert_eq!(payloads, there.collect(), "each payload has a vector");
}

#[test]
fn a_payload_that_a_document_shows_is_read_without_a_remark() {
    let documents = [
        ("README.md", include_str!("../../../README.md"), 1),
        ("providers.md", include_str!("../../../docs/providers.md"), 1),
        ("auth-types.md", include_str!("../../../docs/auth-types.md"), 5),
        ("digest.md", include_str!("../../../docs/plugins/digest.md"), 1),
        ("ntlm.md", include_str!("../../../docs/plugins/ntlm.md"), 1),
    ];
    for (name, text, shown) in documents {
        let blocks = text.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
        let payloads: Vec<&str> = blocks.filter(|it| it.contains("\"auth_patterns\"")).collect();
        assert_eq!(payloads.len(), shown, "{name}");
        for payload in payloads {
            let provider = Provider::parse_text(payload);
            let provider = provider.unwrap_or_else(|problems| panic!("{name}: {problems}"));
            // What a plugin reads beside, `countersign provider check` knows by asking it.
            let own = ["aws_sigv4", "session", "oauth1", "oauth_config.request_token_uri"];
            let is_own = |path: &str| own.iter().any(|it| path.ends_with(it));
            let strange = provider.warnings().iter().find(|it| !is_own(&it.path));
            assert!(strange.is_none(), "{name}: {strange:?}");
        }
    }
}
