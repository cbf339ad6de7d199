//! `cargo xtask dist`: the command as it is shipped, which is what `cargo xtask bench gateway` measures.
//!
//! A request takes tens of thousands of instructions, each about once, so where they lie counts for more
//! than what they are: ARCHITECTURE.md has the numbers. So it is made in three stages, and of each of the
//! first two it is known what it uses while it serves the requests of `tests/bench/src/training.rs`:
//!
//! 1. A program that counts.
//! 2. The program that is compiled by these counts ([`profile`]).
//! 3. On Linux x86-64, the same program, its machine code in another order ([`layout`]).
//!
//! What was counted is kept under `target/`, and counted anew where the program or the training has
//! changed since. What is shipped is at `target/shipped/countersign`, where nothing is unless all is.

mod compiler;
mod layout;
mod profile;
mod training;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::plugins::root;
use compiler::Compiler;
use layout::Bolt;
use profile::Profiler;
use training::Training;

/// What the command line says.
#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Leaves out the last stage, which needs LLVM's BOLT: the program is slower, and otherwise the same.
    #[arg(long)]
    without_bolt: bool,
}

/// What a function has for rare cases is laid apart from what it does else, so that less is fetched for
/// a request: a few hundredths of its time, as far as a busy machine could show. LLVM can do so where
/// programs are ELF.
const SPLIT: &str = "-Cllvm-args=-enable-split-machine-functions";

/// Builds it, and says where it is.
#[expect(clippy::print_stdout, reason = "a command's answer")]
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    println!("{}", build(arguments)?.display());
    Ok(())
}

/// Builds it; gives back its path.
pub(crate) fn build(arguments: &Arguments) -> Result<PathBuf> {
    let compiler = Compiler::read()?;
    let target = root().join("target");
    // The tools are asked for first: what follows takes minutes.
    let profiler = Profiler::find(&compiler, target.join("training"))?;
    let laid_out = !arguments.without_bolt && layout::is_for(&compiler.host);
    let bolt = if laid_out { Some(Bolt::find(&compiler, target.join("layout"))?) } else { None };

    tell("building the program that counts");
    let counting = profiler.counting(&compiler, linked(laid_out))?;
    tell("building the training");
    let training = Training::build(&target)?;
    let profile = profiler.profile(&counting, &training)?;
    tell("building the program by what it counted");
    let program = compiler.build(&target, &flags(&compiler.host, &profile, laid_out))?;

    let shipped = target.join("shipped");
    fs::create_dir_all(&shipped)?;
    let begun = shipped.join("begun");
    if let Some(bolt) = bolt {
        bolt.lay_out(&program, &training, &begun)?;
    } else {
        fs::copy(&program, &begun)?;
    }
    let shipped = shipped.join(format!("countersign{}", env::consts::EXE_SUFFIX));
    fs::rename(&begun, &shipped)?;
    Ok(shipped)
}

/// How both programs are linked.
fn linked(laid_out: bool) -> Vec<String> {
    if laid_out { vec![layout::RELOCATIONS.to_owned()] } else { Vec::new() }
}

/// Those of the program that is compiled by a profile.
fn flags(host: &str, profile: &Path, laid_out: bool) -> Vec<String> {
    let mut flags = linked(laid_out);
    flags.push(format!("-Cprofile-use={}", profile.display()));
    if host.ends_with("-linux-gnu") {
        flags.push(SPLIT.to_owned());
    }
    flags
}

/// Whether the second is not there, or older than the first.
fn is_newer(program: &Path, than: &Path) -> bool {
    let modified = |file: &Path| fs::metadata(file).and_then(|it| it.modified()).ok();
    modified(program) > modified(than)
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
    fn a_program_has_relocations_only_where_it_is_laid_out() {
        let flags = |host, laid_out| flags(host, Path::new("a.profdata"), laid_out).join(" ");
        let linux = "x86_64-unknown-linux-gnu";
        let relocations = "-Clink-arg=-Wl,--emit-relocs";
        assert_eq!(flags(linux, true), format!("{relocations} -Cprofile-use=a.profdata {SPLIT}"));
        assert_eq!(flags(linux, false), format!("-Cprofile-use=a.profdata {SPLIT}"));
        assert_eq!(flags("aarch64-apple-darwin", false), "-Cprofile-use=a.profdata");
    }

    #[test]
    fn a_program_is_counted_anew_only_where_it_changed_since() {
        let folder = tempfile::tempdir().unwrap();
        let [program, counts] = ["program", "counts"].map(|it| folder.path().join(it));
        fs::write(&program, "").unwrap();
        assert!(is_newer(&program, &counts), "there are none yet");
        fs::write(&counts, "").unwrap();
        let earlier = fs::metadata(&program).unwrap().modified().unwrap();
        let later = earlier + std::time::Duration::from_secs(1);
        fs::File::open(&counts).unwrap().set_modified(later).unwrap();
        assert!(!is_newer(&program, &counts));
        let latest = later + std::time::Duration::from_secs(1);
        fs::File::open(&program).unwrap().set_modified(latest).unwrap();
        assert!(is_newer(&program, &counts));
    }
}
