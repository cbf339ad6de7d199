//! Modules written by hand, and what is left of them.

use super::*;

fn pruned(wat: &str) -> Vec<u8> {
    let module = prune(&wat::parse_str(wat).unwrap()).unwrap();
    wasmparser::Validator::new().validate_all(&module).unwrap();
    module
}

/// Each function is told by the constant that it begins with.
fn constants(module: &[u8]) -> Vec<i32> {
    let functions = Functions::of(module).unwrap();
    let first = |body: &FunctionBody<'_>| match body.get_operators_reader().unwrap().read() {
        Ok(Operator::I32Const { value }) => value,
        other => panic!("{other:?}"),
    };
    functions.bodies.iter().map(first).collect()
}

#[test]
fn what_a_request_runs_comes_first_and_nearest_first() {
    let module = pruned(
        r#"(module
            (import "env" "log" (func $log))
            (table 1 funcref)
            (elem (i32.const 0) $in_the_table)
            (func $of_the_table i32.const 8 drop)
            (func $in_the_table i32.const 7 drop call $of_the_table)
            (func (export "x#describe") i32.const 6 drop)
            (func $far i32.const 5 drop call $log)
            (func $near i32.const 4 drop call $far)
            (func (export "x#authorize") i32.const 1 drop call $nearest call $near)
            (func $nearest i32.const 3 drop call $log)
            (func (export "cabi_realloc") i32.const 2 drop call $nearest))"#,
    );
    assert_eq!(constants(&module), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn what_frees_an_answer_goes_with_what_only_it_reaches() {
    let module = pruned(
        r#"(module
            (func $free i32.const 3 drop)
            (func $shared i32.const 2 drop)
            (func (export "cabi_post_x#authorize") i32.const 4 drop call $free call $shared)
            (func (export "x#authorize") i32.const 1 drop call $shared))"#,
    );
    assert_eq!(constants(&module), [1, 2]);
}
