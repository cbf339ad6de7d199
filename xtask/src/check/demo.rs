//! What `countersign demo --serve` prints works as it stands: each command ends well, each request shows
//! the upstream the credential of its account, and Ctrl-C leaves nothing behind.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;

use super::{
    curl::{commands, output},
    server::Server,
    upstream::seen,
};

/// A header, and how its value begins and ends.
type Header = (&'static str, &'static str, &'static str);

/// Connections and identifiers, and what the upstream is shown of their accounts.
const SHOWN: [(&str, &str, &[Header]); 6] = [
    ("asana", "user-1", &[("authorization", "Bearer example-access-token", "")]),
    ("bearer", "user-1", &[("authorization", "Bearer example-bearer-token", "")]),
    // `example-api-key:`
    ("freshdesk", "user-1", &[("authorization", "Basic ZXhhbXBsZS1hcGkta2V5Og==", "")]),
    ("attention", "user-1", &[("authorization", "example-integration-token", "")]),
    (
        "timestamped",
        "user-1",
        &[("x-client", "client-7", ""), ("x-client-key", "", ".example-client-key")],
    ),
    ("bearer", "user-2", &[("authorization", "Bearer another-token", "")]),
];

/// Runs them all.
pub(super) fn run(root: &Path) -> Result<String> {
    let server = Server::demo(root)?;
    let token = server.shown("TOKEN")?;
    let examples = commands(&server.said);
    let mut left = SHOWN.to_vec();
    for example in &examples {
        let command = &example.command;
        let text = output(server.shell(command)?.env("TOKEN", token));
        let answer: Json = text
            .and_then(|text| Ok(serde_json::from_str(&text)?))
            .with_context(|| command.clone())?;
        let of = |&(connection, identifier, _): &(&str, &str, _)| {
            command.contains(&format!("connection_name: {connection}'"))
                && command.contains(&format!("identifier: {identifier}'"))
        };
        if let Some(nth) = left.iter().position(of) {
            let (_, _, headers) = left.swap_remove(nth);
            for &(name, start, end) in headers {
                let values = seen(&answer, name);
                let right = matches!(values[..], [it] if within(it, start, end));
                ensure!(right, "{command}\nshows the upstream {name}: {values:?}");
            }
        }
    }
    ensure!(left.is_empty(), "no command is for {left:?}");
    let managed = examples.len() - SHOWN.len();
    ensure!(managed > 3, "{managed} commands are left that are not requests for an account");
    server.end()?;
    Ok(format!("{} commands of the demo", examples.len()))
}

/// Where nothing may come after the beginning, it is the whole.
fn within(value: &str, start: &str, end: &str) -> bool {
    if end.is_empty() { value == start } else { value.starts_with(start) && value.ends_with(end) }
}
