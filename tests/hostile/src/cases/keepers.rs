//! Plugins that try to carry a secret from one call to another, or out by the side.
//!
//! A keeper sets `authorization: kept=` followed by the token that an earlier call left behind. On
//! a fresh instance there is none, whatever account was served before.

use super::{Case, Ending, Stage, at};
use crate::answer::{ready, refusal, set_header};
use crate::guest::Body;
use crate::val::{Part, Val};

pub(super) fn all() -> Vec<Case> {
    let kept =
        |part| Body::from(ready(vec![set_header("authorization", [Part::Text("kept="), part])]));
    let case = |name: &str, ending, body| {
        Case::new(name, Stage::Authorize, ending, at(name, Stage::Authorize, body))
    };
    let served = || Body::from(ready(vec![set_header("authorization", "Hostile")]));
    vec![
        case("keeps-in-global", Ending::Served, kept(Part::KeptInGlobal).keeping_in_global()),
        case("keeps-in-memory", Ending::Served, kept(Part::KeptInMemory).keeping_in_memory()),
        case("token-in-log", Ending::Served, served().after(LOG_TOKEN)),
        case(
            "token-in-refusal",
            Ending::Refusal,
            refusal(
                "denied",
                [Part::Text("the token is "), Part::Token, Part::Text("\r\nlevel=info ok")],
            )
            .into(),
        ),
        case(
            "invalid-utf-8",
            Ending::Fault,
            ready(vec![set_header("authorization", Val::from(&b"Hostile \xc3\x28"[..]))]).into(),
        ),
        case("log-invalid-utf-8", Ending::Fault, served().after(LOG_INVALID)),
    ]
}

/// One line at the level `warn`, the token and nothing else.
const LOG_TOKEN: &str = "
    (call $log
      (i32.const 2)
      (i32.load offset=8 (call $token (local.get 0) (local.get 1)))
      (i32.load offset=12 (call $token (local.get 0) (local.get 1))))";

const LOG_INVALID: &str = "
    (i32.store8 (i32.const 0) (i32.const 255))
    (call $log (i32.const 2) (i32.const 0) (i32.const 1))";
