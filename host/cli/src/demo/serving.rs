//! `countersign demo --serve`: a gateway that runs, for whoever wants to try one.
//!
//! It is the gateway of `countersign serve`, in a temporary folder and with the defaults, whatever the
//! environment says. Its five accounts are made through its own management API, and its upstream
//! answers with what it receives. Once `listening on …` stands on standard output, every command
//! above it works. SIGTERM, SIGINT and SIGHUP end it in order. However it ends in order, on `Ok` and on
//! `Err`, the folder is gone.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use countersign::secret::Secret;
use tokio::sync::oneshot;

use super::commands;
use super::scene::SCENES;
use crate::arguments::Global;
use crate::codes;
use crate::config::{Configuration, Loaded};
use crate::failure::Failure;
use crate::host;
use crate::output::Output;
use crate::remote::Gateway;
use crate::serve::{Serving, Signals, make_client};

/// Nobody minds what is cut off here.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until it is told to stop.
pub(super) fn run(
    global: &Global,
    listen: SocketAddr,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let runtime = host::runtime()?;
    // From here on a signal leaves no folder behind.
    let signals = runtime.block_on(async { Signals::listen() });
    let signals = signals.context("waiting for signals")?;
    let folder = private_folder();
    let folder = folder.context("making a folder for the gateway's data")?;
    let served = runtime.block_on(serve(global, listen, folder.path(), signals, output));
    // A plugin that is being compiled would be waited for otherwise.
    runtime.shutdown_background();
    let path = folder.path().display().to_string();
    let removed = folder.close().map_err(|error| {
        Failure::new(codes::DATA_UNUSABLE, format!("{path} could not be removed: {error}"))
    });
    served.and(removed).map(|()| ExitCode::SUCCESS)
}

/// Among those of everybody, and its owner's alone: it holds a master key, and plugins that are run.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("countersign-demo-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

async fn serve(
    global: &Global,
    listen: SocketAddr,
    folder: &Path,
    signals: Signals,
    output: &Output,
) -> Result<(), Failure> {
    let (stop, mut hangup) = signals.split();
    let mut stop = pin!(async move {
        tokio::select! {
            () = stop.first() => {}
            // Its terminal was closed.
            _ = hangup.recv() => {}
        }
    });
    let (upstream, resolve) = super::upstream().await?;
    let loaded = loaded(global, listen, folder, resolve, upstream.authority())?;
    let serving = tokio::select! {
        begun = Serving::begin(&loaded) => begun?.0,
        () = &mut stop => return Ok(()),
    };
    let (client, secret) = make_client(&serving.vault).await?;
    let address = serving.address.clone();
    let (failed, fails) = oneshot::channel::<()>();
    let ready = async {
        let ready = introduce(&address, &client.id, &secret, folder, output).await;
        if ready.is_err() {
            // Fails only where it has ended already.
            let _ = failed.send(());
        }
        ready
    };
    let end = async {
        tokio::select! {
            () = stop => {}
            Ok(()) = fails => {}
        }
    };
    let ((), ready) = tokio::join!(serving.run(end, GRACE), ready);
    ready
}

/// The defaults, but for what makes it the demo's.
fn loaded(
    global: &Global,
    listen: SocketAddr,
    folder: &Path,
    resolve: Vec<countersign::egress::ResolveOverride>,
    authority: &str,
) -> Result<Loaded, Failure> {
    let mut settings = Configuration::default();
    settings.server.listen = listen;
    settings.server.cache.clone_from(&global.cache);
    settings.server.pins.clone_from(&global.pins);
    settings.interpreted.plugins.clone_from(&global.interpreted);
    settings.egress.resolve = resolve;
    let file = folder.join("upstream-ca.pem");
    std::fs::write(&file, authority).context("writing the upstream's authority")?;
    settings.egress.upstream_ca = vec![file];
    let loaded = Loaded { settings, data: folder.to_owned(), file: None };
    std::fs::create_dir(loaded.plugins()).context("making the plugin folder")?;
    super::custom_plugin(&loaded.plugins())?;
    Ok(loaded)
}

/// Makes the five accounts, and says what there is.
async fn introduce(
    url: &str,
    id: &str,
    secret: &Secret,
    folder: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let (gateway, token) = Gateway::signed_in(url, id, secret).await?;
    for scene in SCENES {
        scene.connect(&gateway).await?;
    }
    let text = commands::text(url, folder, (id, secret), &token)?;
    // Nobody may be reading, which is no reason not to serve.
    let _ = output.text(&text);
    Ok(())
}
