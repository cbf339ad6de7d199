//! The program's machine code in another order, by LLVM's BOLT.
//!
//! The compiler lays out by a profile of what it had before most of its own work was done. BOLT takes the
//! finished program, counts which of its jumps are taken under the training, and writes functions and
//! their parts so that what runs in turn lies in turn. It finds them by the relocations of the linker,
//! which are not in what it writes. What it writes has the symbols and the protections of the program
//! it is given.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::compiler::{self, Compiler};
use super::tell;
use super::training::{Training, emptied};

/// The compiler's flag for a program that is to be laid out.
pub(super) const RELOCATIONS: &str = "-Clink-arg=-Wl,--emit-relocs";

/// What stays where it is, since BOLT 22 crashes on it: aws-lc's assembly, which is written by hand and
/// has data and second entries within functions, and the parts of functions that the compiler has laid
/// apart already.
const LEFT: &str = "--skip-funcs=aws_lc.*,.*\\.cold.*";

/// How what is counted is used.
const ORDER: [&str; 4] =
    ["-reorder-blocks=ext-tsp", "-reorder-functions=cdsort", "-split-functions", "-split-all-cold"];

/// With so many requests the result is tried.
const TRIAL: &str = "3000";

/// Where this was tried; BOLT itself reads programs of other processors too.
pub(super) fn is_for(host: &str) -> bool {
    host == "x86_64-unknown-linux-gnu"
}

/// Lays a program out.
pub(super) struct Bolt {
    program: PathBuf,
    merge: PathBuf,
    folder: PathBuf,
}

impl Bolt {
    /// The compiler's LLVM need not be of the same version: what is read is a program. What is counted,
    /// and with what, is kept in the folder.
    pub(super) fn find(compiler: &Compiler, folder: PathBuf) -> Result<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let places = places(compiler.debian(), &path);
        let tools = compiler::find(["llvm-bolt", "merge-fdata"], places).with_context(|| {
            format!(
                "llvm-bolt and merge-fdata are not there: get them by a package such as Debian's \
                 bolt-{}. `cargo xtask dist --without-bolt` builds the command without them",
                compiler.llvm
            )
        })?;
        let [program, merge] = tools;
        Ok(Self { program, merge, folder })
    }

    /// Lays the program out by what it does under the training, into another file, and tries that.
    pub(super) fn lay_out(&self, program: &Path, training: &Training, to: &Path) -> Result<()> {
        let counts = self.folder.join("countersign.fdata");
        if training.is_due(program, &counts) {
            let raw = self.count(program, training)?;
            self.merge_into(&raw, &counts)?;
        }
        tell("laying it out");
        let mut bolt = Command::new(&self.program);
        bolt.arg(program).arg("-o").arg(to).arg(option("-data", &counts)).args(ORDER).arg(LEFT);
        run(&mut bolt)?;
        tell("trying it");
        training.run(to, |it| it.args(["--requests", TRIAL]))
    }

    /// What each process of the program has counted, as files in a folder.
    fn count(&self, program: &Path, training: &Training) -> Result<PathBuf> {
        let raw = self.folder.join("raw");
        emptied(&raw)?;
        tell("having it count its jumps");
        let counting = self.folder.join("counting");
        let mut bolt = Command::new(&self.program);
        bolt.arg(program).arg("-instrument").arg("-o").arg(&counting).arg(LEFT);
        bolt.arg(option("--instrumentation-file", &raw.join("counts")));
        run(bolt.arg("--instrumentation-file-append-pid"))?;
        tell("letting it serve requests");
        training.run(&counting, |it| it)?;
        Ok(raw)
    }

    /// Nothing is there unless all is.
    fn merge_into(&self, raw: &Path, counts: &Path) -> Result<()> {
        let files = fs::read_dir(raw)?.map(|it| Ok(it?.path()));
        let files = files.collect::<Result<Vec<_>>>()?;
        ensure!(!files.is_empty(), "it has counted nothing");
        let begun = counts.with_extension("begun");
        run(Command::new(&self.merge).args(files).arg("-o").arg(&begun))?;
        fs::rename(&begun, counts)?;
        Ok(())
    }
}

/// Where the tools are looked for: of the compiler's version first, and then of any.
fn places(debian: PathBuf, path: &OsStr) -> impl Iterator<Item = PathBuf> {
    iter::once(debian).chain(env::split_paths(path))
}

/// As one word.
fn option(name: &str, file: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(file);
    option
}

/// Runs a tool, whose many remarks are told only where it fails, and the last of them only.
fn run(tool: &mut Command) -> Result<()> {
    let output =
        tool.output().with_context(|| format!("running {}", tool.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let begin = said.trim_end().rmatch_indices('\n').nth(9).map_or(0, |(at, _)| at + 1);
    ensure!(
        output.status.success(),
        "{} ended with {}:\n{}",
        tool.get_program().display(),
        output.status,
        said.get(begin..).unwrap_or_default()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_linux_on_x86_64_is_laid_out() {
        assert!(is_for("x86_64-unknown-linux-gnu"));
        for other in
            ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "x86_64-apple-darwin"]
        {
            assert!(!is_for(other), "{other}");
        }
    }

    #[test]
    fn tools_of_the_compilers_version_come_before_those_of_the_path() {
        let path = env::join_paths(["/first", "/second"]).unwrap();
        let places = places("/usr/lib/llvm-22/bin".into(), &path).collect::<Vec<_>>();
        assert_eq!(places, ["/usr/lib/llvm-22/bin", "/first", "/second"].map(PathBuf::from));
    }

    #[test]
    fn a_training_that_counted_nothing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let tool = PathBuf::from("/nowhere");
        let bolt = Bolt { program: tool.clone(), merge: tool, folder: folder.path().to_owned() };
        let error = bolt.merge_into(folder.path(), &folder.path().join("counts")).unwrap_err();
        assert_eq!(error.to_string(), "it has counted nothing");
    }

    #[cfg(unix)]
    #[test]
    fn of_a_tool_that_fails_the_last_lines_are_told() {
        let script = |script: &str| run(Command::new("sh").args(["-c", script]));
        script("echo remarks >&2").unwrap();
        let error = script("seq 11 30 >&2; exit 3").unwrap_err().to_string();
        assert!(error.contains(":\n21\n") && error.ends_with("\n30\n"), "{error}");
        let error = script("echo alone >&2; exit 3").unwrap_err().to_string();
        assert!(error.ends_with(":\nalone\n"), "{error}");
    }
}
