//! One request by the command alone: from files, without a gateway.

use std::{ffi::OsStr, path::Path};

use anyhow::Result;

use super::built;

/// What lets a request go to an upstream on loopback, unencrypted.
pub(super) const LOOPBACK: [&str; 3] =
    ["--allow-http-upstream", "--allow-upstream", "127.0.0.1/32"];

/// `countersign request` with `provider.json` and `account.json` of this folder; whether it ended well, and
/// what it said.
pub(super) fn request<A: AsRef<OsStr>>(
    root: &Path,
    folder: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Result<(bool, String)> {
    let output = built::compiled_once(root)?
        .args(["request", "--log", "error"])
        .arg("--provider")
        .arg(folder.join("provider.json"))
        .arg("--account")
        .arg(folder.join("account.json"))
        .args(arguments)
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}
