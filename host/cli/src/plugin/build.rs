//! `countersign plugin build`.
//!
//! The component is written once the sandbox has loaded it, and as a whole: a server may be reading its
//! folder.

use std::fs;
use std::io::{self, Write as _};
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;

use countersign::sandbox::{Chosen, Limits};
use countersign_build::{Error, Language, Project, component};
use tempfile::NamedTempFile;

use super::verdict::Verdict;
use super::{refused, text, to_json};
use crate::arguments::{BuildPlugin, Global};
use crate::codes;
use crate::failure::Failure;
use crate::host::{Host, Parts};
use crate::output::Output;
use crate::policy::Policy;

/// Bytes of a page of memory.
const PAGE: u64 = 64 << 10;

pub(super) fn run(
    global: &Global,
    arguments: &BuildPlugin,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let project = Project::open(&arguments.project).map_err(|error| failure(&error))?;
    let name = project.name();
    let language = project.language();
    let built = project.build().map_err(|error| match error {
        Error::Failed { .. } => failure(&error).with_hint(hint(language)),
        error => failure(&error),
    })?;
    let limits = if language.is_interpreted() { Limits::interpreted() } else { Limits::default() };
    let pages = component::pages(&built.component).map_err(|error| failure(&error))?;
    fits(pages, built.component.len(), &limits, language)?;

    // Beside the bundled ones alone: the folder of a host may hold an earlier build of this one.
    let mut chosen = global.interpreted.clone();
    if language.is_interpreted() {
        chosen.push(Chosen::Name(name.to_owned()));
    }
    let host = Host::load(Parts { chosen: &chosen, ..Parts::of(global, None) })?;
    let info = host
        .registry
        .inspect(name, &built.component)
        .map_err(|cause| refused(name, format!("{name}: {cause}"), &cause))?;
    let verdict = Verdict::of(&info, &host.registry.listing().serving, &global.pins);
    let file = place(arguments, name)?;
    write(&file, &built.component)?;

    let notes = notes(name, &built.component, pages, &limits, language);
    let policy = Policy::load(None, &host.registry.auth_types())?;
    if arguments.json {
        let mut shown = to_json(&info, &policy);
        shown["source"] = file.display().to_string().into();
        shown["accepted"] = verdict.accepted().into();
        if let Verdict::Refused { why, .. } = &verdict {
            shown["reason"] = why.as_str().into();
        }
        shown["pages"] = pages.into();
        shown["notes"] = notes.into();
        output.json(&shown)?;
    } else {
        let mut shown = text::details(&info, &verdict, &policy);
        shown
            .push_str(&text::row("memory", &format!("{pages} pages, {} KiB", pages * PAGE / 1024)));
        shown.push_str(&text::row("built with", &built.with));
        shown.push_str(&text::row("file", &file.display().to_string()));
        for note in notes {
            shown.push_str(&text::row("note", &note));
        }
        output.text(&shown)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails where no instance could be made: the sandbox's own words for it speak of pools.
fn fits(pages: u64, size: usize, limits: &Limits, language: Language) -> Result<(), Failure> {
    if size > limits.component_bytes {
        let what = format!(
            "the component has {size} bytes; a host reads {} at most. Look for a dependency that is large, \
             or data that is built in",
            limits.component_bytes,
        );
        return Err(Failure::new(codes::COMPONENT_REFUSED, what));
    }
    let most = limits.memory_bytes as u64;
    if pages * PAGE <= most {
        return Ok(());
    }
    let look = if language.is_interpreted() {
        "what is imported, and what it keeps when it is loaded"
    } else {
        "`stack` under [package.metadata.countersign] in Cargo.toml, and at large constants and statics"
    };
    let what = format!(
        "its memory begins with {pages} pages, {} KiB; an instance has {} KiB at most. Look at {look}",
        pages * PAGE / 1024,
        most / 1024,
    );
    Err(Failure::new(codes::COMPONENT_REFUSED, what))
}

/// What is allowed, and worth a second look.
fn notes(
    name: &str,
    component: &[u8],
    pages: u64,
    limits: &Limits,
    language: Language,
) -> Vec<String> {
    let mut notes = Vec::new();
    if language.is_interpreted() {
        notes.push(format!(
            "it carries an interpreter: an operator has to let it, by `--interpreted {name}` or the setting \
             `interpreted.plugins`"
        ));
        return notes;
    }
    if pages * PAGE > limits.kept_memory as u64 {
        notes.push(format!(
            "with more than {} pages of memory each call costs system calls; a smaller `stack` under \
             [package.metadata.countersign] may be enough",
            limits.kept_memory as u64 / PAGE,
        ));
    }
    // What the standard library of this target panics with.
    let asks_the_time = b"time not implemented on this platform";
    if component.windows(asks_the_time.len()).any(|it| it == asks_the_time) {
        notes.push(
            "something in it may ask the machine for the time (std::time), which traps; take Context::now"
                .to_owned(),
        );
    }
    notes
}

/// The file that the component goes to. A folder is made where the path can be nothing else.
fn place(arguments: &BuildPlugin, name: &str) -> Result<PathBuf, Failure> {
    let file = format!("{name}.wasm");
    Ok(match &arguments.out {
        None if arguments.project == Path::new(".") => PathBuf::from(file),
        None => arguments.project.join(file),
        Some(out) if out.is_dir() => out.join(file),
        Some(out) if out.to_string_lossy().ends_with(path::is_separator) => {
            fs::create_dir_all(out).map_err(|cause| unwritten(out, &cause))?;
            out.join(file)
        }
        Some(out) => out.clone(),
    })
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let written = NamedTempFile::new_in(folder).and_then(|mut whole| {
        whole.write_all(bytes)?;
        #[cfg(unix)]
        {
            // Temporary files are their owner's alone; a server may run as somebody else.
            use std::os::unix::fs::PermissionsExt as _;
            whole.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        whole.persist(file).map_err(|error| error.error)
    });
    written.map(drop).map_err(|cause| unwritten(file, &cause))
}

fn unwritten(path: &Path, cause: &io::Error) -> Failure {
    Failure::new(codes::OUTPUT_FAILED, format!("{}: {cause}", path.display()))
}

/// What to look at where the tool of a language fails.
fn hint(language: Language) -> &'static str {
    match language {
        Language::Rust => {
            "A crate that does not support wasm32-unknown-unknown wants what no plugin has: threads, \
             sockets, files, a clock, the system's randomness; a function that C code would have is an \
             `undefined symbol`."
        }
        Language::JavaScript => "`npx tsc` checks the types.",
        Language::Python => {
            "Where it is the module that fails, Python's own traceback stands first."
        }
    }
}

/// Why a project is not made, or not built.
pub(super) fn failure(error: &Error) -> Failure {
    let code = match error {
        Error::Missing { .. } => codes::TOOL_MISSING,
        Error::Failed { .. } => codes::BUILD_FAILED,
        Error::Foreign(_) | Error::Malformed(_) => codes::COMPONENT_REFUSED,
        _ => codes::PROJECT_INVALID,
    };
    Failure::new(code, error.to_string())
}
