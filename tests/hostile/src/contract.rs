//! `wit/`, read as it is on disk or with one passage replaced.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use wit_parser::{PackageId, Resolve, SourceMap};

/// Folder of the contract.
const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");

/// Parses the contract.
///
/// With `patch`, every occurrence of its first string becomes the second: another contract under
/// the same name. Fails where the first is not there, so that a case cannot go stale unseen.
pub(crate) fn read(patch: Option<(&str, &str)>) -> Result<(Resolve, PackageId)> {
    let mut sources = SourceMap::default();
    let mut patched = false;
    let files = Path::new(WIT).read_dir().context("reading wit/")?;
    let mut paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.extension().is_none_or(|extension| extension != "wit") {
            continue;
        }
        let mut text = std::fs::read_to_string(&path)?;
        if let Some((from, to)) = patch {
            patched |= text.contains(from);
            text = text.replace(from, to);
        }
        sources.push_str(&path.to_string_lossy(), text);
    }
    ensure!(patch.is_none() || patched, "the passage to replace is not in wit/");
    let mut resolve = Resolve::default();
    let group = sources.parse().map_err(|(_, error)| anyhow!("{error}"))?;
    let package = resolve.push_group(group)?;
    Ok((resolve, package))
}
