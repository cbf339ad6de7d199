//! A server of the command, on an empty folder of its own, ended when it is dropped.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::plugins::cargo;

/// Its client, which may do everything.
const ID: &str = "check";
const SECRET: &str = "sks_of-the-check-0123456789abcdefghij";

/// A server that answers.
pub(super) struct Server {
    process: Child,
    /// Its base URL.
    pub(super) url: String,
    folder: TempDir,
}

impl Server {
    /// Builds the command, and starts it on any free port of loopback.
    pub(super) fn start(root: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = cargo(root);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("COUNTERSIGN_") {
                command.env_remove(name);
            }
        }
        // Cargo gives its process to the command, so that to end the one is to end the other.
        let mut process = command
            .args(["run", "--quiet", "--locked", "--", "serve", "--listen", "127.0.0.1:0"])
            .args(["--log", "error", "--data"])
            .arg(folder.path().join("data"))
            .envs([("COUNTERSIGN_CLIENT_ID", ID), ("COUNTERSIGN_CLIENT_SECRET", SECRET)])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("its output is not piped")?;
        let mut server = Self { process, url: String::new(), folder };
        let mut lines = BufReader::new(output);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let Some(url) = line.trim_end().strip_prefix("listening on ") else {
            bail!("the server says {line:?} and not that it listens");
        };
        url.clone_into(&mut server.url);
        // It says no more; but what is piped is to be read.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Ok(server)
    }

    /// A program with `$URL`, `$ID` and `$SECRET`, whose way to loopback leads through no proxy.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs([("URL", self.url.as_str()), ("ID", ID), ("SECRET", SECRET)]);
        command.envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")]).stdin(Stdio::null());
        command
    }

    /// The same, where curl fails on a status that is no success and says why, without a word more in
    /// the command that calls it.
    pub(super) fn shell(&self, line: &str) -> Result<Command> {
        let settings = "silent\nshow-error\nfail-with-body\n";
        fs::write(self.folder.path().join(".curlrc"), settings)?;
        let mut shell = self.command("sh");
        shell.args(["-c", line]).env("CURL_HOME", self.folder.path());
        Ok(shell)
    }

    /// A token of its client.
    pub(super) fn token(&self) -> Result<String> {
        let form = format!("client_id={ID}&client_secret={SECRET}&grant_type=client_credentials");
        let url = format!("{}/oauth/token", self.url);
        let arguments = ["--silent", "--show-error", "--fail", "-d", &form, &url];
        let output = self.command("curl").args(arguments).output();
        let output = output.context("curl cannot be run: apt-get install curl")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "curl got no token: {error}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        Ok(json["access_token"].as_str().context("the answer has no token")?.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
