//! `countersign vault`: the keys of a server's vault.

use std::process::ExitCode;

use crate::arguments::Vault;
use crate::codes;
use crate::config::{self, Layers};
use crate::failure::Failure;
use crate::host;
use crate::output::Output;
use crate::serve::{failed, make_key, open};

/// Runs one of the two.
pub(crate) fn run(layers: &Layers, vault: &Vault, output: &Output) -> Result<ExitCode, Failure> {
    match vault {
        Vault::Key { file, .. } => {
            let key = make_key(file)?;
            output.text(&format!("{} holds the master key {}\n", file.display(), key.id()))?;
            Ok(ExitCode::SUCCESS)
        }
        Vault::Rotate { .. } => {
            let loaded = layers.load().map_err(|problems| config::refused(&problems))?;
            host::runtime()?.block_on(async {
                let vault = open(&loaded).await?;
                let rotated = vault.rotate(|it| output.progress("sealed anew", it.done, it.total));
                let rotated = rotated.await;
                vault.close().await;
                let end = rotated.map_err(|error| failed(&error))?;
                output.text(&format!("{} of {} sealed anew\n", end.done, end.total))?;
                if end.damaged == 0 {
                    return Ok(ExitCode::SUCCESS);
                }
                let what = format!("{} values do not open, and were left", end.damaged);
                Err(Failure::new(codes::DATA_UNUSABLE, what))
            })
        }
    }
}
