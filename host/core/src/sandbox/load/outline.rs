//! What a component says of itself before anything of it is compiled.
//!
//! A component that carries an interpreter is compiled for seconds. Where it imports what no plugin may,
//! or begins with more than its profile gives, that is told from its sections in milliseconds. What is
//! told here would be told by the compiler or the pool as well, later; nothing rests on its being told
//! here, and what cannot be read is left to them.

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentTypeRef, Instance, Parser, Payload,
};

use super::{LoadError, allow_import, unfit};
use crate::sandbox::{Limits, Profile};

/// Bytes of a page of memory, as a power of two.
const PAGE: u32 = 16;

/// The component itself, and the modules that stand in it; not what its inner components hold.
#[derive(Default)]
struct Outline {
    imports: Vec<String>,
    modules: Vec<Module>,
    /// Those of the modules that can be instantiated by an index; `None` where one came from elsewhere.
    indices: Vec<Option<usize>>,
    /// Modules that are instantiated, by their index.
    instances: Vec<u32>,
}

/// What an instance of a module begins with.
#[derive(Default)]
struct Module {
    /// Bytes.
    memories: Vec<u64>,
    /// Elements.
    tables: Vec<u64>,
}

/// Refuses what need not be compiled to be refused.
pub(super) fn check(bytes: &[u8], limits: &Limits, profile: Profile) -> Result<(), LoadError> {
    let Ok(outline) = Outline::of(bytes) else { return Ok(()) };
    outline.imports.iter().try_for_each(|name| allow_import(name))?;
    outline.excess(limits).map_or(Ok(()), |what| Err(unfit(what, profile)))
}

impl Outline {
    fn of(bytes: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut outline = Self::default();
        // What is being read: 0 is the component, 1 a module or a component in it.
        let mut depth = 0_u32;
        let mut in_module = false;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    if depth == 0 {
                        in_module = matches!(payload, Payload::ModuleSection { .. });
                        outline.begin(in_module);
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ if depth == 0 => outline.component(payload)?,
                _ if depth == 1 && in_module => outline.module(payload)?,
                _ => {}
            }
        }
        Ok(outline)
    }

    fn begin(&mut self, is_module: bool) {
        if is_module {
            self.indices.push(Some(self.modules.len()));
            self.modules.push(Module::default());
        }
    }

    /// A section of the component.
    fn component(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    let import = import?;
                    self.imports.push(import.name.name.to_owned());
                    self.comes(matches!(import.ty, ComponentTypeRef::Module(_)));
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    self.comes(export?.kind == ComponentExternalKind::Module);
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    self.comes(matches!(
                        alias?,
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
                            | ComponentAlias::Outer {
                                kind: ComponentOuterAliasKind::CoreModule,
                                ..
                            }
                    ));
                }
            }
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.instances.push(module_index);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A module from elsewhere has the next index.
    fn comes(&mut self, is_module: bool) {
        if is_module {
            self.indices.push(None);
        }
    }

    /// A section of the last module.
    fn module(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        let Some(module) = self.modules.last_mut() else { return Ok(()) };
        match payload {
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory?;
                    let page = memory.page_size_log2.unwrap_or(PAGE);
                    let bytes = 1_u64.checked_shl(page).map(|it| memory.initial.saturating_mul(it));
                    module.memories.push(bytes.unwrap_or(u64::MAX));
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    module.tables.push(table?.ty.initial);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What an instance of it needs more of than there is, in words.
    fn excess(&self, limits: &Limits) -> Option<String> {
        let modules: Vec<&Module> = self
            .instances
            .iter()
            .filter_map(|index| self.indices.get(usize::try_from(*index).ok()?).copied().flatten())
            .filter_map(|nth| self.modules.get(nth))
            .collect();
        let memories = || modules.iter().flat_map(|module| &module.memories);
        let tables = || modules.iter().flat_map(|module| &module.tables);
        let instances = u64::from(limits.core_instances);
        // As many of the last as of the first: see `engine::pool`.
        let sizes = [
            ("core instances", self.instances.len() as u64, instances),
            ("memories", memories().count() as u64, 1),
            ("tables", tables().count() as u64, instances),
            ("bytes of memory", memories().copied().max().unwrap_or(0), limits.memory_bytes as u64),
            (
                "elements of a table",
                tables().copied().max().unwrap_or(0),
                limits.table_elements as u64,
            ),
        ];
        let (what, found, most) = sizes.into_iter().find(|(_, found, most)| found > most)?;
        Some(format!("it begins with {found} {what}, and is given {most}"))
    }
}

#[cfg(test)]
mod tests;
