//! A server of the command, in an empty folder of its own, ended when it is dropped.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use super::built;

/// Its client, which may do everything.
const ID: &str = "check";
const SECRET: &str = "sks_of-the-check-0123456789abcdefghij";

/// Its folder for temporary files.
const SCRATCH: &str = "tmp";

/// A server that answers.
pub(super) struct Server {
    process: Child,
    /// Its base URL.
    pub(super) url: String,
    /// What it wrote before it listened.
    pub(super) said: String,
    folder: TempDir,
}

impl Server {
    /// `countersign serve` with the client of the check, and more arguments.
    pub(super) fn start(root: &Path, more: &[String]) -> Result<Self> {
        let client = [("COUNTERSIGN_CLIENT_ID", ID), ("COUNTERSIGN_CLIENT_SECRET", SECRET)];
        Self::serve(root, more, &client)
    }

    /// `countersign serve` as it starts for the first time, and shows a client of its own.
    pub(super) fn first(root: &Path) -> Result<Self> {
        Self::serve(root, &[], &[])
    }

    /// `countersign demo --serve`.
    pub(super) fn demo(root: &Path) -> Result<Self> {
        Self::listening(root, tempfile::tempdir()?, &["demo".into(), "--serve".into()], &[])
    }

    fn serve(root: &Path, more: &[String], variables: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut arguments: Vec<String> =
            ["serve", "--listen", "127.0.0.1:0", "--log", "error"].map(Into::into).into();
        let data = folder.path().join("data");
        arguments.extend(["--data".to_owned(), data.display().to_string()]);
        arguments.extend_from_slice(more);
        Self::listening(root, folder, &arguments, variables)
    }

    /// Builds the command, and starts it; on `Ok` it listens.
    fn listening(
        root: &Path,
        folder: TempDir,
        arguments: &[String],
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = built::countersign(root)?;
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("COUNTERSIGN_") {
                command.env_remove(name);
            }
        }
        let scratch = folder.path().join(SCRATCH);
        fs::create_dir(&scratch)?;
        let mut process = command
            .args(arguments)
            .envs(variables.iter().copied())
            .env("TMPDIR", scratch)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("its output is not piped")?;
        let mut server = Self { process, url: String::new(), said: String::new(), folder };
        let mut lines = BufReader::new(output);
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                bail!("the server says {:?} and not that it listens", server.said);
            }
            if let Some(url) = line.trim_end().strip_prefix("listening on ") {
                url.clone_into(&mut server.url);
                break;
            }
            server.said.push_str(&line);
        }
        // It says no more; but what is piped is to be read.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Ok(server)
    }

    /// A variable that it showed, as `NAME=value`.
    pub(super) fn shown(&self, name: &str) -> Result<&str> {
        let start = format!("{name}=");
        let mut values = self.said.lines().filter_map(|line| line.trim().strip_prefix(&*start));
        values.next().with_context(|| format!("the server shows no {name}"))
    }

    /// Ends it as Ctrl-C does. It ends well, and leaves nothing where temporary files go.
    pub(super) fn end(mut self) -> Result<()> {
        let line = format!("kill -INT {}", self.process.id());
        ensure!(Command::new("sh").args(["-c", &line]).status()?.success(), "{line} failed");
        let status = self.process.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        let left = fs::read_dir(self.folder.path().join(SCRATCH))?.count();
        ensure!(left == 0, "the server left {left} temporary files or folders");
        Ok(())
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
