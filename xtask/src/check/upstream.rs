//! An upstream on loopback that answers with what it receives: the example of the command's crate, in a
//! process that ends when it is dropped.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::built;

/// One that listens.
pub(super) struct Upstream {
    process: Child,
    /// With these `countersign serve` takes it for its hosts.
    pub(super) arguments: Vec<String>,
    _folder: TempDir,
}

impl Upstream {
    /// Builds it, and has it play these hosts.
    pub(super) fn start(root: &Path, hosts: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let process = built::example(root, "upstream")?
            .arg(folder.path().join("ca.pem"))
            .args(hosts)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut upstream = Self { process, arguments: Vec::new(), _folder: folder };
        let output = upstream.process.stdout.take().context("its output is not piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        upstream.arguments = line.split_whitespace().map(str::to_owned).collect();
        ensure!(!upstream.arguments.is_empty(), "the upstream does not begin");
        Ok(upstream)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// All values that it saw of a header, in an answer of its.
pub(super) fn seen<'a>(answer: &'a Json, header: &str) -> Vec<&'a str> {
    let pairs = answer["headers"].as_array().into_iter().flatten();
    pairs.filter(|pair| pair[0] == header).filter_map(|pair| pair[1].as_str()).collect()
}
