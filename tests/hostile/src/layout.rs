//! Lays a [`Val`] out in a guest's memory as the canonical ABI asks.
//!
//! Sizes, alignments and the numbers of cases come from the WIT type, so a change of the contract
//! moves the bytes with it. On `Ok` the value is complete and fits its type; what only the running
//! guest knows is left as a gap, with the instructions that fill it. On `Err` the image holds
//! rubbish and must be thrown away.

use anyhow::{Context, Result, bail, ensure};
use wit_parser::{Int, Resolve, SizeAlign, Type, TypeDefKind};

use crate::val::{Part, Val};

/// Address of the first byte of the image. What lies below is the guest's to scribble on: a bomb's
/// text, and what a keeper keeps.
pub(crate) const BASE: usize = 8192;

/// The first bytes of a guest's memory, as they are laid out.
pub(crate) struct Image<'a> {
    resolve: &'a Resolve,
    sizes: &'a SizeAlign,
    bytes: Vec<u8>,
}

/// A value in place.
pub(crate) struct Placed {
    /// Where it begins.
    pub(crate) at: usize,
    /// Instructions that complete it, to be run first. They leave the stack as it was.
    pub(crate) fill: String,
}

impl<'a> Image<'a> {
    pub(crate) fn new(resolve: &'a Resolve, sizes: &'a SizeAlign) -> Self {
        Self { resolve, sizes, bytes: Vec::new() }
    }

    /// Lays out a value, and all that it points to.
    pub(crate) fn place(&mut self, ty: &Type, val: &Val) -> Result<Placed> {
        let mut fill = Vec::new();
        let at = self.reserve(self.size(ty), self.align(ty));
        self.store(at, ty, val, &mut fill)?;
        Ok(Placed { at, fill: fill.join("\n") })
    }

    /// First address after the image.
    pub(crate) fn end(&self) -> usize {
        BASE + self.bytes.len()
    }

