//! A core module without what no call needs, and with what a call runs side by side.
//!
//! Where many plugins are called in turn, most of the time goes into code that is in no cache yet.
//! So this does two things that the linker has no option for:
//!
//! - The exports `cabi_post_…` go, and with them what only they reach. They free the memory of an
//!   answer, in an instance that ends right after (ARCHITECTURE.md, invariant 5).
//! - The functions follow each other in the order in which a request reaches them, nearest first.
//!   The machine code keeps that order, so that a call touches few pages.

use wasm_encoder::{
    CodeSection, ExportSection, FunctionSection, Module,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, ElementItems, Export, ExternalKind, FunctionBody,
    FunctionSectionReader, Operator, Parser, Payload, TypeRef,
};

use crate::Error as BuildError;

/// How the name of an export begins that frees an answer.
const POST_RETURN: &str = "cabi_post_";

/// How the names end of what a request runs: the arguments are allocated, then used.
const REQUEST: [&str; 2] = ["cabi_realloc", "#authorize"];

/// The same module, pruned.
pub(crate) fn prune(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let functions = Functions::of(module)?;
    let order = functions.reached()?;
    let mut places = vec![None; functions.bodies.len()];
    for (place, &function) in (functions.imports..).zip(&order) {
        places[function] = Some(place);
    }
    let mut pruned = Module::new();
    Pruned { imports: functions.imports, order, places }
        .parse_core_module(&mut pruned, Parser::new(0), module)
        .map_err(|error| BuildError::Malformed(error.to_string()))?;
    Ok(pruned.finish())
}

/// What of a module refers to its functions. Those that it imports come first in the count.
#[derive(Default)]
struct Functions<'a> {
    imports: u32,
    bodies: Vec<FunctionBody<'a>>,
    /// Where a request enters.
    request: Vec<u32>,
    /// Where all else enters: other exports, and tables.
    others: Vec<u32>,
}

impl<'a> Functions<'a> {
    fn of(module: &'a [u8]) -> Result<Self, BuildError> {
        let mut functions = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        functions.imports += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        functions.enter_by(&export?);
                    }
                }
                Payload::StartSection { func, .. } => functions.request.push(func),
                Payload::ElementSection(section) => {
                    for element in section {
                        let ElementItems::Functions(items) = element?.items else {
                            let what = "a table is filled in a way that no linker for Rust uses";
                            return Err(BuildError::Malformed(what.to_owned()));
                        };
                        for item in items {
                            functions.others.push(item?);
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => functions.bodies.push(body),
                _ => {}
            }
        }
        Ok(functions)
    }

    fn enter_by(&mut self, export: &Export<'_>) {
        if export.kind != ExternalKind::Func || export.name.starts_with(POST_RETURN) {
            return;
        }
        if REQUEST.iter().any(|end| export.name.ends_with(end)) {
            self.request.push(export.index);
        } else {
            self.others.push(export.index);
        }
    }

    /// The functions of the module's own that can run, as places in `bodies`, in their new order.
    fn reached(&self) -> Result<Vec<usize>, BuildError> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.bodies.len()];
        let mut reach = |order: &mut Vec<usize>, function: u32| {
            let own = function.checked_sub(self.imports).map(|own| own as usize);
            if let Some(own) = own.filter(|&own| !std::mem::replace(&mut seen[own], true)) {
                order.push(own);
            }
        };
        let mut next = 0;
        for entries in [&self.request, &self.others] {
            for &entry in entries {
                reach(&mut order, entry);
            }
            while let Some(&function) = order.get(next) {
                next += 1;
                for operator in self.bodies[function].get_operators_reader()? {
                    if let Operator::Call { function_index }
                    | Operator::ReturnCall { function_index }
                    | Operator::RefFunc { function_index } = operator?
                    {
                        reach(&mut order, function_index);
                    }
                }
            }
        }
        Ok(order)
    }
}

/// Writes a module with its functions where they are to be.
struct Pruned {
    imports: u32,
    order: Vec<usize>,
    /// The new index of each function; `None` for one that nothing reaches.
    places: Vec<Option<u32>>,
}

type Written = Result<(), Error<&'static str>>;

impl Reencode for Pruned {
    type Error = &'static str;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        let Some(own) = function.checked_sub(self.imports) else { return Ok(function) };
        self.places[own as usize].ok_or(Error::UserError("a function was overlooked"))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Written {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for &function in &self.order {
            functions.function(types[function]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Written {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for function in self.order.clone() {
            self.parse_function_body(code, bodies[function].clone())?;
        }
        Ok(())
    }

    /// Names of functions are for debuggers, and the component is stripped of them in the end.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Written {
        if section.name() == "name" {
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Written {
        if export.name.starts_with(POST_RETURN) {
            return Ok(());
        }
        utils::parse_export(self, exports, export)
    }
}

#[cfg(test)]
mod tests;
