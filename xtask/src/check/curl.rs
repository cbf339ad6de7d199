//! The curl commands of docs/api.md do what the page says, in its order, as they stand there; and the one
//! that a first start prints gets a token.
//!
//! The page's own words are what is replaced: `$URL`, `$TOKEN`, `$ID` and `$SECRET` are in the
//! environment, and `conn_…` and `skc_…` are the ids of what was made last. A command fails where the
//! gateway answers with anything but success, or with anything else than the page shows, where `…`
//! stands for whatever it is. The hosts of the page's payloads are played by an upstream on loopback;
//! it has to be shown the very credential of each.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value as Json;

use super::{
    server::Server,
    upstream::{self, Upstream},
};

const PAGE: &str = "docs/api.md";

/// A shell command, and the answer that is shown for it, which may be none.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Example {
    pub(super) command: String,
    answer: String,
}

/// The hosts that the page's requests go to.
const HOSTS: [&str; 4] =
    ["app.asana.com", "api.example.com", "acme.freshdesk.com", "api.attention.tech"];

/// The page's connections, and what an upstream is shown of their accounts in `authorization`.
const SHOWN: [(&str, &str); 4] = [
    ("tasks", "Bearer a-made-up-access-token"),
    ("things", "Bearer a-made-up-token"),
    // `a-made-up-api-key:`
    ("freshdesk", "Basic YS1tYWRlLXVwLWFwaS1rZXk6"),
    ("calls", "a-made-up-integration-token"),
];

/// Runs them all.
pub(super) fn run(root: &Path) -> Result<String> {
    let page = fs::read_to_string(root.join(PAGE))?;
    let examples = examples(&page);
    ensure!(examples.len() >= 35, "{PAGE} has {} curl commands left", examples.len());
    let upstream = Upstream::start(root, &HOSTS)?;
    let server = Server::start(root, &upstream.arguments)?;
    let token = server.token()?;
    let mut ids = BTreeMap::new();
    let mut unseen = BTreeMap::from(SHOWN);
    for example in &examples {
        let command = completed(&example.command, &ids)?;
        let text = output(server.shell(&command)?.current_dir(root).env("TOKEN", &token))
            .with_context(|| command.clone())?;
        if let Some(missing) = missing(&example.answer, &text) {
            bail!("{command}\nhas no {missing} in its answer\n{text}");
        }
        let answer: Json = serde_json::from_str(&text).unwrap_or_default();
        if let Some(connection) = header(&command, "connection_name") {
            let Some(credential) = unseen.remove(connection) else {
                bail!("{command}\nis for a connection of which nothing is known here");
            };
            let seen = upstream::seen(&answer, "authorization");
            ensure!(seen == [credential], "{command}\nshows the upstream {seen:?}");
        }
        for (kind, pointer) in [("conn_", "/connection/id"), ("skc_", "/client/id")] {
            if let Some(id) = answer.pointer(pointer).and_then(Json::as_str) {
                ids.insert(kind, id.to_owned());
            }
        }
    }
    ensure!(unseen.is_empty(), "{PAGE} has no request for {:?}", unseen.keys());
    Ok(format!("{} commands of {PAGE}", examples.len()))
}

/// Runs what a first start prints, with the variables that it says to set, and calls with the token.
pub(super) fn first(root: &Path) -> Result<String> {
    let server = Server::first(root)?;
    let [Example { command, .. }] = &commands(&server.said)[..] else {
        bail!("the first start prints no curl command, or several:\n{}", server.said);
    };
    let mut shell = server.shell(command)?;
    for name in ["COUNTERSIGN_CLIENT_ID", "COUNTERSIGN_CLIENT_SECRET"] {
        shell.env(name, server.shown(name)?);
    }
    let answer: Json = serde_json::from_str(&output(&mut shell)?)?;
    let token = answer["access_token"].as_str().context("the answer has no token")?;
    let call = "curl $URL/api/v1/clients -H \"Authorization: Bearer $TOKEN\"";
    output(server.shell(call)?.env("TOKEN", token)).context("its token is good for nothing")?;
    server.end()?;
    Ok("gets a token".to_owned())
}

/// What a command writes, which ends well.
pub(super) fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}{answer}");
    Ok(answer)
}

/// A header that a command sends.
fn header<'a>(command: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = command.split_once(&format!("'{name}: "))?;
    Some(rest.split_once('\'')?.0)
}

/// All commands that stand in fences of a page.
fn examples(page: &str) -> Vec<Example> {
    // Every second part is inside a fence; the rest of its first line is the language.
    let fences = page.split("\n```").skip(1).step_by(2);
    fences.flat_map(|it| commands(it.split_once('\n').unwrap_or_default().1)).collect()
}

/// The commands of a text: each at the margin or below a blank line, and gone on with in lines that are
/// indented further. What stands below one is its answer.
pub(super) fn commands(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let indented = |line: &str| line.len() - line.trim_start().len();
    let mut margin = 0;
    for line in text.lines() {
        if line.trim_start().starts_with("curl ") {
            margin = indented(line);
            examples.push(Example { command: line.to_owned(), answer: String::new() });
        } else if let Some(last) = examples.last_mut() {
            let goes_on = indented(line) > margin && last.answer.is_empty();
            let text = if goes_on { &mut last.command } else { &mut last.answer };
            text.push('\n');
            text.push_str(line);
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

/// The first part of an answer as the page shows it that the answer has not, in the page's order. The
/// page breaks and indents lines as it likes.
fn missing<'a>(shown: &'a str, answer: &str) -> Option<&'a str> {
    let mut rest = answer;
    for part in shown.split('…').flat_map(str::lines).map(str::trim) {
        let Some(at) = rest.find(part) else { return Some(part) };
        rest = &rest[at + part.len()..];
    }
    None
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
    fn an_answer_must_be_what_the_page_shows() {
        let shown = "\n{\"id\":\"…\",…\n  \"secret\":\"s\"}";
        for (answer, gone) in [
            ("{\"id\":\"1\",\"name\":\"a\",\"secret\":\"s\"}", None),
            ("{\"id\":\"1\",\"secret\":\"t\"}", Some("\"secret\":\"s\"}")),
            ("{\"secret\":\"s\",\"id\":\"1\"}", Some("{\"id\":\"")),
            ("{}", Some("{\"id\":\"")),
        ] {
            assert_eq!(missing(shown, answer), gone, "{answer}");
        }
    }

    #[test]
    fn commands_of_a_program_may_be_indented() {
        let printed = "With both\n\n  curl URL/oauth/token \\\n    -d x\n\nlistening\n";
        let found = commands(printed);
        let texts: Vec<_> = found.iter().map(|it| &*it.command).collect();
        assert_eq!(texts, ["  curl URL/oauth/token \\\n    -d x"]);
    }

    #[test]
    fn a_header_is_found_in_a_command() {
        let command = "curl $URL/proxy/ -H 'connection_name: tasks' -H 'identifier: user-7'";
        assert_eq!(header(command, "connection_name"), Some("tasks"));
        assert_eq!(header("curl $URL/api", "connection_name"), None);
    }
}
