//! A module made by hand, through the same steps as a guest.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::*;
use crate::IMPORTS;

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
    let module = module();
    let error = of_module(&module, IMPORTS).unwrap_err();
    assert!(error.to_string().starts_with("it imports test:plugin/net.go, "), "{error}");
    // Another tool may have made the component.
    let component = of_module(&module, &["test:plugin/net"]).unwrap();
    let error = check(&component, IMPORTS).unwrap_err();
    assert!(error.to_string().starts_with("it imports test:plugin/net, "), "{error}");
}

#[test]
fn an_import_from_elsewhere_is_named_with_what_usually_causes_it() {
    for (import, cause) in [
        (r#"(import "__wbindgen_placeholder__" "__wbg_now" (func))"#, "browser"),
        (r#"(import "wasi_snapshot_preview1" "clock_time_get" (func))"#, "std::time"),
        (r#"(import "env" "memcmp2" (func)) (import "env" "b" (func))"#, "extern"),
        (r#"(import "countersign:auth/context@0.9.0" "now" (func))"#, "another version"),
        (r#"(import "other" "thing" (func))"#, "dependency"),
    ] {
        let module = wat::parse_str(format!("(module {import})")).unwrap();
        let error = of_module(&module, IMPORTS).unwrap_err().to_string();
        let name = import.split('"').nth(1).unwrap();
        assert!(error.contains(name) && error.contains(cause), "{error}");
        assert_eq!(error.matches("it imports").count(), 1, "{error}");
    }
}

#[test]
fn what_is_no_module_is_told_as_such() {
    for bytes in [&b""[..], b"text", b"\0asm\x01\0\0\0\x01"] {
        assert!(matches!(of_module(bytes, IMPORTS), Err(Error::Malformed(_))), "{bytes:?}");
    }
}

#[test]
fn the_component_holds_the_section_that_it_is_given_and_no_other() {
    let component = of_module(&module(), &["test:plugin/net"]).unwrap();
    let component = with_section(component, "mine", b"00ff");
    Validator::new().validate_all(&component).unwrap();
    assert_eq!(section(&component, "mine").as_deref(), Some(&b"00ff"[..]));
    assert_eq!(pages(&component).unwrap(), 3);
    let names: Vec<String> = Parser::new(0)
        .parse_all(&component)
        .filter_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) => Some(section.name().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["mine"]);
}

#[test]
fn a_component_from_elsewhere_has_no_such_section() {
    assert_eq!(section(&Component::HEADER, "mine"), None);
    assert_eq!(section(b"not a component", "mine"), None);
}
