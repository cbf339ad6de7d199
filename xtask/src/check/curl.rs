//! The curl commands of docs/api.md do what the page says, in its order, as they stand there.
//!
//! The page's own words are what is replaced: `$URL`, `$TOKEN`, `$ID` and `$SECRET` are in the
//! environment, and `conn_…` and `skc_…` are the ids of what was made last. A command fails where the
//! gateway answers with anything but success, or where an answer that the page shows has a member that
//! the gateway's has not.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Result, bail, ensure};
use serde_json::Value as Json;

use super::server::Server;

const PAGE: &str = "docs/api.md";

/// A shell command, and the answer that the page shows, which may be none.
#[derive(Debug, Default, PartialEq)]
struct Example {
    command: String,
    answer: String,
}

/// What the page takes for granted, since it is about one thing at a time: the two providers that it
/// connects to, and a connection that it makes accounts of.
const BEFORE: &[&str] = &[
    "curl $URL/api/v1/custom-providers -H \"Authorization: Bearer $TOKEN\" \
     -H 'Content-Type: application/json' -d @tests/vectors/payloads/asana.json",
    "curl $URL/api/v1/custom-providers -H \"Authorization: Bearer $TOKEN\" \
     -H 'Content-Type: application/json' -d @tests/vectors/payloads/freshdesk.json",
    "curl $URL/api/v1/connections -H \"Authorization: Bearer $TOKEN\" \
     -H 'Content-Type: application/json' \
     -d '{\"connection\": {\"provider_key\": \"my-freshdesk\", \"key_id\": \"freshdesk\"}}'",
];

/// Runs them all.
pub(super) fn run(root: &Path) -> Result<String> {
    let page = fs::read_to_string(root.join(PAGE))?;
    let examples = examples(&page);
    ensure!(examples.len() >= 20, "{PAGE} has {} curl commands left", examples.len());
    let server = Server::start(root)?;
    let token = server.token()?;
    let mut ids = BTreeMap::new();
    let before =
        BEFORE.iter().map(|&command| Example { command: command.into(), ..Example::default() });
    let before: Vec<Example> = before.collect();
    for example in before.iter().chain(&examples) {
        let command = completed(&example.command, &ids)?;
        let output = server.shell(&command)?.current_dir(root).env("TOKEN", &token).output()?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command}\n{error}{answer}");
        let answer: Json = serde_json::from_str(&answer).unwrap_or_default();
        for member in members(&example.answer) {
            ensure!(has(&answer, member), "{command}\nhas no {member} in its answer");
        }
        for (kind, pointer) in [("conn_", "/connection/id"), ("skc_", "/client/id")] {
            if let Some(id) = answer.pointer(pointer).and_then(Json::as_str) {
                ids.insert(kind, id.to_owned());
            }
        }
    }
    Ok(format!("{} commands of {PAGE}", examples.len()))
}

/// All commands that stand in fences of a page.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    // Every second part is inside a fence; the rest of its first line is the language.
    for fenced in page.split("\n```").skip(1).step_by(2) {
        let mut inside = false;
        for line in fenced.lines().skip(1) {
            if line.starts_with("curl ") {
                inside = true;
                examples.push(Example { command: line.to_owned(), answer: String::new() });
            } else if let Some(last) = examples.last_mut().filter(|_| inside) {
                // Commands go on indented; an answer begins at the margin.
                let goes_on = line.starts_with(' ') && last.answer.is_empty();
                let text = if goes_on { &mut last.command } else { &mut last.answer };
                text.push('\n');
                text.push_str(line);
            }
        }
    }
    examples
}

/// The command with the ids of what was made.
fn completed(command: &str, ids: &BTreeMap<&str, String>) -> Result<String> {
    let mut completed = command.to_owned();
    for kind in ["conn_", "skc_"] {
        let placeholder = format!("{kind}…");
        if completed.contains(&placeholder) {
            let Some(id) = ids.get(kind) else {
                bail!("{command}\nis about a {placeholder}, and none was made before it");
            };
            completed = completed.replace(&placeholder, id);
        }
    }
    Ok(completed)
}

/// The names of an answer as the page shows it, which is JSON but for what it leaves out.
fn members(answer: &str) -> impl Iterator<Item = &str> {
    let quoted: Vec<&str> = answer.split('"').collect();
    let named = |nth: usize| quoted.get(nth + 1).is_some_and(|rest| rest.starts_with(':'));
    let names: Vec<&str> =
        (1..quoted.len()).step_by(2).filter(|&nth| named(nth)).map(|nth| quoted[nth]).collect();
    names.into_iter()
}

fn has(answer: &Json, member: &str) -> bool {
    match answer {
        Json::Object(members) => {
            members.contains_key(member) || members.values().any(|value| has(value, member))
        }
        Json::Array(items) => items.iter().any(|item| has(item, member)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "text\n```\ncurl $URL/a \\\n  -d x\n{\"id\":\"conn_…\",…}\ncurl $URL/conn_…\n```\n\
                        curl in words\n```\nHTTP/1.1 400\n```\n```sh\ncurl $URL/b\n```\n";

    #[test]
    fn commands_are_taken_from_fences_with_their_answers() {
        let found = examples(PAGE);
        let texts: Vec<_> = found.iter().map(|it| (&*it.command, it.answer.trim())).collect();
        let expected = [
            ("curl $URL/a \\\n  -d x", "{\"id\":\"conn_…\",…}"),
            ("curl $URL/conn_…", ""),
            ("curl $URL/b", ""),
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn an_id_that_nothing_has_yet_is_a_fault_of_the_page() -> Result<()> {
        assert!(completed("curl $URL/conn_…", &BTreeMap::new()).is_err());
        let ids = BTreeMap::from([("conn_", "conn_1".to_owned())]);
        assert_eq!(completed("curl $URL/conn_…:disable", &ids)?, "curl $URL/conn_1:disable");
        Ok(())
    }

    #[test]
    fn an_answer_must_have_what_the_page_shows() {
        let shown = "{\"client\":{\"id\":\"skc_…\",…},\"client_secret\":\"sks_…\"}";
        assert_eq!(members(shown).collect::<Vec<_>>(), ["client", "id", "client_secret"]);
        let answer = serde_json::json!({"client": {"id": "skc_1"}});
        assert!(has(&answer, "id") && !has(&answer, "client_secret"));
    }
}
