//! Plugins that take more than their share: time, memory, tables, stack, log, copies.

use super::{Case, Ending, Stage, at, plain};
use crate::answer::{descriptor, entry, fetch, ready, ready_with, refusal_record, set_header};
use crate::guest::{Body, Guest};
use crate::val::Val;

const LOOP: &str = "(loop $again (br $again)) (unreachable)";
const TRAP: &str = "(unreachable)";
/// A mebibyte at a time, each byte written, until there is no more.
const MEMORY_BOMB: &str = "
    (loop $again
      (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1))
        (then
          (memory.fill
            (i32.shl (i32.sub (memory.size) (i32.const 16)) (i32.const 16))
            (i32.const 170)
            (i32.const 1048576))
          (br $again))))
    (unreachable)";
const TABLE_BOMB: &str = "
    (loop $again
      (br_if $again
        (i32.ne
          (table.grow $bomb (ref.null func) (i32.const 65536))
          (i32.const -1))))
    (unreachable)";
/// A kibibyte at a time, for as long as anyone listens.
const LOG_FLOOD: &str = "
    (memory.fill (i32.const 0) (i32.const 108) (i32.const 1024))
    (loop $again
      (call $log (i32.const 2) (i32.const 0) (i32.const 1024))
      (br $again))
    (unreachable)";
const RANDOM_FLOOD: &str = "
    (loop $again
      (call $random (i32.const 4096) (i32.const 0))
      (br $again))
    (unreachable)";
/// 100 MB, rounded up to pages.
const GROW_100_MB: &str = "(drop (memory.grow (i32.const 1600)))";
const HUNDRED_MB: u32 = 100_000_000;
const MIB: u32 = 1 << 20;

pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (stage, export) in [
        (Stage::Load, "describe"),
        (Stage::Validate, "validate"),
        (Stage::Authorize, "authorize"),
        (Stage::Replied, "replied"),
        (Stage::Renew, "begin"),
        (Stage::Resume, "resume"),
    ] {
        for (what, code) in [("loop", LOOP), ("trap", TRAP), ("memory-bomb", MEMORY_BOMB)] {
            let name = format!("{what}-in-{export}");
            cases.push(Case::new(&name, stage, Ending::Fault, at(&name, stage, Body::code(code))));
        }
    }
    cases.extend(starts());
    cases.extend(tables_and_stack());
    cases.extend(imports());
    cases.extend(copies());
    cases
}

/// What happens before any export is called.
fn starts() -> Vec<Case> {
    let load = |name: &str, guest: Guest| Case::new(name, Stage::Load, Ending::Fault, guest);
    let too_big = |name: &str, guest: Guest| Case::new(name, Stage::Load, Ending::Rejected, guest);
    vec![
        load(
            "loop-at-start",
            plain("loop-at-start", &[])
                .fields("(func $start (loop $again (br $again))) (start $start)"),
        ),
        load(
            "trap-at-start",
            plain("trap-at-start", &[]).fields("(func $start (unreachable)) (start $start)"),
        ),
        too_big("memory-declared-huge", plain("memory-declared-huge", &[]).pages(65536)),
        too_big(
            "table-declared-huge",
            plain("table-declared-huge", &[]).fields("(table 10000000 funcref)"),
        ),
    ]
}

