//! A guest's core module.
//!
//! The target is `wasm32-unknown-unknown`, which has no WASI, so that "imports nothing" is a
//! property of the build. Its standard library comes from rustup where that has it, and otherwise
//! is built from Debian's `rust-web-src` by Debian's `rustc-web`.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::Guest;

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "wasm-ld-19";

/// Where the target's standard library comes from.
pub(super) enum Route {
    /// rustup installed it.
    Installed { sysroot: PathBuf },
    /// It is built from source, with Debian's compiler.
    Debian { sysroot: PathBuf },
}

impl Route {
    /// The one that this machine has.
    pub(super) fn find() -> Result<Self> {
        let sysroot = sysroot("rustc")?;
        if sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
            return Ok(Self::Installed { sysroot });
        }
        Self::debian()
    }

    /// Debian's, also where rustup has the target: the committed components come from it.
    pub(super) fn debian() -> Result<Self> {
        ensure!(
            Path::new(DEBIAN_RUSTC).is_file(),
            "{DEBIAN_RUSTC} is missing: `apt-get install rustc-web rust-web-src lld-19` (for a build \
             of your own, `rustup target add {TARGET}` does as well)"
        );
        let sysroot = self::sysroot(DEBIAN_RUSTC)?;
        let library = sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml");
        ensure!(
            library.is_file(),
            "Debian's compiler has no source of the standard library: install rust-web-src"
        );
        Ok(Self::Debian { sysroot })
    }

    fn sysroot(&self) -> &Path {
        match self {
            Self::Installed { sysroot } | Self::Debian { sysroot } => sysroot,
        }
    }

    fn apply(&self, cargo: &mut Command) {
        if matches!(self, Self::Debian { .. }) {
            cargo
                .args(["-Z", "build-std=std,panic_abort"])
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed { .. } => write!(f, "the installed target {TARGET}"),
            Self::Debian { .. } => {
                write!(f, "{DEBIAN_RUSTC} and a standard library built from source")
            }
        }
    }
}

/// Compiles the guest and gives its core module, in which no path of this machine is named.
pub(super) fn module(root: &Path, guest: &Guest, route: &Route) -> Result<Vec<u8>> {
    let target = root.join("target/guest");
    let mut cargo = super::cargo(root);
    cargo
        .args(["rustc", "--lib", "--quiet", "--locked", "--profile", "guest", "--target", TARGET])
        .args(["--package", guest.package])
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", remaps(root, route)?.join("\x1f"));
    route.apply(&mut cargo);
    // Not among the flags for every crate: they would make a standard library for each size.
    cargo.arg("--").args(link_flags(guest));
    ensure!(cargo.status()?.success(), "{} does not build", guest.package);
    let file = guest.package.replace('-', "_");
    let path = target.join(TARGET).join("guest").join(file).with_extension("wasm");
    fs::read(&path).with_context(|| format!("the build left no {}", path.display()))
}

/// What the guest itself is linked with, on every machine.
pub(super) fn link_flags(guest: &Guest) -> Vec<String> {
    vec![format!("-Clink-arg=-zstack-size={}", guest.stack)]
}

/// What keeps this machine's folders, and which registry the crates came from, out of panic
/// messages.
fn remaps(root: &Path, route: &Route) -> Result<Vec<String>> {
    let registries = cargo_home()?.join("registry/src");
    let mut folders = vec![
        (route.sysroot().join("lib/rustlib/src/rust"), "/rust"),
        (root.to_owned(), "/countersign"),
    ];
    for registry in fs::read_dir(&registries)? {
        folders.push((registry?.path(), "/crates"));
    }
    let remap = |(from, to): (PathBuf, &str)| match from.to_str() {
        Some(from) => Ok(format!("--remap-path-prefix={from}={to}")),
        None => bail!("{} is not UTF-8", from.display()),
    };
    folders.into_iter().map(remap).collect()
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = env::var_os("HOME").context("neither CARGO_HOME nor HOME is set")?;
    Ok(Path::new(&home).join(".cargo"))
}

fn sysroot(rustc: &str) -> Result<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output()?;
    ensure!(output.status.success(), "{rustc} does not run");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
}
