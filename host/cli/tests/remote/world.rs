//! A gateway, and the command with credentials for it.

use std::path::PathBuf;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::process::{Ended, Process, command};

/// The secret of the gateway's first client, which nothing may show.
pub(crate) const SECRET: &str = "canary-client-0123456789-0123456789-0123456789";

/// The credentials of accounts and connections in these tests.
pub(crate) const TOKEN: &str = "canary-account-token";

/// A server with the client `ops`, and a folder for files.
pub(crate) struct Gateway {
    server: Process,
    folder: TempDir,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variables = [("COUNTERSIGN_CLIENT_ID", "ops"), ("COUNTERSIGN_CLIENT_SECRET", SECRET)];
        let more = ["--allow-upstream", "127.0.0.0/8", "--allow-http-upstream"];
        let server = Process::serve_with(&folder.path().join("data"), &more, &variables);
        Self { server, folder }
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    /// Writes a file, and gives its path.
    pub(crate) fn file(&self, name: &str, json: &Json) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, json.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs the command as `ops`; nothing that it writes shows a secret.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let ended = self.run_revealing(arguments, &[]);
        for secret in [SECRET, TOKEN] {
            assert!(!ended.out.contains(secret), "{arguments:?}: {}", ended.out);
        }
        ended
    }

    /// The same, which may show secrets of accounts, with these variables as well.
    pub(crate) fn run_revealing(&self, arguments: &[&str], more: &[(&str, &str)]) -> Ended {
        let mut command = command(arguments);
        command.env("COUNTERSIGN_URL", self.url());
        command.env("COUNTERSIGN_CLIENT_ID", "ops").env("COUNTERSIGN_CLIENT_SECRET", SECRET);
        command.envs(more.iter().copied());
        let ended = Process::spawn(command).ended();
        assert!(!ended.err.contains(SECRET) && !ended.err.contains(TOKEN), "{}", ended.err);
        ended
    }

    /// The same, done.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    /// The same, refused with this in its error.
    pub(crate) fn refused(&self, arguments: &[&str], with: &str) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.out);
        assert!(ended.err.contains(with), "{arguments:?}: {}", ended.err);
        ended.err
    }

    /// What was done, as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Json {
        serde_json::from_str(&self.done(&[arguments, &["--json"]].concat())).unwrap()
    }
}

/// The payload of a provider that takes a bearer token.
pub(crate) fn bearer(proxy_url: &str) -> Json {
    serde_json::json!({
        "display_name": "My Bearer", "proxy_url": proxy_url, "proxy_enabled": true,
        "auth_patterns": [{"type": "BEARER", "fields": [
            {"field_name": "token", "input_type": "password", "required": true},
        ]}],
    })
}
