//! The guest's side of `wit/`, generated.
//!
//! Three worlds share one set of types. `flow-plugin` itself is not among them: it would repeat
//! every type of `auth-plugin`. A flow plugin instead runs the export macros of `auth` and
//! `flow_half`, and `wit-component` merges what the two say. `wit-bindgen` writes the unsafe code
//! in here; nobody edits it.

/// A plugin without flows.
pub mod auth {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "auth-plugin",
        pub_export_macro: true,
        additional_derives: [PartialEq, Eq],
    });
}

/// The flows of one that has them.
pub mod flow_half {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package countersign:sdk;
            world flow-half {
                export countersign:auth/flow@0.1.0;
            }
        ",
        world: "flow-half",
        with: { "countersign:auth/types@0.1.0": crate::bindings::auth::countersign::auth::types },
        pub_export_macro: true,
        export_macro_name: "export_flow",
        additional_derives: [PartialEq, Eq],
    });
}

/// A custom mutation.
pub mod mutation {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "mutation-plugin",
        with: { "countersign:auth/types@0.1.0": crate::bindings::auth::countersign::auth::types },
        pub_export_macro: true,
        export_macro_name: "export_mutation",
    });
}
