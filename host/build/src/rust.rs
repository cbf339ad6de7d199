//! A crate's core module.
//!
//! The target is `wasm32-unknown-unknown`, which has no WASI, so that "imports nothing" is a
//! property of the build. Its standard library comes from rustup where that has it, and otherwise
//! is built from Debian's `rust-web-src` by Debian's `rustc-web`.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// What guests are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "wasm-ld-19";
/// How to get the target, by either route.
const CURE: &str = "`rustup target add wasm32-unknown-unknown`; on Debian, without rustup's: \
                    `apt-get install rustc-web rust-web-src lld-19`";

/// Where the target's standard library comes from.
#[derive(Clone, Debug)]
pub enum Route {
    /// rustup installed it.
    Installed {
        /// The toolchain's folder.
        sysroot: PathBuf,
    },
    /// It is built from source, with Debian's compiler.
    Debian {
        /// That compiler's folder.
        sysroot: PathBuf,
    },
}

impl Route {
    /// The one that this machine has for the project in `folder`, which may name a toolchain.
    pub fn find(folder: &Path) -> Result<Self, Error> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        // Without any compiler on the path, Debian's may still be there.
        match sysroot(&rustc, folder)? {
            Some(sysroot) if sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() => {
                Ok(Self::Installed { sysroot })
            }
            _ => Self::debian(),
        }
    }

    /// Debian's, also where rustup has the target: the committed components come from it.
    pub fn debian() -> Result<Self, Error> {
        let missing =
            |tool: &str| Err(Error::Missing { tool: tool.to_owned(), cure: CURE.to_owned() });
        let target = "the target wasm32-unknown-unknown";
        if !Path::new(DEBIAN_RUSTC).is_file() {
            return missing(target);
        }
        let Some(sysroot) = sysroot(DEBIAN_RUSTC.as_ref(), Path::new("/"))? else {
            return missing(target);
        };
        if !sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file() {
            return missing("the source of the standard library (Debian's rust-web-src)");
        }
        if !is_on_path(DEBIAN_LINKER) {
            return missing("the linker wasm-ld-19 (Debian's lld-19)");
        }
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

/// A crate that becomes a core module.
#[derive(Clone, Copy, Debug)]
pub struct Crate<'a> {
    /// The workspace's folder, or the crate's own where it is in none.
    pub root: &'a Path,
    /// What the folder is called in panic messages, which name no path of this machine.
    pub alias: &'a str,
    /// The package's name.
    pub package: &'a str,
    /// What cargo finds it by: its name where no dependency has the same, else its id.
    pub spec: &'a str,
    /// The library's file name, without its end.
    pub library: &'a str,
    /// Of the manifest, or one of cargo's own.
    pub profile: &'a str,
    /// Bytes of stack. With the SDK's arena, 16 KiB keep the memory of an instance at a page.
    pub stack: u32,
    /// Where cargo writes.
    pub target: &'a Path,
    /// Further arguments of cargo: `--quiet`, `--locked`.
    pub arguments: &'a [&'a str],
    /// Further flags of the compiler, for every crate.
    pub flags: &'a [String],
}

impl Crate<'_> {
    /// Compiles it. What cargo has to say goes to standard error.
    pub fn module(&self, route: &Route) -> Result<Vec<u8>, Error> {
        let mut flags = remaps(self.root, self.alias, route)?;
        flags.extend_from_slice(self.flags);
        let mut cargo = cargo(self.root);
        withhold(&mut cargo);
        cargo
            .args(["rustc", "--lib", "--profile", self.profile, "--target", TARGET])
            .args(["--package", self.spec])
            .args(self.arguments)
            .arg("--target-dir")
            .arg(self.target)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        route.apply(&mut cargo);
        // Not among the flags for every crate: they would make a standard library for each size.
        cargo.arg("--").args(link_flags(self.stack));
        if !run(&mut cargo, Command::status)?.success() {
            return Err(Error::Failed { tool: "cargo", project: self.package.to_owned() });
        }
        // The profile `dev` has another folder; no guest is built with it.
        let folder = self.target.join(TARGET).join(self.profile);
        let path = folder.join(self.library.replace('-', "_")).with_extension("wasm");
        fs::read(&path).map_err(Error::io(&path))
    }
}

/// What the guest itself is linked with, on every machine.
pub fn link_flags(stack: u32) -> Vec<String> {
    vec![format!("-Clink-arg=-zstack-size={stack}")]
}

/// Build scripts and macros of whatever crates the plugin has are run here, and modules of other
/// languages as they are imported. What a gateway or its
/// clients are told by their environment (secrets, master keys) is none of their business.
pub(crate) fn withhold(cargo: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            cargo.env_remove(name);
        }
    }
}

/// The cargo that started this program, or the one on the path, in this folder.
pub fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(folder).stdin(Stdio::null());
    cargo
}

/// Runs cargo, in one of the ways that a command can be run.
pub(crate) fn run<T>(
    cargo: &mut Command,
    by: impl FnOnce(&mut Command) -> std::io::Result<T>,
) -> Result<T, Error> {
    by(cargo).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => Error::Missing {
            tool: "cargo".to_owned(),
            cure: "install Rust, from https://rustup.rs or by your system's packages".to_owned(),
        },
        _ => Error::io(cargo.get_program())(cause),
    })
}

/// What keeps this machine's folders, and which registry the crates came from, out of panic
/// messages.
fn remaps(root: &Path, alias: &str, route: &Route) -> Result<Vec<String>, Error> {
    let mut folders =
        vec![(route.sysroot().join("lib/rustlib/src/rust"), "/rust"), (root.to_owned(), alias)];
    // Not there before the first crate is fetched, and then none is named.
    let registries = cargo_home().map(|home| home.join("registry/src"));
    for registry in registries.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten() {
        let registry = registry.map_err(Error::io(root))?;
        folders.push((registry.path(), "/crates"));
    }
    let remap = |(from, to): (PathBuf, &str)| match from.to_str() {
        Some(from) => Ok(format!("--remap-path-prefix={from}={to}")),
        None => Err(Error::project(root, format!("{} is not UTF-8", from.display()))),
    };
    folders.into_iter().map(remap).collect()
}

fn cargo_home() -> Option<PathBuf> {
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// The compiler's folder; `None` where there is no such compiler.
fn sysroot(rustc: &std::ffi::OsStr, folder: &Path) -> Result<Option<PathBuf>, Error> {
    let output = Command::new(rustc).current_dir(folder).args(["--print", "sysroot"]).output();
    let output = match output {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(Error::io(Path::new(rustc)))?,
    };
    let text = String::from_utf8(output.stdout).unwrap_or_default();
    Ok(output.status.success().then(|| PathBuf::from(text.trim_end())))
}

fn is_on_path(program: &str) -> bool {
    let path: OsString = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
