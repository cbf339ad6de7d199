//! Requests, as fast as they are answered.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::Options;
use super::process::OTHER_CORE;

/// What is sent, and how.
pub(super) struct Load {
    script: PathBuf,
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
        let script = folder.join("load.lua");
        // Whole requests, made beforehand where they are few: wrk's share of its core is not what is
        // measured, but it must keep up.
        let text = format!(
            "local head = 'GET /proxy/v1/things?page=2 HTTP/1.1\\r\\nHost: gateway\\r\\n' ..\n\
             'Authorization: Bearer {token}\\r\\nconnection_name: bench\\r\\nidentifier: user-'\n\
             request = function()\n\
             return head .. math.random(0, {accounts} - 1) .. '\\r\\n\\r\\n'\n\
             end\n"
        );
        std::fs::write(&script, text)?;
        let seconds = format!("{}s", options.seconds);
        Ok(Self { script, seconds, connections: options.connections.to_string() })
    }

    pub(super) fn run(&self, port: u16) -> Result<Seen> {
        let output = Command::new("taskset")
            .args(["-c", OTHER_CORE, "wrk", "-t", "1", "-c", &self.connections, "-d"])
            .args([&self.seconds, "--latency", "-s"])
            .arg(&self.script)
            .arg(format!("http://127.0.0.1:{port}/"))
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
