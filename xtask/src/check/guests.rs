//! The committed components come from this tree, byte for byte.
//!
//! The digest that each carries only says what it was meant to be built from; this builds it.
//! Always with Debian's compiler, which the committed ones come from: another compiler makes other
//! bytes of the same source. Where the bytes are equal, every test has run on the fresh ones, so
//! they are not run again.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};

use crate::plugins::{self, COMPONENTS};

/// Builds them all into a folder of their own and compares. Fails, naming those that differ.
pub(super) fn rebuilt(root: &Path) -> Result<String> {
    let fresh = root.join("target/check/components");
    if fresh.exists() {
        // What an earlier run left there would hide that a guest is built no more.
        fs::remove_dir_all(&fresh)?;
    }
    plugins::rebuild(&fresh)?;
    compare(&root.join(COMPONENTS), &fresh)
}

fn compare(committed: &Path, fresh: &Path) -> Result<String> {
    let names = |folder: &Path| -> Result<Vec<_>> {
        let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    };
    let (mut differ, mut count) = (Vec::new(), 0);
    let mut all = names(committed)?;
    all.extend(names(fresh)?);
    all.sort();
    all.dedup();
    for name in all {
        count += 1;
        let [before, after] = [committed, fresh].map(|folder| fs::read(folder.join(&name)));
        match (before, after) {
            (Ok(before), Ok(after)) if before == after => {}
            _ => differ.push(name.to_string_lossy().into_owned()),
        }
    }
    ensure!(
        differ.is_empty(),
        "the committed components are not what this tree builds: {}; run `cargo xtask plugins`, \
         and where they still differ, compare `rustc --version` with the one that built them",
        differ.join(", ")
    );
    Ok(format!("{count} are byte for byte what is committed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_differs_or_is_on_one_side_alone_is_named() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [committed, fresh] = folders.each_ref().map(tempfile::TempDir::path);
        for (name, before, after) in
            [("a", Some("1"), Some("1")), ("b", Some("1"), Some("2")), ("c", Some("1"), None)]
        {
            for (folder, bytes) in [(committed, before), (fresh, after)] {
                bytes.map(|bytes| fs::write(folder.join(name), bytes).unwrap());
            }
        }
        fs::write(fresh.join("d"), "1").unwrap();
        let error = compare(committed, fresh).unwrap_err().to_string();
        assert!(error.contains("builds: b, c, d;"), "{error}");
        for name in ["b", "c", "d"] {
            for folder in [committed, fresh] {
                fs::write(folder.join(name), "3").unwrap();
            }
        }
        assert!(compare(committed, fresh).is_ok());
    }
}
