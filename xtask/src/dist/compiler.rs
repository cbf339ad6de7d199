//! The compiler that cargo uses, and the tools of its LLVM.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::plugins::{cargo, root};

/// The profile of cargo that it is built with.
pub(super) const PROFILE: &str = "dist";

/// What the compiler's flags are divided by in `CARGO_ENCODED_RUSTFLAGS`.
const DIVIDER: &str = "\x1f";

pub(super) struct Compiler {
    pub(super) host: String,
    /// The major version of its LLVM, which the tool that reads profiles must have.
    pub(super) llvm: String,
    /// Where rustup puts the tools of its LLVM.
    pub(super) tools: PathBuf,
}

impl Compiler {
    pub(super) fn read() -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let said = |arguments: &[&str]| {
            let output = Command::new(&rustc).args(arguments).output().context("running rustc")?;
            ensure!(output.status.success(), "rustc {arguments:?} ended with {}", output.status);
            anyhow::Ok(String::from_utf8(output.stdout)?)
        };
        let version = said(&["-vV"])?;
        let library = said(&["--print", "target-libdir"])?;
        let (host, llvm) = host_and_llvm(&version).context("rustc -vV names no host or LLVM")?;
        Ok(Self { host, llvm, tools: Path::new(library.trim()).with_file_name("bin") })
    }

    /// The command, under this folder, with these further flags for all of its code.
    pub(super) fn build(&self, folder: &Path, more: &[String]) -> Result<PathBuf> {
        // With a target named, the flags are not for build scripts and macros.
        let status = cargo(root())
            .args(["build", "--locked", "--package", "countersign-cli", "--bin", "countersign"])
            .args(["--profile", PROFILE, "--target", &self.host, "--target-dir"])
            .arg(folder)
            .env("CARGO_ENCODED_RUSTFLAGS", flags(more))
            .status()?;
        ensure!(status.success(), "the command was not built");
        let program = format!("countersign{}", env::consts::EXE_SUFFIX);
        Ok(folder.join(&self.host).join(PROFILE).join(program))
    }

    /// Where Debian puts the tools of its LLVM.
    pub(super) fn debian(&self) -> PathBuf {
        format!("/usr/lib/llvm-{}/bin", self.llvm).into()
    }
}

/// These tools, out of the first of the folders that has them all.
pub(super) fn find<const N: usize>(
    names: [&str; N],
    folders: impl IntoIterator<Item = PathBuf>,
) -> Option<[PathBuf; N]> {
    folders
        .into_iter()
        .map(|it| names.map(|name| it.join(format!("{name}{}", env::consts::EXE_SUFFIX))))
        .find(|tools| tools.iter().all(|it| it.is_file()))
}

/// Those of the environment, and these.
fn flags(more: &[String]) -> OsString {
    let mut flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_else(|_| {
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        flags.split_whitespace().collect::<Vec<_>>().join(DIVIDER)
    });
    for flag in more {
        if !flags.is_empty() {
            flags.push_str(DIVIDER);
        }
        flags.push_str(flag);
    }
    flags.into()
}

/// From what `rustc -vV` says.
fn host_and_llvm(version: &str) -> Option<(String, String)> {
    let after = |start: &str| version.lines().find_map(|line| line.strip_prefix(start));
    let llvm = after("LLVM version: ")?.split('.').next()?;
    Some((after("host: ")?.to_owned(), llvm.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_compiler_names_its_host_and_its_llvm() {
        let version = "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";
        let (host, llvm) = host_and_llvm(version).unwrap();
        assert_eq!((host.as_str(), llvm.as_str()), ("x86_64-unknown-linux-gnu", "22"));
    }

    #[test]
    fn tools_are_of_the_first_folder_that_has_them_all() {
        let folder = tempfile::tempdir().unwrap();
        let folders = ["none", "one", "both", "too"].map(|it| folder.path().join(it));
        for (place, names) in
            folders.iter().zip([&[][..], &["lay"], &["lay", "merge"], &["lay", "merge"]])
        {
            fs::create_dir(place).unwrap();
            for name in names {
                fs::write(place.join(format!("{name}{}", env::consts::EXE_SUFFIX)), "").unwrap();
            }
        }
        let in_folder = |names: [&str; 2], of: &[PathBuf]| {
            let [first, second] = find(names, of.iter().cloned())?;
            assert_eq!(first.parent(), second.parent());
            assert!(first.ends_with(format!("{}{}", names[0], env::consts::EXE_SUFFIX)));
            Some(first.parent()?.file_name()?.to_owned())
        };
        assert_eq!(in_folder(["lay", "merge"], &folders).unwrap(), "both");
        assert_eq!(in_folder(["lay", "merge"], &folders[3..]).unwrap(), "too");
        assert_eq!(in_folder(["lay", "merge"], &folders[..2]), None);
    }
}
