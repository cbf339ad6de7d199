//! The items of a contract, each with what it is, in the order of their names.
//!
//! What is written two ways in WIT is one here: comments, layout, the file that an item is in, `use`
//! and `include` make no difference. A type is named with the interface that it is of.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use semver::Version;
use wit_parser::{
    Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldItem,
    WorldKey,
};

/// What a line is of: `type types.account`, `function flow.begin`, `world auth-plugin`,
/// `import auth-plugin context`.
pub(super) type Name = String;

/// A contract, as a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Items {
    name: String,
    version: Version,
    pub(super) all: BTreeMap<Name, String>,
}

const HEADING: &str = "\
# The contract between hosts and plugins, as it was recorded: an item a line, without comments.
# Written by `cargo xtask contract record`; a test compares wit/ with it. See README.md beside it.

";

impl Items {
    /// Of a folder of WIT files, which are one package with a version.
    pub(super) fn of_wit(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder).context("wit/ does not parse")?;
        let package = &resolve.packages[package];
        let version = package.name.version.clone().context("wit/ has no version")?;
        let mut items = BTreeMap::new();
        for (name, &id) in &package.interfaces {
            items.insert(format!("interface {name}"), String::new());
            let interface = &resolve.interfaces[id];
            for (item, &id) in &interface.types {
                if !is_used(&resolve, id) {
                    let text = definition(&resolve, id)?;
                    items.insert(format!("type {name}.{item}"), text);
                }
            }
            for (item, it) in &interface.functions {
                items.insert(format!("function {name}.{item}"), function(&resolve, it)?);
            }
        }
        for (name, &id) in &package.worlds {
            items.insert(format!("world {name}"), String::new());
            let world = &resolve.worlds[id];
            for (verb, list) in [("import", &world.imports), ("export", &world.exports)] {
                for (key, item) in list {
                    let (item, text) = passed(&resolve, key, item)?;
                    items.insert(format!("{verb} {name} {item}"), text);
                }
            }
        }
        let name = format!("{}:{}", package.name.namespace, package.name.name);
        Ok(Self { name, version, all: items })
    }

    /// Of a record.
    pub(super) fn of_text(text: &str) -> Result<Self> {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let package = lines.next().and_then(|line| line.strip_prefix("package "));
        let (name, version) =
            package.and_then(|it| it.split_once('@')).context("the first line is no package")?;
        let mut items = BTreeMap::new();
        for line in lines {
            let (name, text) = line.split_once(" = ").unwrap_or((line, ""));
            ensure!(
                items.insert(name.to_owned(), text.to_owned()).is_none(),
                "{name} is there twice"
            );
        }
        Ok(Self { name: name.to_owned(), version: version.parse()?, all: items })
    }

    /// As a record.
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{HEADING}package {}\n\n", self.package());
        for (name, it) in &self.all {
            text.push_str(name);
            if !it.is_empty() {
                text.push_str(" = ");
                text.push_str(it);
            }
            text.push('\n');
        }
        text
    }

    /// `countersign:auth`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn version(&self) -> &Version {
        &self.version
    }

    /// Name and version, as components have it.
    pub(super) fn package(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Whether a world has components export this interface.
    pub(super) fn is_exported(&self, interface: &str) -> bool {
        let mut exports = self.all.keys().filter_map(|name| name.strip_prefix("export "));
        exports.any(|it| it.split_once(' ').is_some_and(|(_, name)| name == interface))
    }
}

/// Whether a `use` brought it in: it is described where it comes from.
fn is_used(resolve: &Resolve, id: TypeId) -> bool {
    match resolve.types[id].kind {
        TypeDefKind::Type(Type::Id(of)) => resolve.types[of].name == resolve.types[id].name,
        _ => false,
    }
}

