//! By what the program is compiled: a profile, as LLVM has it, of what its code does under the training.
//!
//! With it the compiler lays together what is used, and apart what is not.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::compiler::{self, Compiler, PROFILE};
use super::tell;
use super::training::{Training, emptied};

/// Makes one profile of what a program's processes have counted.
pub(super) struct Profiler {
    merge: PathBuf,
    folder: PathBuf,
}

impl Profiler {
    /// `llvm-profdata` of the compiler's LLVM: another one may not know the format. What is counted, and
    /// with what, is kept in the folder.
    pub(super) fn find(compiler: &Compiler, folder: PathBuf) -> Result<Self> {
        let places = [compiler.tools.clone(), compiler.debian()];
        let [merge] = compiler::find(["llvm-profdata"], places).with_context(|| {
            format!(
                "llvm-profdata of LLVM {llvm} is not there: get it by `rustup component add \
                 llvm-tools`, or by a package such as Debian's llvm-{llvm}. `cargo build --profile \
                 {PROFILE}` builds the command without a profile, and needs no tool",
                llvm = compiler.llvm
            )
        })?;
        Ok(Self { merge, folder })
    }

    /// Builds the program that counts, with these further flags.
    pub(super) fn counting(&self, compiler: &Compiler, mut flags: Vec<String>) -> Result<PathBuf> {
        flags.push(format!("-Cprofile-generate={}", self.raw().display()));
        compiler.build(&self.folder, &flags)
    }

    /// The profile of that program, in a file whose name changes with its content.
    pub(super) fn profile(&self, counting: &Path, training: &Training) -> Result<PathBuf> {
        let profile = self.folder.join("countersign.profdata");
        if training.is_due(counting, &profile) {
            tell("letting it serve requests");
            let counts = emptied(&self.raw())?.join("%p-%m.profraw");
            training.run(counting, |it| it.env("LLVM_PROFILE_FILE", counts))?;
            tell("reading what it counted");
            self.merge_into(&profile)?;
        }
        by_content(&profile)
    }

    fn raw(&self) -> PathBuf {
        self.folder.join("raw")
    }

    /// Nothing is there unless all is.
    fn merge_into(&self, profile: &Path) -> Result<()> {
        let begun = profile.with_extension("begun");
        let mut merge = Command::new(&self.merge);
        let status = merge.arg("merge").arg("-o").arg(&begun).arg(self.raw()).status();
        let status = status.context("running llvm-profdata")?;
        ensure!(status.success(), "llvm-profdata ended with {status}");
        fs::rename(&begun, profile)?;
        Ok(())
    }
}

/// The same file under a name that no other content has: cargo builds a dependency anew where its
/// flags have changed, and does not look into a file that one of them names.
fn by_content(profile: &Path) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    fs::read(profile)?.hash(&mut hasher);
    let named = profile.with_file_name(format!("{:016x}.profdata", hasher.finish()));
    if !named.exists() {
        fs::hard_link(profile, &named)?;
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_profile_has_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("countersign.profdata");
        let named = ["one", "one", "another"].map(|content| {
            // As a merge does: the file is another one, not an old one with new content.
            let begun = folder.path().join("begun");
            fs::write(&begun, content).unwrap();
            fs::rename(begun, &profile).unwrap();
            let named = by_content(&profile).unwrap();
            assert_eq!(fs::read_to_string(&named).unwrap(), content);
            named
        });
        assert_eq!(named[0], named[1]);
        assert_ne!(named[0], named[2]);
    }
}
