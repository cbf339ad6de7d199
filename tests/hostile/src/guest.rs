//! Builds a guest: the world it claims, and a body for each export.
//!
//! On `Ok` the bytes are a valid component of that world. On `Err` an answer does not fit the
//! contract, or a body is not WAT.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{
    Function, LiftLowerAbi, ManglingAndAbi, PackageId, Resolve, SizeAlign, WasmExport,
    WasmExportKind, WasmImport, WorldId, WorldItem, WorldKey,
};

use crate::answer;
use crate::contract;
use crate::layout::Image;
use crate::val::Val;

/// Names of core imports and exports, as wit-bindgen's guests have them.
const NAMES: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// Where the name that `$token` looks for lies: at the end of the scratch.
const TOKEN_NAME_AT: usize = crate::layout::BASE - 64;

/// What an export does when it is called.
#[derive(Debug, Clone)]
pub enum Body {
    /// Gives this answer.
    Answer(Val),
    /// Runs these instructions, which leave an address or never end. Parameters 0 and 1 are the
    /// account's values wherever the export takes an account. `$now`, `$random` and `$log` are the
    /// imports, as the canonical ABI has them.
    Code(String),
    /// Runs instructions that leave nothing, and then goes on.
    First(String, Box<Body>),
    /// Goes on, and runs instructions that leave nothing before it returns.
    Last(Box<Body>, String),
    /// Goes one way where the condition leaves other than 0, and the second way otherwise.
    Either(String, Box<Body>, Box<Body>),
}

impl Body {
    /// Instructions, as [`Body::Code`].
    pub fn code(code: &str) -> Self {
        Self::Code(code.into())
    }

    /// Instructions to be run first, as [`Body::First`].
    pub fn after(self, code: &str) -> Self {
        Self::First(code.into(), Box::new(self))
    }

    /// Keeps the account's token in a global, for [`crate::Part::KeptInGlobal`].
    pub fn keeping_in_global(self) -> Self {
        Self::Last(Box::new(self), "(call $keep-in-global (local.get 0) (local.get 1))".into())
    }

    /// Keeps the account's token in memory, for [`crate::Part::KeptInMemory`].
    pub fn keeping_in_memory(self) -> Self {
        Self::Last(Box::new(self), "(call $keep-in-memory (local.get 0) (local.get 1))".into())
    }

    /// As [`Body::Either`].
    pub fn either(condition: &str, yes: impl Into<Self>, no: impl Into<Self>) -> Self {
        Self::Either(condition.into(), Box::new(yes.into()), Box::new(no.into()))
    }
}

impl From<Val> for Body {
    fn from(answer: Val) -> Self {
        Self::Answer(answer)
    }
}

/// An import that the contract does not have.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// WIT of the packages that hold it, in braces.
    pub packages: &'static str,
    /// The import item of a world, for example `import wasi:io/poll@0.2.6;`.
    pub import: &'static str,
    /// Names to be changed once the component is encoded.
    pub renamed: Option<(&'static str, &'static str)>,
}

/// A guest in the making.
#[derive(Debug, Clone)]
pub struct Guest {
    world: &'static str,
    bodies: HashMap<&'static str, Body>,
    pages: u64,
    fields: String,
    foreign: Option<Foreign>,
    patch: Option<(&'static str, &'static str)>,
}

impl Guest {
    /// A guest of the world `auth-plugin`. Until told otherwise it finds no fault with any value,
    /// sets `authorization: Hostile`, and delivers every reply.
    pub fn auth(descriptor: Val) -> Self {
        Self::new("auth-plugin")
            .body("describe", descriptor)
            .body("validate", Val::List(Vec::new()))
            .body("authorize", answer::ready(vec![answer::set_header("authorization", "Hostile")]))
            .body("replied", answer::reaction(Val::case("deliver")))
    }

    /// A guest of the world `flow-plugin`: as [`Guest::auth`], and refusing every flow.
    pub fn flow(descriptor: Val) -> Self {
        Self { world: "flow-plugin", ..Self::auth(descriptor) }
            .body("begin", answer::refusal("unavailable", "no flow"))
            .body("resume", answer::refusal("unavailable", "no flow"))
    }

    /// A guest of the world `mutation-plugin`, which changes nothing until told otherwise.
    pub fn mutation(about: Val) -> Self {
        Self::new("mutation-plugin")
            .body("describe", about)
            .body("mutate", Val::ok(Val::List(Vec::new())))
    }

    fn new(world: &'static str) -> Self {
        Self {
            world,
            bodies: HashMap::new(),
            pages: 1,
            fields: String::new(),
            foreign: None,
            patch: None,
        }
    }

    /// What an export does; the last word counts.
    pub fn body(mut self, export: &'static str, body: impl Into<Body>) -> Self {
        self.bodies.insert(export, body.into());
        self
    }

    /// Least size of the memory, in pages of 64 KiB; 1 until told otherwise, and always enough for
    /// the answers.
    pub fn pages(mut self, pages: u64) -> Self {
        self.pages = pages;
        self
    }

    /// Adds fields to the core module: functions, tables, a start.
    pub fn fields(mut self, wat: &str) -> Self {
        self.fields.push_str(wat);
        self
    }

    /// Imports something that the contract does not have.
    pub fn importing(mut self, foreign: Foreign) -> Self {
        self.foreign = Some(foreign);
        self
    }

    /// Is built against a contract in which the first passage reads as the second.
    pub fn misreading(mut self, from: &'static str, to: &'static str) -> Self {
        self.patch = Some((from, to));
        self
    }

