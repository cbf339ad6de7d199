//! `cargo xtask check`: what every change has to pass and `cargo test` cannot show, because it needs
//! more than stable Rust.
//!
//! Each step has a heading, and its time when it is done. All steps are run, so that one run shows
//! every fault; the summary names those that failed, and the task ends with 0 only where none did.
//! A tool that is missing is a failure that names the Debian package, never a reason to leave a
//! step out. Whoever mends one step names it, and runs that one alone.

mod alone;
mod aws;
mod built;
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

use anyhow::{Result, bail, ensure};

use crate::plugins::{root, say};

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the steps with one of these in their names, in any case of letters: `python`, `aws`
    steps: Vec<String>,
}

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

/// Runs every step, or those that were named.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut ended = Vec::new();
    for &(name, step) in chosen(&arguments.steps)? {
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

/// The steps that these words choose, in the order of [`STEPS`].
fn chosen(words: &[String]) -> Result<Vec<&'static Step>> {
    let has = |step: &Step, word: &str| step.0.to_lowercase().contains(&word.to_lowercase());
    // A word that chooses nothing would pass for a step that passed.
    for word in words {
        if !STEPS.iter().any(|step| has(step, word)) {
            let names: Vec<_> = STEPS.iter().map(|step| step.0).collect();
            bail!("no step has {word:?} in its name; the steps are: {}", names.join("; "));
        }
    }
    let all = words.is_empty();
    Ok(STEPS.iter().filter(|step| all || words.iter().any(|word| has(step, word))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Result<Vec<&'static str>> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        Ok(chosen(&words)?.into_iter().map(|step| step.0).collect())
    }

    #[test]
    fn every_step_is_run_where_none_is_named() {
        assert_eq!(names(&[]).unwrap().len(), STEPS.len());
    }

    #[test]
    fn a_named_step_is_run_alone() {
        let named = names(&["ntlm", "PYTHON"]).unwrap();
        assert_eq!(named, ["A plugin in Python", "NTLM against pyspnego"]);
    }

    #[test]
    fn a_word_that_names_no_step_is_an_error() {
        let error = names(&["python", "rubi"]).unwrap_err().to_string();
        assert!(error.contains("\"rubi\"") && error.contains("A plugin in Python"), "{error}");
    }
}