fn tables_and_stack() -> Vec<Case> {
    let fault = |name: &str, code: &str, fields: &str| {
        let guest = at(name, Stage::Authorize, Body::code(code)).fields(fields);
        Case::new(name, Stage::Authorize, Ending::Fault, guest)
    };
    vec![
        fault("table-bomb", TABLE_BOMB, "(table $bomb 1 funcref)"),
        fault(
            "deep-recursion",
            "(call $sink (i32.const 0))",
            "(func $sink (param i32) (result i32)
               (i32.add (call $sink (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))",
        ),
    ]
}

fn imports() -> Vec<Case> {
    let fault = |name: &str, body: Body| {
        Case::new(name, Stage::Authorize, Ending::Fault, at(name, Stage::Authorize, body))
    };
    let good = || Body::from(ready(vec![set_header("authorization", "Hostile")]));
    vec![
        fault("log-flood", Body::code(LOG_FLOOD)),
        fault(
            "log-100-mb",
            good()
                .after("(call $log (i32.const 2) (i32.const 0) (i32.const 100000000))")
                .after(GROW_100_MB),
        ),
        fault("random-flood", Body::code(RANDOM_FLOOD)),
        fault("random-beyond-4096", good().after("(call $random (i32.const 4097) (i32.const 0))")),
    ]
}

/// Answers that cost the host more than they cost the guest.
fn copies() -> Vec<Case> {
    let fault = |name: &str, guest: Guest| Case::new(name, Stage::Authorize, Ending::Fault, guest);
    let huge = || Val::Claim { at: 0, len: HUNDRED_MB };
    let append = |value: Val| Val::of("append-header", entry("authorization", value));
    let answer = |name: &str, answer: Val| at(name, Stage::Authorize, answer);
    let about = Body::from(descriptor(&["HOSTILE_ABOUT_100_MB"], &[], &[], huge()));
    let many_needs = descriptor_with_needs("HOSTILE_NEEDS_A_MILLION", 1_000_000);
    let findings = Val::Repeat(Box::new(refusal_record("denied", "no")), 1_000_000);
    vec![
        fault(
            "string-100-mb-claimed",
            answer("string-100-mb-claimed", ready(vec![set_header("authorization", huge())])),
        ),
        fault(
            "string-100-mb-backed",
            at(
                "string-100-mb-backed",
                Stage::Authorize,
                Body::from(ready(vec![set_header("authorization", huge())])).after(GROW_100_MB),
            ),
        ),
        fault(
            "million-headers",
            answer("million-headers", repeated(append("x".into()), 1_000_000)),
        ),
        fault(
            "hundred-thousand-headers",
            answer("hundred-thousand-headers", repeated(append("x".into()), 100_000)),
        ),
        // Each element points at the same mebibyte: a gibibyte for the host from two of the guest.
        fault(
            "thousand-headers-of-one-mebibyte",
            at(
                "thousand-headers-of-one-mebibyte",
                Stage::Authorize,
                Body::from(repeated(append(Val::Claim { at: MIB, len: MIB }), 1_000))
                    .after("(memory.fill (i32.const 1048576) (i32.const 97) (i32.const 1048576))"),
            )
            .pages(32),
        ),
        fault(
            "answer-beyond-memory",
            at("answer-beyond-memory", Stage::Authorize, Body::code("(i32.const -16)")),
        ),
        Case::new(
            "about-100-mb",
            Stage::Load,
            Ending::Fault,
            plain("about-100-mb", &[]).body("describe", about.after(GROW_100_MB)),
        ),
        Case::new(
            "needs-a-million",
            Stage::Load,
            Ending::Fault,
            plain("needs-a-million", &[]).body("describe", many_needs),
        ),
        Case::new(
            "million-findings",
            Stage::Validate,
            Ending::Fault,
            at("million-findings", Stage::Validate, findings),
        ),
        Case::new(
            "fetch-url-100-mb",
            Stage::Renew,
            Ending::Fault,
            at("fetch-url-100-mb", Stage::Renew, fetch("POST", huge(), Vec::new())),
        ),
    ]
}

fn repeated(edit: Val, times: u32) -> Val {
    ready_with(Val::Repeat(Box::new(edit), times), Vec::new(), Val::none())
}

fn descriptor_with_needs(auth_type: &str, times: u32) -> Val {
    Val::Record(vec![
        ("auth-types", Val::strings(&[auth_type])),
        ("flows", Val::List(Vec::new())),
        ("needs", Val::Repeat(Box::new(entry("read", "account/token")), times)),
        ("about", "{}".into()),
    ])
}

/// Custom mutations that misbehave.
pub(super) fn mutations() -> Vec<Case> {
    let case = |name: &str, ending, body: Body| {
        Case::new(name, Stage::Mutate, ending, at(name, Stage::Mutate, body))
    };
    let values = |value: Val| Body::from(Val::ok(Val::List(vec![entry("token", value)])));
    vec![
        case("mutation-loop", Ending::Fault, Body::code(LOOP)),
        case("mutation-trap", Ending::Fault, Body::code(TRAP)),
        case("mutation-memory-bomb", Ending::Fault, Body::code(MEMORY_BOMB)),
        case(
            "mutation-string-100-mb",
            Ending::Fault,
            values(Val::Claim { at: 0, len: HUNDRED_MB }).after(GROW_100_MB),
        ),
        case("mutation-invalid-utf-8", Ending::Fault, values(Val::from(&b"\xff\xfe"[..]))),
        case(
            "mutation-of-another-name",
            Ending::Rejected,
            Val::ok(Val::List(vec![entry("someone_elses", "value")])).into(),
        ),
    ]
}
