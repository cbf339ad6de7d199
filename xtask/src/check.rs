//! `cargo xtask check`: what every change has to pass and `cargo test` cannot show, because it needs
//! more than stable Rust.
//!
//! Each step has a heading, and its time when it is done. All steps are run, so that one run shows
//! every fault; the summary names those that failed, and the task ends with 0 only where none did.
//! A tool that is missing is a failure that names the Debian package, never a reason to leave a
//! step out.

mod alone;
mod aws;
mod contract;
mod curl;
mod demo;
mod digest;
mod documents;
mod guests;
mod languages;
mod mtls;
mod node;
mod ntlm;
mod oauth1;
mod programs;
mod project;
mod schemathesis;
mod server;
mod tools;
mod upstream;
mod venv;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::plugins::{root, say};

/// A heading, and what is done under it. What comes back is said in the summary.
type Step = (&'static str, fn() -> Result<String>);

const STEPS: &[Step] = &[
    ("Tools", || tools::present().map(|count| format!("{count} of {count} are here"))),
    ("The contract is documented", || contract::documented(root())),
    ("Documents quote the contract as it is", || documents::agree(root())),
    ("Guests from source", || guests::rebuilt(root())),
    ("A new project of a plugin", || project::served(root())),
    ("A plugin in JavaScript", || languages::javascript(root())),
    ("A plugin in Python", || languages::python(root())),
    ("Examples", || programs::examples(root())),
    ("The demo", || programs::demo(root())),
    ("The demo's gateway", || demo::run(root())),
    ("A first start's curl command", || curl::first(root())),
    ("The API's curl commands", || curl::run(root())),
    ("Signatures for AWS", || aws::verified(root())),
    ("Schemathesis", || schemathesis::run(root())),
    ("DIGEST against Apache, httpbin, newman", || digest::run(root())),
    ("NTLM against pyspnego", || ntlm::run(root())),
    ("MTLS against nginx", || mtls::run(root())),
    ("OAUTH1 against oauthlib", || oauth1::verified(root())),
];

struct Ended {
    name: &'static str,
    took: Duration,
    result: Result<String>,
}

/// Runs every step.
pub(crate) fn run() -> Result<()> {
    let mut ended = Vec::new();
    for &(name, step) in STEPS {
        say(&format!("\n==> {name}"));
        let began = Instant::now();
        let result = step();
        if let Err(error) = &result {
            say(&format!("{error:#}"));
        }
        let took = began.elapsed();
        say(&format!("<== {name}: {:.1} s", took.as_secs_f64()));
        ended.push(Ended { name, took, result });
    }
    say("");
    for Ended { name, took, result } in &ended {
        let (verdict, detail) = match result {
            Ok(detail) => ("passed", detail.as_str()),
            Err(_) => ("FAILED", ""),
        };
        say(&format!("{verdict}  {:>6.1} s  {name:<40}{detail}", took.as_secs_f64()));
    }
    let failed = ended.iter().filter(|it| it.result.is_err()).count();
    ensure!(failed == 0, "{failed} of {} steps failed", ended.len());
    Ok(())
}
