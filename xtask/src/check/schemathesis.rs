//! A running gateway is held to the description that it serves, by a program that makes requests out
//! of descriptions.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{server::Server, venv};

const VERSION: &str = "4.32.5";

/// Runs `tests/schemathesis/run.sh`, whose seed is fixed.
pub(super) fn run(root: &Path) -> Result<String> {
    let package = format!("schemathesis=={VERSION}");
    let program = venv::installed(root, "schemathesis", &[&package])?.join("schemathesis");
    let server = Server::start(root, &[])?;
    let status = server
        .command("sh")
        .arg(root.join("tests/schemathesis/run.sh"))
        .args([&server.url, &server.token()?])
        .env("SCHEMATHESIS", program)
        .status()?;
    ensure!(status.success(), "the server is not as its description says: {status}");
    Ok(format!("schemathesis {VERSION} found nothing"))
}
