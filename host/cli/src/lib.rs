//! The `countersign` command, as a library, so that its parts can be tested.
//!
//! [`run`] reads the command line, runs one command and turns its end into an exit code: 0 where it
//! did what was asked, 1 where something was refused or failed (an `error[code]` line on standard
//! error says what, who must act and how), 2 where the command line cannot be read. Nothing prints
//! a secret unless `--reveal` is given.

mod answer;
mod arguments;
mod case;
mod client;
pub mod codes;
mod config;
mod confirm;
mod demo;
mod failure;
mod host;
mod inject;
mod json;
mod log;
mod mask;
mod output;
mod pattern_settings;
mod plugin;
mod policy;
mod provider;
mod remote;
mod request;
mod script;
mod serve;
mod state_file;
mod terminal;
mod traces;
pub mod upstream;
mod vault;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, Command};
use failure::Failure;
use output::Output;

/// Runs the command that the command line asks for.
pub fn run() -> ExitCode {
    // clap prints help to standard output and usage errors to standard error, and exits with 2.
    let arguments = Arguments::parse();
    arguments.demand_inputs();
    let output = Output::new(arguments.command.wants_json());
    // A server's log is a matter of its configuration, which is not read yet.
    if !matches!(arguments.command, Command::Serve(_)) {
        log::start(&arguments.global, arguments.command.default_log());
    }
    match dispatch(arguments, &output) {
        Ok(code) => code,
        Err(failure) => output.fail(&failure),
    }
}

fn dispatch(arguments: Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let Arguments { global, command } = arguments;
    let layers = command.sources().map(|it| it.layers(&global)).unwrap_or_default();
    match command {
        Command::Serve(serve) => serve::run(serve.layers(&global), output),
        Command::Config(config) => config::run(&layers, &config, output),
        Command::Client(client) => client::run(&layers, client, output),
        Command::Vault(vault) => vault::run(&layers, &vault, output),
        Command::Demo(demo) => demo::run(&global, &demo, output),
        Command::Inject(inject) => inject::run(&global, &inject, output),
        Command::Request(request) => request::run(&global, &request, output),
        Command::Plugin(plugin) => plugin::run(&global, &plugin, output),
        Command::Provider(provider) => provider::run(&global, &provider, output),
        Command::Connection(connection) => remote::connection(&connection, output),
        Command::Account(account) => remote::account(&account, output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "countersign", &mut script);
            output.bytes(&script)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
