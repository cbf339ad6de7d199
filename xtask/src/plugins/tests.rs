//! The committed components belong to this tree.

use super::*;

#[test]
fn every_committed_component_was_built_from_this_tree() {
    check(root()).unwrap();
}
