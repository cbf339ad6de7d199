//! Imports that no host gives, and where they usually come from.

use std::fmt;

/// What a plugin imports beside the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Modules or interfaces, each with the first of its parts that is asked for.
    pub imports: Vec<(String, String)>,
}

/// Fails where there is any import whose module is not among these.
pub(super) fn look(found: Vec<(String, String)>, allowed: &[&str]) -> Result<(), Foreign> {
    let mut imports: Vec<(String, String)> = Vec::new();
    for import in found {
        let known = imports.iter().any(|(module, _)| *module == import.0);
        if !known && !allowed.contains(&import.0.as_str()) {
            imports.push(import);
        }
    }
    if imports.is_empty() { Ok(()) } else { Err(Foreign { imports }) }
}

/// What such an import usually comes from, and what to do about it.
fn cause(module: &str) -> &'static str {
    if module.starts_with("__wbindgen") || module == "wbg" {
        "a dependency was built for a browser: switch that feature of it off (`wasm_js` of getrandom, \
         `wasmbind` of chrono, `js` of uuid), and take the time and random bytes from the plugin's \
         Context"
    } else if module.starts_with("wasi") {
        "it was built for a system with files, clocks and an environment, which no plugin has (in Rust: \
         std::time, std::env, std::fs for the target wasm32-wasip1 or -wasip2): leave those out, and \
         build it with `countersign plugin build`"
    } else if module == "env" {
        "it calls a function that nothing defines: an `extern` block, or a dependency whose C code was \
         not compiled for WebAssembly"
    } else if module.starts_with("countersign:auth/") {
        "it was built against another version of the contract, or a mutation takes what only auth \
         plugins have: take the SDK of this host"
    } else {
        "the SDK imports nothing of this kind: look for a dependency that does"
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (module, part)) in self.imports.iter().enumerate() {
            let (separator, dot) =
                (if nth == 0 { "" } else { "; " }, if part.is_empty() { "" } else { "." });
            let what = cause(module);
            write!(
                f,
                "{separator}it imports {module}{dot}{part}, which is outside the contract: {what}"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Foreign {}
