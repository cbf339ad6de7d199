//! The example of a new project, as it stands among the templates: it compiles here, its own tests run
//! here, and it answers as its vectors say.

use countersign_plugin::{Account, Context, Edit, Outcome, Plugin as _};
use serde_json::{Value as Json, json};

#[path = "../templates/rust/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library in its own project")]
mod example;

#[test]
fn it_answers_as_its_vectors_say() {
    let cases: Json =
        serde_json::from_str(include_str!("../templates/rust/vectors/authorize.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let values: Vec<(&str, &str)> = case["values"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str().unwrap()))
            .collect();
        let context = Context::fixed(case["now"].as_u64().unwrap(), 0);
        let answer = example::Acme::authorize(&context, &Account::of(&values), None, &[]);
        let found = match answer {
            Ok(Outcome::Ready(ready)) => {
                json!({"edits": ready.edits.iter().map(edit).collect::<Vec<_>>()})
            }
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => {
                assert_eq!(refusal.reason, countersign_plugin::Reason::InvalidConfig);
                json!({"refusal": ["invalid_config", refusal.field]})
            }
        };
        assert_eq!(found, case["expect"], "{}", case["name"]);
    }
}

fn edit(edit: &Edit) -> Json {
    match edit {
        Edit::SetHeader((name, value)) => json!(["header", name, value]),
        other => panic!("{other:?}"),
    }
}