    /// The core module as a compiler leaves it, to be made a component of.
    pub fn core(&self) -> Result<Vec<u8>> {
        let (mut resolve, contract) = contract::read(self.patch)?;
        let world = self.select_world(&mut resolve, contract)?;
        let wat = self.module(&resolve, world)?;
        let mut module = wat::parse_str(&wat).context("the core module")?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
        Ok(module)
    }

    /// Encodes the component.
    pub fn build(&self) -> Result<Vec<u8>> {
        let module = self.core()?;
        let renamed = self.foreign.as_ref().and_then(|foreign| foreign.renamed);
        let renamed = renamed.map(|(from, to)| (from.to_owned(), to.to_owned()));
        ComponentEncoder::default()
            .import_name_map(HashMap::from_iter(renamed))
            .module(&module)?
            .validate(true)
            .encode()
    }

    fn select_world(&self, resolve: &mut Resolve, contract: PackageId) -> Result<WorldId> {
        let package = match &self.foreign {
            None => return resolve.select_world(&[contract], Some(self.world)),
            Some(foreign) => resolve.push_str(
                "foreign.wit",
                &format!(
                    "package countersign:foreign;\n{}\nworld foreign {{ include countersign:auth/{}@0.1.0; {} }}",
                    foreign.packages, self.world, foreign.import
                ),
            )?,
        };
        resolve.select_world(&[package], Some("foreign"))
    }

    /// The core module.
    fn module(&self, resolve: &Resolve, world: WorldId) -> Result<String> {
        let mut sizes = SizeAlign::default();
        sizes.fill(resolve)?;
        let mut image = Image::new(resolve, &sizes);
        let mut imports = Vec::new();
        for (interface, func) in functions(&resolve.worlds[world].imports, resolve) {
            let (module, name) =
                resolve.wasm_import_name(NAMES, WasmImport::Func { interface, func });
            let signature = resolve.wasm_signature(AbiVariant::GuestImport, func);
            let types = types(&signature);
            // Two imports may share a name, and only those of the contract are called.
            let ours = module.starts_with("countersign:auth/");
            let id = if ours { format!("${}", func.name) } else { String::new() };
            imports.push(format!("(import {module:?} {name:?} (func {id} {types}))"));
        }
        let mut exports = Vec::new();
        for (interface, func) in functions(&resolve.worlds[world].exports, resolve) {
            let kind = WasmExportKind::Normal;
            let name = resolve.wasm_export_name(NAMES, WasmExport::Func { interface, func, kind });
            let signature = resolve.wasm_signature(AbiVariant::GuestExport, func);
            ensure!(signature.retptr, "`{name}` answers with something other than an address");
            let types = types(&signature);
            let body =
                self.bodies.get(func.name.as_str()).with_context(|| format!("no `{name}`"))?;
            let body =
                instructions(&mut image, func, body).with_context(|| format!("in {name}"))?;
            exports.push(format!("(func (export {name:?}) {types}\n{body})"));
        }
        ensure!(
            exports.len() == self.bodies.len(),
            "a body for an export that `{}` lacks",
            self.world
        );
        let pages = self.pages.max(u64::try_from(image.end().div_ceil(65536))?);
        let runtime = include_str!("runtime.wat")
            .replace("{END}", &image.end().to_string())
            .replace("{TOKEN}", &TOKEN_NAME_AT.to_string());
        Ok(format!(
            "(module\n{imports}\n(memory (export \"memory\") {pages})\n\
             (data (i32.const {TOKEN_NAME_AT}) \"account/token\")\n\
             (data (i32.const {base}) \"{data}\")\n\
             {runtime}\n{fields}\n{exports})",
            imports = imports.join("\n"),
            exports = exports.join("\n"),
            base = crate::layout::BASE,
            data = image.data(),
            fields = self.fields,
        ))
    }
}

/// Every function of a world's imports or exports, with the interface it belongs to.
fn functions<'a, 'b: 'a>(
    items: impl IntoIterator<Item = (&'a WorldKey, &'a WorldItem)>,
    resolve: &'b Resolve,
) -> Vec<(Option<&'a WorldKey>, &'a Function)> {
    let mut functions = Vec::new();
    for (key, item) in items {
        match item {
            WorldItem::Function(func) => functions.push((None, func)),
            WorldItem::Interface { id, .. } => functions
                .extend(resolve.interfaces[*id].functions.values().map(|func| (Some(key), func))),
            WorldItem::Type { .. } => {}
        }
    }
    functions
}

/// Instructions that leave the address of an answer.
fn instructions(image: &mut Image<'_>, func: &Function, body: &Body) -> Result<String> {
    Ok(match body {
        Body::Answer(val) => {
            let ty = func.result.as_ref().context("an answer from a function that gives none")?;
            let placed = image.place(ty, val)?;
            format!("{}\n(i32.const {})", placed.fill, placed.at)
        }
        Body::Code(code) => code.clone(),
        Body::First(code, body) => format!("{code}\n{}", instructions(image, func, body)?),
        Body::Last(body, code) => format!("{}\n{code}", instructions(image, func, body)?),
        Body::Either(condition, yes, no) => format!(
            "(if (result i32) {condition}\n(then {})\n(else {}))",
            instructions(image, func, yes)?,
            instructions(image, func, no)?
        ),
    })
}

/// Parameters and results, as WAT has them.
fn types(signature: &WasmSignature) -> String {
    let list = |what: &str, types: &[WasmType]| {
        let types: Vec<_> = types
            .iter()
            .map(|ty| match ty {
                WasmType::I64 | WasmType::PointerOrI64 => "i64",
                WasmType::F32 => "f32",
                WasmType::F64 => "f64",
                WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
            })
            .collect();
        format!("({what} {})", types.join(" "))
    };
    format!("{} {}", list("param", &signature.params), list("result", &signature.results))
}
