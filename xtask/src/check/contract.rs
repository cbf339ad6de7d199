//! Every item of `wit/` says what it is: packages' interfaces and worlds, their types, their
//! functions.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use wit_parser::{Docs, Resolve, TypeDefKind};

/// Fails, naming them all, where items have no `///` comment.
pub(super) fn documented(root: &Path) -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root.join("wit")).context("wit/ does not parse")?;
    let mut items = Vec::new();
    let package = &resolve.packages[package];
    for (name, &id) in &package.interfaces {
        let interface = &resolve.interfaces[id];
        items.push((name.clone(), &interface.docs));
        for (item, &id) in &interface.types {
            let definition = &resolve.types[id];
            // What `use` brings in is described where it comes from.
            if !matches!(definition.kind, TypeDefKind::Type(wit_parser::Type::Id(_))) {
                items.push((format!("{name}.{item}"), &definition.docs));
            }
        }
        let functions = &interface.functions;
        items.extend(functions.iter().map(|(item, it)| (format!("{name}.{item}"), &it.docs)));
    }
    for (name, &id) in &package.worlds {
        items.push((name.clone(), &resolve.worlds[id].docs));
    }
    let bare = undocumented(&items);
    ensure!(bare.is_empty(), "without a word of documentation: {}", bare.join(", "));
    Ok(format!("{} items", items.len()))
}

fn undocumented<'a>(items: &'a [(String, &Docs)]) -> Vec<&'a str> {
    let empty = |docs: &Docs| docs.contents.as_ref().is_none_or(|text| text.trim().is_empty());
    items.iter().filter(|(_, docs)| empty(docs)).map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::root;

    #[test]
    fn every_item_of_the_contract_is_documented() {
        documented(root()).unwrap();
    }

    #[test]
    fn items_without_a_comment_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let wit = folder.path().join("wit");
        std::fs::create_dir(&wit).unwrap();
        let text = "package a:b;\n/// It.\ninterface i {\n  /// One.\n  record said { x: u8 }\n  \
                    record bare { x: u8 }\n  f: func();\n}\nworld w { export i; }\n";
        std::fs::write(wit.join("i.wit"), text).unwrap();
        let error = documented(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("i.bare, i.f, w"), "{error}");
    }
}
