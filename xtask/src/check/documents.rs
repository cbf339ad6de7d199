//! What the documents quote of the contract and of the example plugin stands there word for word.
//!
//! A quotation is a code block marked `wit`, or one marked `rust` that exports a plugin, which must
//! be the example's or one of the cookbook's. Indentation and blank lines are free, and a line `…`
//! or `// …` stands for what was left out; all else must be consecutive lines of one file of
//! `wit/`. The sdk and the host need no such check: both are generated from `wit/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

/// The plugin that the README shows.
const EXAMPLE: &str = "plugins/example/src/lib.rs";
/// Those that docs/plugins/cookbook.md shows, a file each.
const COOKBOOK: &str = "tests/cookbook";

/// Fails, naming each, where a quotation is not in the contract.
pub(super) fn agree(root: &Path) -> Result<String> {
    ensure!(root.join("README.md").is_file(), "README.md is missing");
    let contract = files(&root.join("wit"))?;
    let mut plugins = files(&root.join(COOKBOOK))?;
    plugins.push(lines(&fs::read_to_string(root.join(EXAMPLE)).context(EXAMPLE)?));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in documents(root)? {
        let text = fs::read_to_string(&document)?;
        let of_contract = quotations(&text, "wit").into_iter().map(|it| (it, &contract[..]));
        let exports = |line: &String| {
            line.starts_with("export_plugin!") || line.starts_with("export_flow_plugin!")
        };
        let of_plugins = quotations(&text, "rust").into_iter();
        let of_plugins =
            of_plugins.filter(|(_, block)| block.iter().any(exports)).map(|it| (it, &plugins[..]));
        for ((line, block), source) in of_contract.chain(of_plugins) {
            count += 1;
            if let Some(part) = stray(&block, source) {
                let name = document.strip_prefix(root).unwrap_or(&document).display();
                wrong.push(format!("{name}:{line}: not in what it quotes: {part}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(format!("{count} quotations"))
}

/// The lines of each file of a folder.
fn files(folder: &Path) -> Result<Vec<Vec<String>>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(lines(&fs::read_to_string(entry?.path())?))).collect()
}

/// Without indentation and blank lines.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

/// Every Markdown file of the tree but for what builds leave there.
fn documents(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                found.extend(documents(&path)?);
            }
        } else if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Each code block marked so, with the line where it begins.
fn quotations(text: &str, mark: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (nth, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(tag)) if tag == mark => open = Some((nth + 2, String::new())),
            (Some(_), Some(_)) => found.extend(open.take().map(|(at, block)| (at, lines(&block)))),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

/// The first line of a part that no file has.
fn stray<'a>(block: &'a [String], contract: &[Vec<String>]) -> Option<&'a str> {
    let parts = block.split(|line| matches!(line.as_str(), "…" | "// …"));
    let is_quoted = |part: &[String]| {
        contract.iter().any(|file| file.windows(part.len()).any(|window| window == part))
    };
    let mut parts = parts.filter(|part| !part.is_empty());
    parts.find(|part| !is_quoted(part)).and_then(|part| part.first()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::root;

    #[test]
    fn documents_quote_the_contract_as_it_is() {
        agree(root()).unwrap();
    }

    #[test]
    fn a_quotation_is_consecutive_lines_whatever_their_indentation() {
        let contract = [lines("record a {\n  x: u8,\n\n  y: u8,\n}\n\nf: func();")];
        for (text, wrong) in [
            ("```wit\nrecord a {\n      x: u8,\n  y: u8,\n}\n```", None),
            ("```wit\nrecord a {\n…\n}\nf: func();\n```", None),
            ("```wit\nrecord a {\n  y: u8,\n```", Some("record a {")),
            ("```wit\nf: func();\n// …\ng: func();\n```", Some("g: func();")),
            ("```rust\nanything\n```", None),
            ("   ```wit\n   g: func();\n   ```", Some("g: func();")),
        ] {
            let found = quotations(text, "wit");
            let first = found.iter().find_map(|(_, block)| stray(block, &contract));
            assert_eq!(first, wrong, "{text}");
        }
    }

    #[test]
    fn a_tree_without_a_readme_fails() {
        let folder = tempfile::tempdir().unwrap();
        assert!(agree(folder.path()).is_err());
    }
}
