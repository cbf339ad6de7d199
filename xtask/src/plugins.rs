//! `cargo xtask plugins`: guests into components.
//!
//! For each guest: its component, as `countersign_build` makes it, with the digest of what it was
//! built from (`digest`). Nothing is written unless every guest came through.

mod digest;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
pub(crate) use countersign_build::rust::cargo;
use countersign_build::{
    IMPORTS, component,
    rust::{Crate, Route},
};

/// Where the committed components are.
pub(crate) const COMPONENTS: &str = "plugins/bundle/components";

/// The custom section that holds the digest, in hexadecimal.
const SOURCE: &str = "countersign:source";

/// A crate that becomes a component.
struct Guest {
    /// Its folder under `plugins/`, and the component's name.
    name: &'static str,
    package: &'static str,
    /// Bytes of stack. 16 KiB keeps the memory of an instance at a page.
    stack: u32,
    imports: &'static [&'static str],
    /// Another plugin's folder, where this one builds on it.
    upon: Option<&'static str>,
}

const MUTATION: &[&str] = &["countersign:auth/types@0.1.0"];

const GUESTS: &[Guest] = &[
    plugin("basic", "countersign-plugin-basic"),
    plugin("bearer", "countersign-plugin-bearer"),
    plugin("api-key", "countersign-plugin-api-key"),
    // Three hashes' constants, likewise.
    Guest { stack: 48 * 1024, ..plugin("digest", "countersign-plugin-digest") },
    // Its constants (SHA-256, JSON) take it past one page whatever the stack; on the second there
    // is room for more of that.
    Guest { stack: 48 * 1024, ..plugin("oauth", "countersign-plugin-oauth") },
    // SHA-256, and the canonical request beside it, as OAUTH has it.
    Guest { stack: 48 * 1024, ..plugin("aws-sigv4", "countersign-plugin-aws-sigv4") },
    // JSON, and what a pattern says, as OAUTH has it.
    Guest { stack: 48 * 1024, ..plugin("session", "countersign-plugin-session") },
    // OAUTH, and a grant more.
    Guest {
        stack: 48 * 1024,
        upon: Some("oauth"),
        ..plugin("oauth-device", "countersign-plugin-oauth-device")
    },
    // Two hashes' constants, and the upper cases of Unicode.
    Guest { stack: 48 * 1024, ..plugin("ntlm", "countersign-plugin-ntlm") },
    plugin("mtls", "countersign-plugin-mtls"),
    // Two hashes; the numbers of RSA are on the heap.
    Guest { stack: 48 * 1024, ..plugin("oauth1", "countersign-plugin-oauth1") },
    plugin("example", "countersign-plugin-example"),
    Guest { imports: MUTATION, ..plugin("mutation-base64", "countersign-mutation-base64") },
];

const fn plugin(name: &'static str, package: &'static str) -> Guest {
    Guest { name, package, stack: 16 * 1024, imports: IMPORTS, upon: None }
}

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail where a component that is there was built from something else.
    #[arg(long)]
    check: bool,
    /// Write to this folder in place of the bundle.
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    out: Option<PathBuf>,
}

/// Builds, or checks, every guest.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = root();
    if arguments.check {
        return check(root);
    }
    let folder = arguments.out.clone().unwrap_or_else(|| root.join(COMPONENTS));
    build(root, &Route::find(root)?, &folder)
}

/// Builds every guest into a folder, with the compiler that the committed components come from.
pub(crate) fn rebuild(folder: &Path) -> Result<()> {
    build(root(), &Route::debian()?, folder)
}

fn build(root: &Path, route: &Route, folder: &Path) -> Result<()> {
    say(&format!("building with {route}"));
    let mut components = Vec::new();
    for guest in GUESTS {
        let module = Crate {
            root,
            alias: "/countersign",
            package: guest.package,
            spec: guest.package,
            library: guest.package,
            profile: "guest",
            stack: guest.stack,
            target: &root.join("target/guest"),
            arguments: &["--quiet", "--locked"],
            flags: &[],
        };
        let module = module.module(route)?;
        let component = component::of_module(&module, guest.imports).context(guest.name)?;
        let digest = digest::of(root, guest)?;
        components.push((guest, component::with_section(component, SOURCE, digest.as_bytes())));
    }
    fs::create_dir_all(folder)?;
    for (guest, component) in components {
        fs::write(folder.join(guest.name).with_extension("wasm"), &component)?;
        let pages = component::pages(&component)?;
        say(&format!("{:>16} {:>7} bytes, {pages} pages of memory", guest.name, component.len()));
    }
    Ok(())
}

/// Fails, naming them all, where components are stale.
fn check(root: &Path) -> Result<()> {
    let mut stale = Vec::new();
    for guest in GUESTS {
        let file = root.join(COMPONENTS).join(guest.name).with_extension("wasm");
        let built_from = fs::read(&file).ok().and_then(|bytes| component::section(&bytes, SOURCE));
        if built_from != Some(digest::of(root, guest)?.into_bytes()) {
            stale.push(guest.name);
        }
    }
    ensure!(
        stale.is_empty(),
        "not built from this tree: {}; run `cargo xtask plugins`",
        stale.join(", ")
    );
    Ok(())
}

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    // The crate sits one folder below the workspace's root.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// One line on standard output.
#[expect(clippy::print_stdout, reason = "what a task tells its user")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
