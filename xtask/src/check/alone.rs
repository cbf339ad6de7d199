//! One request by the command alone: from files, without a gateway.

use std::{ffi::OsStr, path::Path};

use anyhow::Result;

use super::built;

/// What lets a request go to an upstream on loopback, unencrypted.
pub(super) const LOOPBACK: [&str; 3] =
    ["--allow-http-upstream", "--allow-upstream", "127.0.0.1/32"];

/// `countersign request` with `provider.json` and `account.json` of this folder, which keeps what was
/// compiled as well; whether it ended well, and what it said.
pub(super) fn request<A: AsRef<OsStr>>(
    root: &Path,
    folder: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Result<(bool, String)> {
    let output = built::countersign(root)?
        .args(["request", "--log", "error"])
        .arg("--provider")
        .arg(folder.join("provider.json"))
        .arg("--account")
        .arg(folder.join("account.json"))
        .arg("--cache")
        .arg(folder.join("cache"))
        .args(arguments)
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}
