//! The arguments of `plugin test`.

use std::path::PathBuf;

use clap::Args;

pub(crate) const TEST_EXAMPLES: &str = "\
Examples:
  countersign plugin test acme.wasm                    the cases of vectors/
  countersign plugin test acme.wasm more/ one.json
  countersign plugin test acme.wasm --case 'no token' --json
  countersign plugin test acme.wasm --bless            write what is found into `expect`
  countersign plugin test acme.wasm --watch            again whenever a file changes
  countersign plugin test acme.wasm --junit report.xml

A case, in a file of such cases:
  [{\"name\": \"the key in its header\",
    \"values\": {\"account/key\": \"k-1\"},
    \"request\": {\"method\": \"POST\", \"path\": \"/v1/tickets\", \"body\": \"{}\"},
    \"expect\": {\"edits\": [[\"set-header\", \"x-acme-key\", \"k-1\"]]}}]

Leave `expect` out and run with --bless to have it written. Each case runs in the sandbox that serves
requests, with a fixed clock and seed; fetches and requests are answered from the case, and nothing
leaves the process. Beyond the cases it is checked that equal inputs give equal outputs, that secrets
turn up nowhere else, and that hostile values and replies break nothing. docs/plugins/testing.md has
the format and the checks.

Values of the cases are shown in what differs: put no real secret into a case.

Exit code 1 where a case or a check failed, where a file cannot be used, and where there are no cases.";

#[derive(Args)]
pub(crate) struct Test {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(crate) file: PathBuf,
    /// Files of cases, or folders of them; `vectors/` where none is named
    #[arg(value_name = "VECTORS")]
    pub(crate) vectors: Vec<PathBuf>,
    /// Run this case alone; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// The report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write what was found into `expect` of the cases that differ; never what the checks found
    #[arg(long)]
    pub(crate) bless: bool,
    /// Run again whenever the component or a file of cases changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["json", "bless"])]
    pub(crate) watch: bool,
}
