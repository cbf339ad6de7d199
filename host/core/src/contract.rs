//! The host's side of `wit/`, generated.
//!
//! Two worlds are bound, because a component that has no flows must still load: every auth plugin
//! exports `authorizer`, and `flow` is looked up as an optional export. Both share one set of
//! types. Nothing of this module is public: the crate's own signatures use `http` types, so that a
//! new contract track does not change them.

mod auth {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "auth-plugin",
        imports: { default: trappable },
    });
}

mod flow_half {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package countersign:host;
            world flow-half {
                export countersign:auth/flow@0.1.0;
            }
        ",
        world: "flow-half",
        with: { "countersign:auth/types@0.1.0": super::auth::countersign::auth::types },
    });
}

mod mutation {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "mutation-plugin",
        with: { "countersign:auth/types@0.1.0": super::auth::countersign::auth::types },
    });
}

pub(crate) use auth::countersign::auth::{context, types};
pub(crate) use auth::exports::countersign::auth::authorizer;
pub(crate) use auth::{AuthPlugin, AuthPluginPre};
pub(crate) use flow_half::exports::countersign::auth::flow;
pub(crate) use flow_half::{FlowHalf, FlowHalfPre};
pub(crate) use mutation::{MutationPlugin, MutationPluginPre};