    /// The image as the text of a WAT data segment.
    pub(crate) fn data(&self) -> String {
        use std::fmt::Write as _;
        self.bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\{byte:02x}");
            text
        })
    }

    fn store(&mut self, at: usize, ty: &Type, val: &Val, fill: &mut Vec<String>) -> Result<()> {
        match ty {
            Type::Bool | Type::U8 => self.number(at, val, 1),
            Type::U16 => self.number(at, val, 2),
            Type::U32 => self.number(at, val, 4),
            Type::U64 => self.number(at, val, 8),
            Type::String => self.string(at, val, fill),
            Type::Id(id) => {
                let resolve = self.resolve;
                self.store_defined(at, &resolve.types[*id].kind, val, fill)
                    .with_context(|| format!("in {:?}", resolve.types[*id].name))
            }
            other => bail!("the contract uses {other:?}, which is not laid out yet"),
        }
    }

    fn store_defined(
        &mut self,
        at: usize,
        kind: &TypeDefKind,
        val: &Val,
        fill: &mut Vec<String>,
    ) -> Result<()> {
        match (kind, val) {
            (TypeDefKind::Type(alias), _) => self.store(at, alias, val, fill),
            (TypeDefKind::Record(record), Val::Record(fields)) => {
                ensure!(fields.len() == record.fields.len(), "one value for each field");
                let offsets = self.sizes.field_offsets(record.fields.iter().map(|field| &field.ty));
                for (field, (offset, ty)) in record.fields.iter().zip(offsets) {
                    let (_, val) = fields
                        .iter()
                        .find(|(name, _)| *name == field.name)
                        .with_context(|| format!("no value for `{}`", field.name))?;
                    self.store(at + offset.size_wasm32(), ty, val, fill)
                        .with_context(|| format!("in `{}`", field.name))?;
                }
                Ok(())
            }
            (TypeDefKind::Tuple(tuple), Val::Tuple(vals)) => {
                ensure!(vals.len() == tuple.types.len(), "one value for each place");
                for ((offset, ty), val) in
                    self.sizes.field_offsets(&tuple.types).into_iter().zip(vals)
                {
                    self.store(at + offset.size_wasm32(), ty, val, fill)?;
                }
                Ok(())
            }
            (TypeDefKind::List(item), _) => self.list(at, item, val, fill),
            (TypeDefKind::Variant(variant), Val::Case(name, payload)) => {
                let cases: Vec<_> = variant
                    .cases
                    .iter()
                    .map(|case| (case.name.as_str(), case.ty.as_ref()))
                    .collect();
                self.case(at, variant.tag(), &cases, name, payload.as_deref(), fill)
            }
            (TypeDefKind::Enum(of), Val::Case(name, payload)) => {
                let cases: Vec<_> =
                    of.cases.iter().map(|case| (case.name.as_str(), None)).collect();
                self.case(at, of.tag(), &cases, name, payload.as_deref(), fill)
            }
            (TypeDefKind::Option(some), Val::Case(name, payload)) => {
                let cases = [("none", None), ("some", Some(some))];
                self.case(at, Int::U8, &cases, name, payload.as_deref(), fill)
            }
            (TypeDefKind::Result(of), Val::Case(name, payload)) => {
                let cases = [("ok", of.ok.as_ref()), ("err", of.err.as_ref())];
                self.case(at, Int::U8, &cases, name, payload.as_deref(), fill)
            }
            (kind, _) => bail!("{val:?} is not a {}", kind.as_str()),
        }
    }

    fn number(&mut self, at: usize, val: &Val, width: usize) -> Result<()> {
        let Val::Num(number) = val else { bail!("{val:?} is not a number") };
        let (low, high) = {
            let bytes = number.to_le_bytes();
            (bytes, bytes[width..].iter().any(|byte| *byte != 0))
        };
        ensure!(!high, "{number} does not fit {width} bytes");
        self.write(at, &low[..width]);
        Ok(())
    }

    fn case(
        &mut self,
        at: usize,
        tag: Int,
        cases: &[(&str, Option<&Type>)],
        name: &str,
        payload: Option<&Val>,
        fill: &mut Vec<String>,
    ) -> Result<()> {
        let number = cases
            .iter()
            .position(|(case, _)| *case == name)
            .with_context(|| format!("no case `{name}`"))?;
        let width = match tag {
            Int::U8 => 1,
            Int::U16 => 2,
            Int::U32 | Int::U64 => 4,
        };
        self.write(at, &number.to_le_bytes()[..width]);
        match (cases[number].1, payload) {
            (None, None) => Ok(()),
            (Some(ty), Some(payload)) => {
                let offset = self.sizes.payload_offset(tag, cases.iter().map(|(_, ty)| *ty));
                self.store(at + offset.size_wasm32(), ty, payload, fill)
                    .with_context(|| format!("in case `{name}`"))
            }
            (None, Some(_)) => bail!("case `{name}` carries nothing"),
            (Some(_), None) => bail!("case `{name}` lacks its payload"),
        }
    }

    fn string(&mut self, at: usize, val: &Val, fill: &mut Vec<String>) -> Result<()> {
        match val {
            Val::Bytes(bytes) => {
                let text = self.reserve(bytes.len(), 1);
                self.write(text, bytes);
                self.slice(at, text, bytes.len())
            }
            Val::Claim { at: address, len } => self.slice(at, *address as usize, *len as usize),
            Val::Parts(parts) => {
                fill.push("(call $string-begin)".into());
                for part in parts {
                    let push = self.push(part);
                    fill.push(push);
                }
                fill.push(format!("(call $string-end (i32.const {at}))"));
                Ok(())
            }
            other => bail!("{other:?} is not a string"),
        }
    }

    /// The instruction that appends a part to the string under way.
    fn push(&mut self, part: &Part) -> String {
        match part {
            Part::Text(text) => {
                let at = self.reserve(text.len(), 1);
                self.write(at, text.as_bytes());
                format!("(call $push (i32.const {at}) (i32.const {}))", text.len())
            }
            Part::Token => "(call $push-token (local.get 0) (local.get 1))".into(),
            Part::Param(index) => {
                format!("(call $push (local.get {index}) (local.get {}))", index + 1)
            }
            Part::KeptInGlobal => "(call $push (global.get $kept) (global.get $kept-len))".into(),
            Part::KeptInMemory => "(call $push (i32.const 4) (i32.load (i32.const 0)))".into(),
        }
    }

    fn list(&mut self, at: usize, item: &Type, val: &Val, fill: &mut Vec<String>) -> Result<()> {
        let size = self.size(item);
        match val {
            Val::List(items) => {
                let first = self.reserve(size * items.len(), self.align(item));
                for (index, val) in items.iter().enumerate() {
                    self.store(first + index * size, item, val, fill)?;
                }
                self.slice(at, first, items.len())
            }
            Val::Repeat(val, times) => {
                let one = self.place(item, val)?;
                fill.push(one.fill);
                fill.push(format!(
                    "(call $repeat (i32.const {at}) (i32.const {}) (i32.const {size}) (i32.const {times}))",
                    one.at
                ));
                Ok(())
            }
            Val::Claim { at: address, len } => self.slice(at, *address as usize, *len as usize),
            Val::Bytes(_) | Val::Parts(_) if matches!(item, Type::U8) => self.string(at, val, fill),
            other => bail!("{other:?} is not a list"),
        }
    }

    /// An address and a length, as strings and lists have them.
    fn slice(&mut self, at: usize, address: usize, len: usize) -> Result<()> {
        self.write(at, &u32::try_from(address)?.to_le_bytes());
        self.write(at + 4, &u32::try_from(len)?.to_le_bytes());
        Ok(())
    }

    fn reserve(&mut self, size: usize, align: usize) -> usize {
        let at = self.end().next_multiple_of(align);
        self.bytes.resize(at - BASE + size, 0);
        at
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at - BASE..at - BASE + bytes.len()].copy_from_slice(bytes);
    }

    fn size(&self, ty: &Type) -> usize {
        self.sizes.size(ty).size_wasm32()
    }

    fn align(&self, ty: &Type) -> usize {
        self.sizes.align(ty).align_wasm32()
    }
}
