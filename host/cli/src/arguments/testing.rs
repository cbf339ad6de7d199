//! The arguments of `plugin test` and `plugin bench`.

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

/// A component, and which of its cases.
#[derive(Args)]
pub(crate) struct Cases {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(crate) file: PathBuf,
    /// Files of cases, or folders of them; `vectors/` where none is named
    #[arg(value_name = "VECTORS")]
    pub(crate) vectors: Vec<PathBuf>,
    /// Take this case alone; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    pub(crate) only: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) of: Cases,
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

pub(crate) const BENCH_EXAMPLES: &str = "\
Examples:
  countersign plugin bench acme.wasm                   the cases of vectors/
  countersign plugin bench acme.wasm vectors/authorize.json --case 'a signed POST'
  countersign plugin bench acme.wasm --rounds 200 --json

For each case that makes a request ready without a fetch or a reply: the time of one request with an
account that was never seen, so that the plugin is asked, and with one whose answer is kept. Beside it,
in turns and in the same rounds, the bundled BEARER; what is worth comparing is the ratio. Counts of
instructions, which are the same on every machine, are in `countersign plugin test`.";

#[derive(Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) of: Cases,
    /// How often each is measured: 100 requests that are new, and 1000 that are remembered
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// As JSON, in nanoseconds
    #[arg(long)]
    pub(crate) json: bool,
}
