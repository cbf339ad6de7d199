//! What a component was built from, as one SHA-256.
//!
//! Its own source, that of a plugin that it builds on, the sdk's, the contract, the profile, the flags,
//! and the packages that this guest alone resolves to on its target, with their versions and features. So
//! a change elsewhere in the workspace leaves the digest as it is. The compiler is not in it: two machines
//! with different ones agree on what is stale.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use countersign_build::rust;
use sha2::{Digest as _, Sha256};

use super::Guest;

/// The digest for the tree at `root`, in hexadecimal.
pub(super) fn of(root: &Path, guest: &Guest) -> Result<String> {
    let mut input = Input::default();
    let plugins = Path::new("plugins");
    let own = [guest.upon, Some(guest.name)].into_iter().flatten().map(|name| plugins.join(name));
    for folder in ["wit".into(), plugins.join("sdk")].into_iter().chain(own) {
        input.folder(root, &folder)?;
    }
    input.part("profile", profiles(&fs::read_to_string(root.join("Cargo.toml"))?).as_bytes());
    input.part("flags", rust::link_flags(guest.stack).join("\n").as_bytes());
    input.part("packages", packages(root, guest)?.as_bytes());
    Ok(input.finish())
}

/// Parts with their lengths, so that nothing can move from one into the next.
#[derive(Default)]
struct Input(Sha256);

impl Input {
    fn part(&mut self, name: &str, bytes: &[u8]) {
        for part in [name.as_bytes(), bytes] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    /// Everything that a build reads from a folder: not the tests, which no component holds.
    fn folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let mut files = Vec::new();
        collect(&root.join(folder), &mut files)?;
        files.sort();
        for file in files {
            let name = file.strip_prefix(root)?.to_str().context("a file name is not UTF-8")?;
            self.part(name, &fs::read(&file)?);
        }
        Ok(())
    }

    fn finish(self) -> String {
        self.0.finalize().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("{} is not there", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            if !path.ends_with("tests") && !path.ends_with("target") {
                collect(&path, files)?;
            }
        } else if matches!(extension, Some("rs" | "wit" | "toml")) && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The profile tables that a guest is built with, as they stand in the workspace's manifest.
fn profiles(manifest: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = matches!(line, "[profile.guest]" | "[profile.release]");
        }
        if inside && !line.is_empty() && !line.starts_with('#') {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Each package that goes into the guest, as name, version and features.
fn packages(root: &Path, guest: &Guest) -> Result<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["tree", "--locked", "--offline", "--target", "wasm32-unknown-unknown"])
        .args(["--edges", "normal", "--prefix", "none", "--no-dedupe", "--format", "{p}\t{f}"])
        .args(["--package", guest.package])
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree for {}: {error}", guest.package);
    let tree = String::from_utf8(output.stdout)?;
    let packages: BTreeSet<String> = tree.lines().map(package).collect();
    Ok(packages.into_iter().collect::<Vec<_>>().join("\n"))
}

/// A line of the tree without what follows the version: the folder of a package of this machine.
fn package(line: &str) -> String {
    let (package, features) = line.split_once('\t').unwrap_or((line, ""));
    let mut words = package.split(' ');
    let (name, version) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    format!("{name} {version} {features}")
}

#[cfg(test)]
mod tests;
