//! What is done at a gateway that runs, over its management API.
//!
//! Nothing here decides what a gateway would refuse: it is asked, and its answer is told. No secret
//! is written anywhere but where `--reveal` asks for it.

mod account;
mod apply;
mod connection;
mod difference;
mod fault;
mod gateway;
mod payload;
mod promote;
mod provider;
mod proxy;

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::arguments::{Document, RemoteAccount, RemoteConnection, RemoteProvider, Request};
use crate::codes;
use crate::failure::Failure;
use crate::output::Output;
use crate::{host, json};

pub(crate) use gateway::Gateway;

pub(crate) fn provider(provider: &RemoteProvider, output: &Output) -> Result<ExitCode, Failure> {
    host::runtime()?.block_on(provider::run(provider, output))
}

pub(crate) fn connection(
    connection: &RemoteConnection,
    output: &Output,
) -> Result<ExitCode, Failure> {
    host::runtime()?.block_on(connection::run(connection, output))
}

pub(crate) fn account(account: &RemoteAccount, output: &Output) -> Result<ExitCode, Failure> {
    host::runtime()?.block_on(account::run(account, output))
}

/// A request through the gateway for the account of this identifier.
pub(crate) fn request(
    request: &Request,
    identifier: &str,
    output: &Output,
) -> Result<ExitCode, Failure> {
    host::runtime()?.block_on(proxy::run(request, identifier, output))
}

/// The object that a document holds; an empty one where none is named.
fn document(document: &Document) -> Result<serde_json::Map<String, Json>, Failure> {
    let (bytes, name) = match (&document.file, &document.variable) {
        (Some(path), _) => (Zeroizing::new(json::read(path)?), path.display().to_string()),
        (None, Some(name)) => {
            let value = std::env::var(name).map_err(|_| {
                let what = format!("the variable {name} is not set, or is not text");
                Failure::new(codes::DOCUMENT_INVALID, what).at("--from-env")
            })?;
            (Zeroizing::new(value.into_bytes()), name.clone())
        }
        (None, None) => return Ok(serde_json::Map::new()),
    };
    match json::parse(&bytes, &name)? {
        Json::Object(object) => Ok(object),
        _ => Err(Failure::new(codes::DOCUMENT_INVALID, format!("{name} is no JSON object"))),
    }
}

/// Rows for people, each column as wide as its widest.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max()
    };
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A text of an answer.
fn text(json: &Json, member: &str) -> String {
    json[member].as_str().unwrap_or_default().to_owned()
}
