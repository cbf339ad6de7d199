//! What the documents show is a pattern without a fault.

use countersign_tests::host;
use countersign_tests::subject;
use countersign_tests::world::{bundled_registry, no_egress};
use serde_json::{Value as Json, json};

#[tokio::test]
async fn the_patterns_of_the_documents_have_no_fault() {
    let text = include_str!("../../../docs/auth-types.md");
    let examples = text.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut seen = Vec::new();
    for example in examples {
        let provider: Json = serde_json::from_str(example).unwrap();
        let auth_type = provider["auth_patterns"][0]["type"].as_str().unwrap().to_owned();
        if !["SESSION", "OAUTH_DEVICE"].contains(&auth_type.as_str()) {
            continue;
        }
        let details = json!({"username": "ann", "password": "p"});
        let account = json!({"identifier": "u",
            "authorization_details": {"static_auth": {"details": details}}});
        let subject = subject(&provider, &json!({"client_id": "c"}), &account);
        let host = host(bundled_registry(), no_egress(), &subject);
        let found = host.validate(&subject).await.unwrap();
        assert!(found.is_empty(), "{auth_type}: {found:?}");
        seen.push(auth_type);
    }
    assert_eq!(seen, ["SESSION", "OAUTH_DEVICE"]);
}
