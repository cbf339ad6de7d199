//! `cargo xtask dist`: the command as it is shipped, which is what `cargo xtask bench gateway` measures.
//!
//! It is built twice. The first program counts what of its code is used, while it serves the requests
//! of `tests/bench/src/training.rs`; with these counts (a profile, as LLVM has it) the second is
//! compiled, in which what is used lies together and what is not lies apart. A request takes tens of
//! thousands of instructions, each about once, so where they lie counts for more than what they are:
//! ARCHITECTURE.md has the numbers.
//!
//! The profile is a file under `target/`, and is taken anew where the program or the training has changed
//! since.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::plugins::{cargo, root};

const PROFILE: &str = "dist";

/// What a function has for rare cases is laid apart from what it does else, so that less is fetched for
/// a request: a few hundredths of its time, as far as a busy machine could show. LLVM can do so where
/// programs are ELF.
const SPLIT: &str = "-Cllvm-args=-enable-split-machine-functions";

/// What the compiler's flags are divided by in `CARGO_ENCODED_RUSTFLAGS`.
const DIVIDER: &str = "\x1f";

/// Builds it, and says where it is.
#[expect(clippy::print_stdout, reason = "a command's answer")]
pub(crate) fn run() -> Result<()> {
    println!("{}", build()?.display());
    Ok(())
}

/// Builds it; gives back its path.
pub(crate) fn build() -> Result<PathBuf> {
    let compiler = Compiler::read()?;
    // Asked for first: what follows takes minutes.
    let merge = compiler.merge_tool()?;
    let target = root().join("target");
    let training = target.join("training");
    let raw = training.join("raw");
    tell("building the program that counts");
    let counting = format!("-Cprofile-generate={}", raw.display());
    let counting = compiler.build(&training, &[counting])?;
    tell("building the training");
    let trainer = trainer(&target)?;
    let profile = training.join("countersign.profdata");
    if [&counting, &trainer].into_iter().any(|it| is_newer(it, &profile)) {
        train(&trainer, &counting, &raw)?;
        tell("reading what it counted");
        merge_into(&merge, &raw, &profile)?;
    }
    tell("building the program that is shipped");
    let profile = by_content(&profile)?;
    let mut flags = vec![format!("-Cprofile-use={}", profile.display())];
    if compiler.host.ends_with("-linux-gnu") {
        flags.push(SPLIT.to_owned());
    }
    compiler.build(&target, &flags)
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

/// The program that says what is to be done.
fn trainer(target: &Path) -> Result<PathBuf> {
    let status = cargo(root())
        .args(["build", "--locked", "--release", "--package", "countersign-bench", "--target-dir"])
        .arg(target)
        .status()?;
    ensure!(status.success(), "the training was not built");
    Ok(target.join("release").join(format!("countersign-bench{}", env::consts::EXE_SUFFIX)))
}

/// Lets the program do what it is to count.
fn train(trainer: &Path, counting: &Path, raw: &Path) -> Result<()> {
    if raw.exists() {
        fs::remove_dir_all(raw).context("the counts of an earlier training")?;
    }
    fs::create_dir_all(raw)?;
    tell("letting it serve requests");
    let status = Command::new(trainer)
        .args(["training", "--countersign"])
        .arg(counting)
        .env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"))
        .status()
        .context("running the training")?;
    ensure!(status.success(), "the training ended with {status}");
    Ok(())
}

/// Makes one profile of what the program's processes have counted. Nothing is there unless all is.
fn merge_into(tool: &OsStr, raw: &Path, profile: &Path) -> Result<()> {
    let begun = profile.with_extension("begun");
    let status = Command::new(tool).arg("merge").arg("-o").arg(&begun).arg(raw).status();
    let status = status.context("running llvm-profdata")?;
    ensure!(status.success(), "llvm-profdata ended with {status}");
    fs::rename(&begun, profile)?;
    Ok(())
}

/// Whether there is no such file, or one that is older than this program.
fn is_newer(program: &Path, than: &Path) -> bool {
    let modified = |file: &Path| fs::metadata(file).and_then(|it| it.modified()).ok();
    modified(program) > modified(than)
}

/// The compiler that cargo uses.
struct Compiler {
    host: String,
    /// The major version of its LLVM, which the tool that reads profiles must have.
    llvm: String,
    /// Where rustup puts the tools of its LLVM.
    tools: PathBuf,
}

impl Compiler {
    fn read() -> Result<Self> {
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
    fn build(&self, folder: &Path, more: &[String]) -> Result<PathBuf> {
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

    /// `llvm-profdata` of the compiler's LLVM: another one may not know the format.
    fn merge_tool(&self) -> Result<OsString> {
        let name = format!("llvm-profdata{}", env::consts::EXE_SUFFIX);
        let places = [
            self.tools.join(&name),
            Path::new(&format!("/usr/lib/llvm-{}/bin", self.llvm)).join(&name),
        ];
        if let Some(place) = places.into_iter().find(|it| it.is_file()) {
            return Ok(place.into());
        }
        bail!(
            "llvm-profdata of LLVM {llvm} is not there: get it by `rustup component add llvm-tools`, \
             or by a package such as Debian's llvm-{llvm}. `cargo build --profile {PROFILE}` builds \
             the command without a profile, and needs no tool",
            llvm = self.llvm
        )
    }
}

/// Those of the environment, and this one.
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

/// Progress, which is not part of the answer.
#[expect(clippy::print_stderr, reason = "a command's progress")]
fn tell(what: &str) {
    eprintln!("{what} …");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_names_its_host_and_its_llvm() {
        let version = "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";
        let (host, llvm) = host_and_llvm(version).unwrap();
        assert_eq!((host.as_str(), llvm.as_str()), ("x86_64-unknown-linux-gnu", "22"));
    }

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

    #[test]
    fn a_profile_is_taken_anew_only_after_its_program() {
        let folder = tempfile::tempdir().unwrap();
        let [program, profile] = ["program", "profile"].map(|it| folder.path().join(it));
        fs::write(&program, "").unwrap();
        assert!(is_newer(&program, &profile), "there is none yet");
        fs::write(&profile, "").unwrap();
        let earlier = fs::metadata(&program).unwrap().modified().unwrap();
        let later = earlier + std::time::Duration::from_secs(1);
        fs::File::open(&profile).unwrap().set_modified(later).unwrap();
        assert!(!is_newer(&program, &profile));
        let latest = later + std::time::Duration::from_secs(1);
        fs::File::open(&program).unwrap().set_modified(latest).unwrap();
        assert!(is_newer(&program, &profile));
    }
}
