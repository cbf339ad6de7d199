//! A core module wrapped into a component.
//!
//! On `Ok` the component is valid, imports nothing but what its guest may, and holds no section for
//! debuggers or statistics.

mod foreign;

use std::mem;

use wasm_encoder::{
    Component, ComponentSectionId, CustomSection, Encode as _, Module, RawSection, Section as _,
};
use wasmparser::{Encoding, Parser, Payload, Validator};
use wit_component::ComponentEncoder;

use crate::{Error, prune};
pub use foreign::Foreign;

/// Prunes and wraps a module that `wit-bindgen` has left its sections in.
pub fn of_module(module: &[u8], imports: &[&str]) -> Result<Vec<u8>, Error> {
    // Before the encoder, which would say of a function from elsewhere that its interface is missing.
    foreign::look(asked_for(module)?, imports)?;
    wrap(&prune::prune(module)?, imports)
}

fn wrap(module: &[u8], imports: &[&str]) -> Result<Vec<u8>, Error> {
    let mut encoder = ComponentEncoder::default();
    let whole = encoder.validate(true).module(module).and_then(ComponentEncoder::encode);
    let whole = whole.map_err(|cause| Error::Malformed(format!("{cause:#}")))?;
    let component = strip(&whole)?;
    check(&component, imports)?;
    Validator::new().validate_all(&component)?;
    Ok(component)
}

/// A component that another tool has made, without what is for debuggers and statistics.
pub fn of_component(component: &[u8], imports: &[&str]) -> Result<Vec<u8>, Error> {
    check(component, imports)?;
    let component = strip(component)?;
    Validator::new().validate_all(&component)?;
    Ok(component)
}

/// Fails where a component imports anything but these.
pub fn check(component: &[u8], imports: &[&str]) -> Result<(), Error> {
    Ok(foreign::look(imported(component)?, imports)?)
}

/// The component with a custom section of this name at its end.
pub fn with_section(mut component: Vec<u8>, name: &str, data: &[u8]) -> Vec<u8> {
    let section = CustomSection { name: name.into(), data: data.into() };
    // The section's id, 0, is the same in a module and in a component.
    component.push(ComponentSectionId::CoreCustom.into());
    section.encode(&mut component);
    component
}

/// What the last custom section of this name holds.
pub fn section(component: &[u8], name: &str) -> Option<Vec<u8>> {
    let payloads = Parser::new(0).parse_all(component).map_while(Result::ok);
    payloads.fold(None, |found, payload| match payload {
        Payload::CustomSection(section) if section.name() == name => Some(section.data().to_vec()),
        _ => found,
    })
}

/// How many pages of 64 KiB an instance starts with.
pub fn pages(component: &[u8]) -> Result<u64, Error> {
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

/// The names of the component's own imports, none of which has a part.
fn imported(component: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let mut names = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push((import?.name.name.to_owned(), String::new()));
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// What a core module imports: modules, and what of them.
fn asked_for(module: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let import = import?;
                names.push((import.module.to_owned(), import.name.to_owned()));
            }
        }
    }
    Ok(names)
}

/// The same without any custom section, at any depth.
fn strip(component: &[u8]) -> Result<Vec<u8>, Error> {
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
            let beyond = |_| Error::Malformed("it is too large for this machine".to_owned());
            let start = usize::try_from(range.start).map_err(beyond)?;
            let end = usize::try_from(range.end).map_err(beyond)?;
            RawSection { id, data: &component[start..end] }.append_to(&mut output);
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests;
