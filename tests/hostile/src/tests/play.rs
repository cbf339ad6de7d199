//! The smallest host: one instance, dynamic values, bounds on everything.

use std::sync::LazyLock;

use wasmtime::component::{Component, Instance, Linker, Val};
use wasmtime::{Config, Engine, Result, Store, StoreLimits, StoreLimitsBuilder, format_err};

use crate::Stage;

/// The account's token.
pub(crate) const CANARY: &str = "canary-9f2c";

/// Enough for every guest that ends; a loop takes some milliseconds to use it up.
const FUEL: u64 = 20_000_000;
const MEMORY: usize = 32 << 20;
const HOSTCALL_BYTES: usize = 1 << 20;
/// What the imports take and give altogether.
const IMPORT_BYTES: usize = 1 << 20;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.consume_fuel(true);
    Engine::new(&config).unwrap()
});

/// One instance of a guest.
pub(crate) struct Play {
    store: Store<Bounds>,
    instance: Instance,
}

struct Bounds {
    limits: StoreLimits,
    import_bytes: usize,
}

impl Bounds {
    fn import(&mut self, bytes: usize) -> Result<()> {
        self.import_bytes = self
            .import_bytes
            .checked_sub(bytes)
            .ok_or_else(|| format_err!("too much asked of the imports"))?;
        Ok(())
    }
}

/// Compiles a component.
pub(crate) fn compile(component: &[u8]) -> Result<Component> {
    Component::new(&ENGINE, component)
}

impl Play {
    pub(crate) fn of(component: &Component) -> Result<Self> {
        let mut linker = Linker::<Bounds>::new(&ENGINE);
        let mut context = linker.instance("countersign:auth/context@0.1.0")?;
        context.func_new("now", |_, _, _, results| {
            results[0] = Val::U64(1_700_000_000_000);
            Ok(())
        })?;
        context.func_new("random", |mut store, _, params, results| match params {
            [Val::U32(len)] if *len <= 4096 => {
                store.data_mut().import(*len as usize)?;
                results[0] = Val::List(vec![Val::U8(7); *len as usize]);
                Ok(())
            }
            _ => Err(format_err!("beyond 4096 bytes")),
        })?;
        context.func_new("log", |mut store, _, params, _| match params {
            [_, Val::String(message)] => store.data_mut().import(message.len()),
            _ => Err(format_err!("not a log line")),
        })?;
        let limits = StoreLimitsBuilder::new().memory_size(MEMORY).table_elements(100_000).build();
        let mut store = Store::new(&ENGINE, Bounds { limits, import_bytes: IMPORT_BYTES });
        store.limiter(|bounds| &mut bounds.limits);
        store.set_fuel(FUEL)?;
        store.set_hostcall_fuel(HOSTCALL_BYTES);
        let instance = linker.instantiate(&mut store, component)?;
        Ok(Self { store, instance })
    }

    /// Calls what a host calls at this stage.
    pub(crate) fn at(&mut self, stage: Stage) -> Result<Val> {
        let bytes = || Val::List(Vec::new());
        let (interface, name, params) = match stage {
            Stage::Load => ("authorizer", "describe", vec![]),
            Stage::Validate => ("authorizer", "validate", vec![account()]),
            Stage::Authorize => ("authorizer", "authorize", vec![account(), none(), bytes()]),
            Stage::Replied => ("authorizer", "replied", vec![account(), response(), bytes()]),
            Stage::Renew => {
                let renew = Val::Variant("renew".into(), Some(Box::new(bytes())));
                ("flow", "begin", vec![account(), renew])
            }
            Stage::Grant => {
                let grant = Val::Record(vec![
                    ("redirect-uri".into(), text("https://gateway.example/callback")),
                    ("state-token".into(), text("state-token")),
                ]);
                let grant = Val::Variant("grant".into(), Some(Box::new(grant)));
                ("flow", "begin", vec![account(), grant])
            }
            Stage::Resume => {
                let event = Val::Variant("response".into(), Some(Box::new(response())));
                ("flow", "resume", vec![account(), event, bytes()])
            }
            Stage::Mutate => {
                ("mutator", "mutate", vec![Val::List(vec![entry("token", CANARY)]), bytes()])
            }
        };
        self.call(&format!("countersign:auth/{interface}@0.1.0"), name, &params)
    }

    fn call(&mut self, interface: &str, name: &str, params: &[Val]) -> Result<Val> {
        let (instance, store) = (self.instance, &mut self.store);
        let interface = instance.get_export_index(&mut *store, None, interface);
        let index = instance.get_export_index(&mut *store, interface.as_ref(), name).unwrap();
        let func = instance.get_func(&mut *store, index).unwrap();
        let mut results = [Val::Bool(false)];
        func.call(&mut *store, params, &mut results)?;
        let [result] = results;
        Ok(result)
    }
}

/// A record's field; panics where there is none.
pub(crate) fn field<'a>(record: &'a Val, name: &str) -> &'a Val {
    let Val::Record(fields) = record else { panic!("{record:?} is not a record") };
    &fields.iter().find(|(field, _)| field == name).unwrap().1
}

/// What a variant, a result or an option carries; a record is its own.
pub(crate) fn payload(of: &Val) -> &Val {
    match of {
        Val::Variant(_, Some(payload))
        | Val::Option(Some(payload))
        | Val::Result(Ok(Some(payload)) | Err(Some(payload))) => payload,
        Val::Record(_) => of,
        other => panic!("{other:?} carries nothing"),
    }
}

fn account() -> Val {
    let values = vec![
        entry("account/tokex", "not this one"),
        entry("account/token/old", "nor this"),
        entry("account/token", CANARY),
    ];
    Val::Record(vec![("values".into(), Val::List(values)), ("memo".into(), Val::List(Vec::new()))])
}

fn response() -> Val {
    Val::Record(vec![
        ("status".into(), Val::U16(200)),
        ("headers".into(), Val::List(vec![entry("content-type", "application/json")])),
        ("body".into(), Val::List(vec![Val::U8(b'{'), Val::U8(b'}')])),
    ])
}

fn entry(name: &str, value: &str) -> Val {
    Val::Tuple(vec![text(name), text(value)])
}

fn text(text: &str) -> Val {
    Val::String(text.into())
}

fn none() -> Val {
    Val::Option(None)
}
