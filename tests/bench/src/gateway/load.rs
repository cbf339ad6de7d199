//! Requests, as fast as they are answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::Options;
use super::process::OTHER_CORE;

/// What is sent, and how.
pub(super) struct Load {
    /// Accounts at random.
    uniform: PathBuf,
    /// One account after the other.
    in_turn: PathBuf,
    accounts: u64,
    seconds: String,
    connections: String,
}

/// What came of it.
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) rate: f64,
    /// Milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Load {
    pub(super) fn new(
        folder: &Path,
        accounts: usize,
        token: &str,
        options: &Options,
    ) -> Result<Self> {
        let head = format!(
            "local head = 'GET /proxy/v1/things?page=2 HTTP/1.1\\r\\nHost: gateway\\r\\n' ..\n\
             'Authorization: Bearer {token}\\r\\nconnection_name: bench\\r\\nidentifier: user-'\n"
        );
        // What is random in Lua begins alike in every process that does not say how to begin.
        let uniform = format!(
            "{head}function init(args) math.randomseed(args[1]) end\n\
             function request()\n\
             return head .. math.random(0, {accounts} - 1) .. '\\r\\n\\r\\n'\n\
             end\n"
        );
        let in_turn = format!(
            "{head}local nth = 0\n\
             function init(args) nth = args[1] end\n\
             function request()\n\
             local is = head .. nth % {accounts} .. '\\r\\n\\r\\n'\n\
             nth = nth + 1\n\
             return is\n\
             end\n"
        );
        let load = Self {
            uniform: folder.join("uniform.lua"),
            in_turn: folder.join("in-turn.lua"),
            accounts: u64::try_from(accounts)?,
            seconds: format!("{}s", options.seconds),
            connections: options.connections.to_string(),
        };
        fs::write(&load.uniform, uniform)?;
        fs::write(&load.in_turn, in_turn)?;
        Ok(load)
    }

    /// Requests for accounts drawn uniformly, other ones for each seed.
    pub(super) fn run(&self, port: u16, seed: u64) -> Result<Seen> {
        self.wrk(port, &self.uniform, seed)
    }

    /// At least a request for each account, so that connections are made and answers remembered.
    pub(super) fn warm(&self, port: u16) -> Result<()> {
        let mut asked = 0;
        while asked < self.accounts {
            // All but those that were on their way when the time was over have been answered.
            let seen = self.wrk(port, &self.in_turn, asked)?;
            ensure!(seen.requests > 0 && seen.failed == 0, "the first requests failed");
            asked += seen.requests;
        }
        Ok(())
    }

    fn wrk(&self, port: u16, script: &Path, told: u64) -> Result<Seen> {
        let output = Command::new("taskset")
            .args(["-c", OTHER_CORE, "wrk", "-t", "1", "-c", &self.connections, "-d"])
            .args([&self.seconds, "--latency", "-s"])
            .arg(script)
            .arg(format!("http://127.0.0.1:{port}/"))
            .args(["--", &told.to_string()])
            .output()
            .context("running wrk")?;
        ensure!(output.status.success(), "wrk ended with {}", output.status);
        let text = String::from_utf8(output.stdout)?;
        read(&text).with_context(|| format!("what wrk says cannot be read:\n{text}"))
    }
}

fn read(text: &str) -> Option<Seen> {
    let lines = || text.lines().map(str::trim);
    let after = |start: &str| lines().find_map(|line| line.strip_prefix(start));
    let requests = lines().find_map(|line| line.split_once(" requests in ")?.0.parse().ok())?;
    let numbers = |line: &str| -> u64 {
        line.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok()).sum()
    };
    let failed = after("Non-2xx or 3xx responses:").map_or(0, numbers)
        + after("Socket errors:").map_or(0, numbers);
    Some(Seen {
        requests,
        failed,
        rate: after("Requests/sec:")?.trim().parse().ok()?,
        p50: millis(after("50%")?)?,
        p99: millis(after("99%")?)?,
    })
}

fn millis(text: &str) -> Option<f64> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let factor = match &text[at..] {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        _ => return None,
    };
    Some(text[..at].parse::<f64>().ok()? * factor)
}
