//! A core module wrapped into a component.
//!
//! On `Ok` the component is valid, imports nothing but what its guest may, holds no section for
//! debuggers or statistics, and ends with the digest of what it was built from.

use std::mem;

use anyhow::{Context as _, Result, ensure};
use wasm_encoder::{
    Component, ComponentSectionId, CustomSection, Encode as _, Module, RawSection, Section as _,
};
use wasmparser::{Encoding, Parser, Payload, Validator};
use wit_component::ComponentEncoder;

/// The custom section that holds the digest, in hexadecimal.
pub(super) const SOURCE: &str = "countersign:source";

/// Wraps a module that `wit-bindgen` has left its sections in.
pub(super) fn wrap(module: &[u8], imports: &[&str], digest: &str) -> Result<Vec<u8>> {
    let whole = ComponentEncoder::default().validate(true).module(module)?.encode()?;
    let mut component = strip(&whole)?;
    for name in imported(&component)? {
        ensure!(imports.contains(&name.as_str()), "it imports {name}");
    }
    let section = CustomSection { name: SOURCE.into(), data: digest.as_bytes().into() };
    // The section's id, 0, is the same in a module and in a component.
    component.push(ComponentSectionId::CoreCustom.into());
    section.encode(&mut component);
    Validator::new().validate_all(&component).context("stripping has broken it")?;
    Ok(component)
}

/// The digest that a component carries.
pub(super) fn digest(component: &[u8]) -> Option<String> {
    let payloads = Parser::new(0).parse_all(component).map_while(Result::ok);
    payloads.fold(None, |found, payload| match payload {
        Payload::CustomSection(section) if section.name() == SOURCE => {
            String::from_utf8(section.data().to_vec()).ok()
        }
        _ => found,
    })
}

/// How many pages of 64 KiB an instance starts with.
pub(super) fn pages(component: &[u8]) -> Result<u64> {
    let mut pages = 0;
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::MemorySection(section) = payload? {
            for memory in section {
                pages += memory?.initial;
            }
        }
    }
    Ok(pages)
}

/// The names of the component's own imports.
fn imported(component: &[u8]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// The same without any custom section, at any depth.
fn strip(component: &[u8]) -> Result<Vec<u8>> {
    let mut output = Vec::new();
    let mut parents = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match payload {
            Payload::Version { encoding, .. } => output.extend_from_slice(match encoding {
                Encoding::Component => &Component::HEADER,
                Encoding::Module => &Module::HEADER,
            }),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                parents.push(mem::take(&mut output));
                continue;
            }
            Payload::End(_) => {
                let Some(mut parent) = parents.pop() else { break };
                parent.push(if output.starts_with(&Component::HEADER) {
                    ComponentSectionId::Component as u8
                } else {
                    ComponentSectionId::CoreModule as u8
                });
                output.encode(&mut parent);
                output = parent;
            }
            Payload::CustomSection(_) => continue,
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            let data = &component[usize::try_from(range.start)?..usize::try_from(range.end)?];
            RawSection { id, data }.append_to(&mut output);
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests;
