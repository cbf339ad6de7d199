//! Files that must not be loaded at all: not a plugin, a plugin of something else, a plugin that
//! says what it may not say.

use super::{Case, Ending, NEEDS, Stage, plain};
use crate::answer::descriptor;
use crate::guest::{Foreign, Guest};
use crate::val::Val;

pub(super) fn all() -> Vec<Case> {
    let mut cases = not_plugins();
    cases.extend(imports());
    cases.extend(descriptors());
    cases
}

fn not_plugins() -> Vec<Case> {
    // The preamble of a core module, and that of a component: magic, version, layer.
    let core_module = b"\0asm\x01\0\0\0".to_vec();
    let empty_component = b"\0asm\x0d\0\x01\0".to_vec();
    let mut cut_short = empty_component.clone();
    // A section of type 1 that promises 64 bytes and brings none.
    cut_short.extend([1, 64]);
    let other_shape = plain("descriptor-of-another-shape", &[])
        .misreading("needs: list<entry>,", "needs: list<entry>, more: list<string>,");
    vec![
        Case::file("empty-file", Vec::new()),
        Case::file("not-wasm", b"#!/bin/sh\nexit 0\n".to_vec()),
        Case::file("core-module", core_module),
        Case::file("empty-component", empty_component),
        Case::file("cut-short", cut_short),
        refused(
            "descriptor-of-another-shape",
            other_shape.body(
                "describe",
                Val::Record(vec![
                    ("auth-types", Val::strings(&["HOSTILE_DESCRIPTOR_OF_ANOTHER_SHAPE"])),
                    ("flows", Val::List(Vec::new())),
                    ("needs", Val::List(Vec::new())),
                    ("more", Val::List(Vec::new())),
                    ("about", "{}".into()),
                ]),
            ),
        ),
    ]
}

fn imports() -> Vec<Case> {
    let case = |name: &str, foreign| refused(name, plain(name, &[]).importing(foreign));
    vec![
        case(
            "import-of-wasi",
            Foreign {
                packages: "package wasi:io@0.2.6 { interface poll { wait: func(ms: u64); } }",
                import: "import wasi:io/poll@0.2.6;",
                renamed: None,
            },
        ),
        case(
            "import-from-our-own-package",
            Foreign {
                packages: "interface vault { open: func(name: string) -> string; }",
                import: "import vault;",
                renamed: Some(("countersign:foreign/vault", "countersign:auth/vault@0.1.0")),
            },
        ),
        case(
            "import-of-another-track",
            Foreign {
                packages: "interface context { now: func() -> u64; }",
                import: "import context;",
                renamed: Some(("countersign:foreign/context", "countersign:auth/context@0.2.0")),
            },
        ),
        case(
            "import-of-a-bare-function",
            Foreign {
                packages: "",
                import: "import steal: func(name: string) -> string;",
                renamed: None,
            },
        ),
    ]
}

fn descriptors() -> Vec<Case> {
    let about = || Val::from(r#"{"title":"Hostile","version":"1"}"#);
    let case = |name: &str, auth_types: &[&str], flows: &[&str], need: &str| {
        let needs = [&NEEDS[..], &[need]].concat();
        let needs = needs.into_iter().filter(|need| !need.is_empty()).collect::<Vec<_>>();
        let guest = Guest::auth(descriptor(auth_types, flows, &needs, about()));
        let auth_type = auth_types.first().copied().unwrap_or_default().to_owned();
        Case { auth_type, ..refused(name, guest) }
    };
    let mut cases = vec![
        case("claims-bearer", &["BEARER"], &[], ""),
        case("claims-bearer-beside-its-own", &["HOSTILE_CLAIMS", "BEARER"], &[], ""),
        case("claims-nothing", &[], &[], ""),
        case("claims-the-empty-type", &[""], &[], ""),
        case("claims-one-type-twice", &["HOSTILE_TWICE", "HOSTILE_TWICE"], &[], ""),
        case("claims-with-a-line-break", &["HOSTILE\nBEARER"], &[], ""),
        case("unknown-flow", &["HOSTILE_UNKNOWN_FLOW"], &["teleport"], ""),
        case("flows-without-the-export", &["HOSTILE_FLOWS_WITHOUT_THE_EXPORT"], &["renew"], ""),
    ];
    for (name, need) in [
        ("need-of-an-unknown-verb", "own everything"),
        ("need-of-an-unknown-place", "read moon/light"),
        ("need-without-an-object", "write"),
        ("need-named-by-the-account", "write header/{account/token}"),
        ("need-named-by-the-state", "fetch {state/instance_url}"),
        ("need-to-visit-no-url", "visit everywhere"),
        ("need-to-send-more-than-bare", "send spam"),
        ("need-with-a-line-break", "read account/token\nwrite body"),
    ] {
        cases.push(refused(name, plain(name, &[need])));
    }
    let types = ["HOSTILE_DESCRIPTOR_INVALID_UTF_8"];
    let guest = Guest::auth(descriptor(&types, &[], &[], Val::from(&b"{\"title\":\"\xff\"}"[..])));
    cases.push(Case::new("descriptor-invalid-utf-8", Stage::Load, Ending::Fault, guest));
    cases
}

fn refused(name: &str, guest: Guest) -> Case {
    Case::new(name, Stage::Load, Ending::Rejected, guest)
}
