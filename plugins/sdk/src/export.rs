//! From the traits to the component's exports.
//!
//! The generated exports own what they are given and know no context; these adapters lend it on.

#[cfg(target_arch = "wasm32")]
mod guest;

use std::marker::PhantomData;

/// Exports an auth plugin of this type. See [`Plugin`](crate::Plugin).
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::Exported<$plugin>;
    $crate::bindings::auth::export!(Exported with_types_in $crate::bindings::auth);
        };
    };
}

/// Exports an auth plugin that also has flows. See [`Flow`](crate::Flow).
#[macro_export]
macro_rules! export_flow_plugin {
    ($plugin:ty) => {
        $crate::export_plugin!($plugin);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::Exported<$plugin>;
            $crate::bindings::flow_half::export_flow!(
                Exported with_types_in $crate::bindings::flow_half
            );
        };
    };
}

/// Exports a custom mutation. See [`Mutation`](crate::Mutation).
#[macro_export]
macro_rules! export_mutation {
    ($mutation:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::ExportedMutation<$mutation>;
            $crate::bindings::mutation::export_mutation!(
                Exported with_types_in $crate::bindings::mutation
            );
        };
    };
}

/// The exports of an auth plugin.
#[doc(hidden)]
pub struct Exported<P>(PhantomData<P>);

/// The exports of a mutation.
#[doc(hidden)]
pub struct ExportedMutation<M>(PhantomData<M>);
