//! `countersign plugin bench`: what a request costs, beside one of the bundled BEARER.

use std::fmt::Write as _;
use std::process::ExitCode;

use countersign_kit::{Bench, Kit, KitError, Spread, Timed};
use serde_json::{Value as Json, json};

use super::test;
use crate::arguments::{self, Global};
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(
    global: &Global,
    arguments: &arguments::Bench,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let measured =
        test::kit(global, &arguments.of)?.bench(&peer()?, usize::from(arguments.rounds))?;
    if arguments.json {
        output.json(&to_json(&measured, arguments.rounds))?;
    } else {
        output.text(&to_text(&measured))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The bundled BEARER with one token.
fn peer() -> Result<Kit, Failure> {
    let bundled = countersign_bundle::components().iter().find(|it| it.name == "bearer");
    let bundled = bundled.ok_or(KitError::Host("BEARER is not bundled"))?;
    let case =
        json!([{"name": "BEARER, bundled", "values": {"account/token": "a-token-of-the-bench"}}]);
    Ok(Kit::new(bundled.name, bundled.bytes)?.cases_of("the bundled case", case)?)
}

fn to_json(bench: &Bench, rounds: u16) -> Json {
    json!({
        "unit": "ns",
        "rounds": rounds,
        "cases": bench.cases.iter().map(timed).collect::<Vec<_>>(),
        "peer": timed(&bench.peer),
        "left_out": bench.left_out,
    })
}

fn timed(it: &Timed) -> Json {
    json!({"name": it.name, "fresh": spread(&it.fresh), "remembered": it.remembered.as_ref().map(spread)})
}

fn spread(it: &Spread) -> Json {
    json!({"median": it.median, "p10": it.low, "p90": it.high, "ratio": it.ratio})
}

fn to_text(bench: &Bench) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "microseconds a request, p50 (p10 to p90), and how many times BEARER's");
    for case in bench.cases.iter().chain([&bench.peer]) {
        let _ = writeln!(text, "{}", case.name);
        let _ = writeln!(text, "  fresh       {}", row(&case.fresh));
        let remembered = case.remembered.as_ref();
        let remembered = remembered.map_or_else(|| "no answer is kept".to_owned(), row);
        let _ = writeln!(text, "  remembered  {remembered}");
    }
    if !bench.left_out.is_empty() {
        let names = bench.left_out.join("`, `");
        let _ =
            writeln!(text, "not measured, as they make no request ready by themselves: `{names}`");
    }
    text
}

fn row(it: &Spread) -> String {
    let [median, low, high] = [it.median, it.low, it.high].map(|nanos| nanos / 1000.0);
    format!("{median:>8.2} ({low:.2} to {high:.2})  {:>6.2}", it.ratio)
}
