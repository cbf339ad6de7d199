//! The tools that the other steps need.

use std::{env, path::Path};

use anyhow::{Result, ensure};

/// A program, by name or by path, and where Debian has it.
struct Tool {
    program: &'static str,
    package: &'static str,
}

/// Guests are built with Debian's compiler; the demo's TLS is built with a C compiler;
/// curl calls a server, schemathesis and httpbin are of Python, Apache challenges DIGEST, and nginx
/// stands between a gateway and a store, and asks for the certificates of MTLS.
const TOOLS: &[Tool] = &[
    Tool { program: "/usr/bin/rustc", package: "rustc-web" },
    Tool { program: "/usr/lib/rustlib/src/rust/library/std/Cargo.toml", package: "rust-web-src" },
    Tool { program: "wasm-ld-19", package: "lld-19" },
    Tool { program: "cc", package: "build-essential" },
    Tool { program: "git", package: "git" },
    Tool { program: "curl", package: "curl" },
    Tool { program: "python3", package: "python3-venv" },
    Tool { program: "/usr/sbin/apache2", package: "apache2-bin" },
    Tool { program: "/usr/sbin/nginx", package: "nginx" },
];

/// How many there are; fails, naming the package of each that is missing.
pub(super) fn present() -> Result<usize> {
    let missing = missing(TOOLS, is_here);
    ensure!(missing.is_empty(), "{}", missing.join("\n"));
    Ok(TOOLS.len())
}

fn missing(tools: &[Tool], is_here: impl Fn(&str) -> bool) -> Vec<String> {
    let gone = tools.iter().filter(|tool| !is_here(tool.program));
    gone.map(|Tool { program, package }| format!("{program} is missing: apt-get install {package}"))
        .collect()
}

fn is_here(program: &str) -> bool {
    if program.starts_with('/') {
        return Path::new(program).exists();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_its_package() {
        let found = missing(TOOLS, |program| program != "wasm-ld-19");
        assert_eq!(found, ["wasm-ld-19 is missing: apt-get install lld-19"]);
        assert!(missing(TOOLS, |_| true).is_empty());
    }
}
