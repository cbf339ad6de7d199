//! What is told of a component that is not compiled, and what is left to be told later.

use super::*;

fn excess(wat: &str) -> Option<String> {
    Outline::of(&wat::parse_str(wat).unwrap()).unwrap().excess(&Limits::default())
}

#[test]
fn what_an_instance_begins_with_is_counted_by_the_modules_that_are_instantiated() {
    let module = |fields: &str| format!("(core module $m {fields})");
    let once = "(core instance (instantiate $m))";
    let twice = [once, once].concat();
    let nine = once.repeat(9);
    for (component, expected) in [
        (module("(memory 128)(table 10000 funcref)") + once, None),
        (module("(memory 129)") + once, Some("8454144 bytes of memory, and is given 8388608")),
        (module("(memory 129)"), None),
        (module("(memory 1)(memory 1)") + once, Some("2 memories, and is given 1")),
        (module("(memory 1)") + &twice, Some("2 memories, and is given 1")),
        (module("(table 10001 funcref)") + once, Some("10001 elements of a table")),
        (module(&"(table 1 funcref)".repeat(5)) + &twice, Some("10 tables, and is given 8")),
        (module("") + &nine, Some("9 core instances, and is given 8")),
        // Of what is imported nothing is known, and it has an index all the same.
        (
            "(import \"n\" (core module $n)) (core module $m (memory 129)) \
             (core instance (instantiate $n))"
                .to_owned(),
            None,
        ),
        (
            "(import \"n\" (core module $n)) (core module $m (memory 129)) \
             (core instance (instantiate $m))"
                .to_owned(),
            Some("8454144 bytes"),
        ),
        // An inner component is the pool's to judge.
        (format!("(component {} {once})", module("(memory 129)")), None),
        (format!("(component (core module (memory 129))) {} {once}", module("(memory 1)")), None),
    ] {
        let found = excess(&format!("(component {component})"));
        match expected {
            None => assert_eq!(found, None, "{component}"),
            Some(expected) => assert!(found.as_ref().unwrap().contains(expected), "{found:?}"),
        }
    }
}

#[test]
fn what_cannot_be_read_is_left_to_the_compiler() {
    let limits = Limits::default();
    let component = wat::parse_str("(component (import \"a\" (func)))").unwrap();
    for length in 0..component.len() {
        assert!(check(&component[..length], &limits, Profile::Plain).is_ok(), "{length}");
    }
    let refused = check(&component, &limits, Profile::Plain);
    assert!(matches!(refused, Err(LoadError::Import(name)) if name == "a"));
}
