//! A module made by hand, through the same steps as a guest.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::*;

/// A guest of a world that imports `test:plugin/net`.
fn module() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = "package test:plugin; interface net { go: func(); } \
               world guest { import net; export run: func(); }";
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let wat = r#"(module
        (import "test:plugin/net" "go" (func $go))
        (func $inside (export "run") call $go)
        (memory (export "memory") 3))"#;
    let mut module = wat::parse_str(wat).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    module
}

#[test]
fn an_import_that_the_guest_may_not_have_is_refused_by_name() {
    let error = wrap(&module(), &["countersign:auth/types@0.1.0"], "00").unwrap_err();
    assert!(error.to_string().contains("test:plugin/net"), "{error}");
}

#[test]
fn the_component_holds_its_digest_and_no_other_custom_section() {
    let component = wrap(&module(), &["test:plugin/net"], "00ff").unwrap();
    assert_eq!(digest(&component).as_deref(), Some("00ff"));
    assert_eq!(pages(&component).unwrap(), 3);
    let names: Vec<String> = Parser::new(0)
        .parse_all(&component)
        .filter_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) => Some(section.name().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(names, [SOURCE]);
}

#[test]
fn a_component_from_elsewhere_has_no_digest() {
    assert_eq!(digest(&Component::HEADER), None);
    assert_eq!(digest(b"not a component"), None);
}
