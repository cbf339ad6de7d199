//! The `countersign` command, as a library, so that its parts can be tested.

pub mod upstream;