/// What a world takes or gives, by name.
fn passed(resolve: &Resolve, key: &WorldKey, item: &WorldItem) -> Result<(String, String)> {
    let name = match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(id) => interface(resolve, *id)?,
    };
    let text = match item {
        WorldItem::Interface { .. } => String::new(),
        WorldItem::Function(it) => function(resolve, it)?,
        WorldItem::Type { id, .. } => definition(resolve, *id)?,
    };
    Ok((name, text))
}

fn interface(resolve: &Resolve, id: InterfaceId) -> Result<String> {
    resolve.interfaces[id].name.clone().context("an interface has no name")
}

fn function(resolve: &Resolve, it: &Function) -> Result<String> {
    let mut parameters = Vec::new();
    for parameter in &it.params {
        parameters.push(format!("{}: {}", parameter.name, spelled(resolve, &parameter.ty)?));
    }
    let result = match &it.result {
        None => String::new(),
        Some(kind) => format!(" -> {}", spelled(resolve, kind)?),
    };
    Ok(format!("({}){result}", parameters.join(", ")))
}

fn definition(resolve: &Resolve, id: TypeId) -> Result<String> {
    let listed = |parts: Vec<String>| format!("{{ {} }}", parts.join(", "));
    let case = |name: &str, kind: Option<&Type>| match kind {
        None => Ok(name.to_owned()),
        Some(kind) => Ok::<_, anyhow::Error>(format!("{name}({})", spelled(resolve, kind)?)),
    };
    Ok(match &resolve.types[id].kind {
        TypeDefKind::Record(it) => {
            let fields = it.fields.iter();
            let fields = fields.map(|it| Ok(format!("{}: {}", it.name, spelled(resolve, &it.ty)?)));
            format!("record {}", listed(fields.collect::<Result<_>>()?))
        }
        TypeDefKind::Variant(it) => {
            let cases = it.cases.iter().map(|it| case(&it.name, it.ty.as_ref()));
            format!("variant {}", listed(cases.collect::<Result<_>>()?))
        }
        TypeDefKind::Enum(it) => {
            format!("enum {}", listed(it.cases.iter().map(|it| it.name.clone()).collect()))
        }
        TypeDefKind::Flags(it) => {
            format!("flags {}", listed(it.flags.iter().map(|it| it.name.clone()).collect()))
        }
        kind => anonymous(resolve, kind)?,
    })
}

/// A type where it is used: by its name, where it has one.
fn spelled(resolve: &Resolve, kind: &Type) -> Result<String> {
    let Type::Id(id) = kind else {
        // `Bool`, `U8`, `String`: the word that WIT has for it.
        return Ok(format!("{kind:?}").to_lowercase());
    };
    let it = &resolve.types[*id];
    match (&it.name, it.owner, &it.kind) {
        (Some(_), _, TypeDefKind::Type(of @ Type::Id(_))) if is_used(resolve, *id) => {
            spelled(resolve, of)
        }
        (Some(name), TypeOwner::Interface(owner), _) => {
            Ok(format!("{}.{name}", interface(resolve, owner)?))
        }
        (Some(name), ..) => Ok(name.clone()),
        (None, _, kind) => anonymous(resolve, kind),
    }
}

fn anonymous(resolve: &Resolve, kind: &TypeDefKind) -> Result<String> {
    let of = |it: &Type| spelled(resolve, it);
    let maybe = |it: &Option<Type>| it.as_ref().map_or(Ok("_".to_owned()), of);
    Ok(match kind {
        TypeDefKind::Type(it) => of(it)?,
        TypeDefKind::Option(it) => format!("option<{}>", of(it)?),
        TypeDefKind::List(it) => format!("list<{}>", of(it)?),
        TypeDefKind::Result(it) => format!("result<{}, {}>", maybe(&it.ok)?, maybe(&it.err)?),
        TypeDefKind::Tuple(it) => {
            format!("tuple<{}>", it.types.iter().map(of).collect::<Result<Vec<_>>>()?.join(", "))
        }
        TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", of(&Type::Id(*id))?),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", of(&Type::Id(*id))?),
        other => bail!("a type of this kind cannot be recorded yet: {}", other.as_str()),
    })
}
