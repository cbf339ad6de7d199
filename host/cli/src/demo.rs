//! `countersign demo`: the whole path of a request, on this machine alone.
//!
//! A local upstream serves the hosts of the four reference payloads and of a custom one, over TLS,
//! under an authority made for the occasion. Each payload is sent untouched: the hosts are mapped
//! to the upstream, and nothing else differs from the real thing. The custom plugin is a file in a
//! folder. Ends well only where the upstream saw what each scheme asks for. With `--serve` a gateway
//! stands between, for others to send the requests.

mod commands;
mod scene;
mod serving;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use countersign::egress::{EgressConfig, ResolveOverride};
use countersign::store::MemoryStore;
use countersign::{Countersign, Egress, Subject};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use serde_json::Value as Json;

use crate::arguments::{Demo, Global};
use crate::codes;
use crate::failure::Failure;
use crate::host::{self, Host};
use crate::mask::Mask;
use crate::output::Output;
use crate::upstream::Upstream;

use scene::{SCENES, Scene};

pub(crate) fn run(global: &Global, demo: &Demo, output: &Output) -> Result<ExitCode, Failure> {
    if demo.serve {
        return serving::run(global, demo.listen, output);
    }
    let folder = tempfile::tempdir().context("making a folder for the custom plugin")?;
    let file = custom_plugin(folder.path())?;
    let host = Host::with_folder(global, Some(folder.path()))?;
    output.text(&format!(
        "Five requests over TLS to an upstream on loopback that echoes what it receives.\n\
         Four payloads as they stand, answered by bundled plugins; the fifth by one loaded from a \
         file\n({}, {} bytes).\n",
        file.file_name().unwrap_or_default().display(),
        countersign_bundle::example().bytes.len(),
    ))?;
    host::runtime()?.block_on(play(&host, demo.reveal, output))?;
    output.text(if demo.reveal { CLOSING_REVEALED } else { CLOSING })?;
    Ok(ExitCode::SUCCESS)
}

const CLOSING: &str = "
All five arrived as they should. Next:
  countersign demo --reveal                  the same, with the example secrets shown
  countersign demo --serve                   a gateway that runs, and curl commands for it
  countersign plugin list                    what answers to which auth type
  countersign inject --help                  your own payload: the request, without sending it
";

const CLOSING_REVEALED: &str = "
All five arrived as they should. Next:
  countersign demo --serve                   a gateway that runs, and curl commands for it
  countersign plugin list                    what answers to which auth type
  countersign inject --help                  your own payload: the request, without sending it
  countersign request --help                 the same, sent for real
";

async fn play(host: &Host, reveal: bool, output: &Output) -> Result<(), Failure> {
    let (upstream, resolve) = upstream().await?;
    let config = EgressConfig {
        resolve,
        upstream_ca: vec![upstream.authority().as_bytes().to_vec()],
        ..EgressConfig::default()
    };
    let egress = Egress::new(config).context("setting up the way out")?;
    for (nth, scene) in SCENES.iter().enumerate() {
        let subject = scene.subject()?;
        let seen = send(host, egress.clone(), &subject, scene).await?;
        let mask = if reveal { Mask::reveal() } else { Mask::of(&subject) };
        output.text(&scene.describe(nth + 1, &subject, &seen, &mask))?;
        scene.judge(&seen)?;
    }
    Ok(())
}

/// Puts the custom plugin into this folder.
fn custom_plugin(folder: &Path) -> Result<PathBuf, Failure> {
    let file = folder.join("timestamped-key.wasm");
    let written = std::fs::write(&file, countersign_bundle::example().bytes);
    written.context("writing the custom plugin")?;
    Ok(file)
}

/// The upstream of all five, and what leads their hosts to it.
async fn upstream() -> Result<(Upstream, Vec<ResolveOverride>), Failure> {
    let hosts: Vec<&str> = SCENES.iter().map(|scene| scene.host).collect();
    let upstream = Upstream::echo(&hosts).await?;
    let mapped = |host: &&str| {
        format!("{host}:443={}", upstream.address()).parse().context("mapping a host")
    };
    let resolve = hosts.iter().map(mapped).collect::<anyhow::Result<_>>()?;
    Ok((upstream, resolve))
}

/// What the upstream saw.
async fn send(
    host: &Host,
    egress: Egress,
    subject: &Arc<Subject>,
    scene: &Scene,
) -> Result<Json, Failure> {
    let store = MemoryStore::default();
    if let Some(state) = subject.account().state() {
        store.seed(subject.state_key().clone(), state.clone());
    }
    let client =
        Countersign::builder(Arc::clone(&host.sandbox), Arc::clone(&host.registry), egress)
            .store(Arc::new(store))
            .build();
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = scene.path.parse().context("a path of the demo")?;
    let reply = client.send(subject, request).await?;
    let body = reply.into_body().collect().await.map_err(countersign::Error::from)?.to_bytes();
    serde_json::from_slice(&body)
        .map_err(|_| Failure::new(codes::DEMO_FAILED, "the upstream's echo is not JSON"))
}
