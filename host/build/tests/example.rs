//! The example of a new project, as it stands among the templates: it compiles here, its own tests run
//! here, and it answers as its vectors say.

use countersign_plugin::{Account, Context, Edit, Outcome, Plugin as _, Reason, Refusal};
use serde_json::{Value as Json, json};

#[path = "../templates/rust/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library in its own project")]
mod example;

#[test]
fn it_answers_as_its_vectors_say() {
    let file: Json =
        serde_json::from_str(include_str!("../templates/rust/vectors/authorize.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let mut values = file["values"].as_object().unwrap().clone();
        values.extend(case["values"].as_object().cloned().unwrap_or_default());
        let values: Vec<(&str, &str)> =
            values.iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
        let context = Context::fixed(case["now"].as_u64().unwrap_or(1_700_000_000_000), 0);
        let account = Account::of(&values);
        let found = if case["validate"] == true {
            let problems = example::AcmeAuth::validate(&context, &account);
            json!({"problems": problems.iter().map(refusal).collect::<Vec<_>>()})
        } else {
            match example::AcmeAuth::authorize(&context, &account, None, &[]) {
                Ok(Outcome::Ready(ready)) => {
                    json!({"edits": ready.edits.iter().map(edit).collect::<Vec<_>>()})
                }
                Ok(other) => panic!("{other:?}"),
                Err(refused) => json!({"refusal": refusal(&refused)}),
            }
        };
        assert_eq!(found, case["expect"], "{}", case["name"]);
    }
}

fn refusal(refusal: &Refusal) -> Json {
    assert_eq!(refusal.reason, Reason::InvalidConfig);
    json!({"reason": "invalid-config", "field": refusal.field})
}

fn edit(edit: &Edit) -> Json {
    match edit {
        Edit::SetHeader((name, value)) => json!(["set-header", name, value]),
        other => panic!("{other:?}"),
    }
}

/// The third quotation of the guide is what an author adds.
#[test]
fn the_guide_quotes_it_as_it_is() {
    let guide = include_str!("../../../docs/plugins/writing.md").replace("X_MY_API", "X_ACME");
    let example: Vec<&str> =
        include_str!("../templates/rust/src/lib.rs").lines().map(str::trim).collect();
    let blocks = guide.split("```rust\n").skip(1).filter_map(|it| it.split("```").next());
    let blocks: Vec<&str> = blocks.collect();
    assert_eq!(blocks.len(), 3);
    for block in &blocks[..2] {
        let quoted: Vec<&str> = block.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        let mut example = example.clone();
        // The guide leaves comments out.
        example.retain(|line| !line.starts_with("//"));
        assert!(example.windows(quoted.len()).any(|it| it == quoted), "{block}");
    }
}
