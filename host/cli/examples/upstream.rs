//! An upstream to try a gateway with: it answers with what it receives.
//!
//! `cargo run -p countersign-cli --example upstream -- ca.pem app.asana.com api.example.com` plays these
//! hosts over TLS on loopback, writes the certificate of its authority to `ca.pem`, and prints the
//! arguments with which `countersign serve` takes it for them. It runs until it is ended.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use anyhow::Context as _;
use countersign_cli::upstream::Upstream;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().context("give the file for the authority, and then the hosts")?;
    let hosts: Vec<String> = arguments.collect();
    let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let upstream = Upstream::echo(&names).await?;
    std::fs::write(&file, upstream.authority()).with_context(|| file.clone())?;
    let address = upstream.address();
    let mapped: Vec<String> =
        names.iter().map(|host| format!("--resolve {host}:443={address}")).collect();
    println!("--upstream-ca {file} {}", mapped.join(" "));
    std::future::pending().await
}
