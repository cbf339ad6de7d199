//! What `demo --serve` prints: commands, each to be pasted into a shell as it stands once `TOKEN` is set.
//!
//! A command begins at the margin with `curl `, and goes on in lines that are indented; nothing else
//! does either. The line above it begins with `# `.

use std::fmt::Write as _;
use std::path::Path;

use countersign::secret::Secret;

use super::scene::{SCENES, USER};
use crate::failure::Failure;

/// All of it, for a gateway at this URL with its data in this folder.
pub(super) fn text(
    url: &str,
    folder: &Path,
    (id, secret): (&str, &Secret),
    token: &Secret,
) -> Result<String, Failure> {
    let mut text = format!(
        "A gateway to try things with. Nothing leaves this machine: its upstream, over TLS on loopback,\n\
         answers with what it receives, so that you see each credential arrive. Ctrl-C ends it, and throws\n\
         away its data in {}.\n\n\
         Into another terminal, before the others:\n\n\
         TOKEN={}\n\n\
         Requests for five accounts, whose credentials the caller does not have:\n",
        folder.display(),
        token.expose(),
    );
    // Writing to a string cannot fail.
    for scene in SCENES {
        let (what, path, connection) = (scene.promise()?, scene.path, scene.connection);
        let command = proxied(&format!("{url}/proxy{path}"), connection, USER);
        let _ = write!(text, "\n# {what}\n{command}\n");
    }
    text.push_str("\nSome of the management API (docs/api.md has all of it):\n");
    for (what, command) in managed(url, id, secret) {
        let _ = write!(text, "\n# {what}\n{command}\n");
    }
    let _ = write!(text, "\nlistening on {url}\n");
    Ok(text)
}

const CALLER: &str = "-H \"Authorization: Bearer $TOKEN\"";

fn proxied(url: &str, connection: &str, identifier: &str) -> String {
    format!(
        "curl '{url}' {CALLER} \\\n  \
         -H 'connection_name: {connection}' -H 'identifier: {identifier}'"
    )
}

/// In the order in which they work.
fn managed(url: &str, id: &str, secret: &Secret) -> [(&'static str, String); 5] {
    [
        (
            "The providers",
            format!("curl '{url}/api/v1/providers?filter.provider_type=CUSTOM' {CALLER}"),
        ),
        (
            "Another account of a connection that is there",
            format!(
                "curl {url}/api/v1/connected_accounts {CALLER} \\\n  \
                 -H 'Content-Type: application/json' -d '{{\n  \
                 \"connector\": \"bearer\", \"identifier\": \"user-2\",\n  \
                 \"connected_account\": {{\"authorization_details\":\n    \
                 {{\"static_auth\": {{\"details\": {{\"token\": \"another-token\"}}}}}}}}}}'"
            ),
        ),
        (
            "A request for it: arrives with `authorization: Bearer another-token`",
            proxied(&format!("{url}/proxy/v1/things"), "bearer", "user-2"),
        ),
        ("Who has changed what", format!("curl {url}/api/v1/audit {CALLER}")),
        (
            "A new token of the client that may do everything",
            format!(
                "curl {url}/oauth/token -d grant_type=client_credentials \\\n  \
                 -d client_id={id} -d client_secret={}",
                secret.expose()
            ),
        ),
    ]
}
