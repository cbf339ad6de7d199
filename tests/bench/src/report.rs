//! The numbers as a table for people, and as JSON.

use std::fmt;

use serde::Serialize;

use crate::calls::Calls;
use crate::many::Many;
use crate::measure::Spread;
use crate::settings::Setting;

/// All that was measured.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    pub(crate) calls: Vec<Calls>,
    pub(crate) many: Option<Many>,
    pub(crate) settings: Vec<Setting>,
}

/// What was wanted of the sandbox when it was built.
const FRESH_MICROS: f64 = 8.0;
const FRESH_TO_REUSED: f64 = 2.7;
const IN_TURN_MICROS: f64 = 15.0;
const REMEMBERED_MICROS: f64 = 1.0;
const RESIDENT_KIB: f64 = 300.0;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Microseconds: median (p10 to p90) of the batches' means. Other work on the")?;
        writeln!(f, "machine moves them all; compare within a run, by their ratios.\n")?;
        for calls in &self.calls {
            calls.fmt(f)?;
        }
        if let Some(many) = &self.many {
            many.fmt(f)?;
        }
        if !self.settings.is_empty() {
            writeln!(f, "pool settings{:>35}{:>28}", "one plugin", "many in turn")?;
            for Setting { name, alone, in_turn } in &self.settings {
                let (alone, in_turn) = (alone.to_string(), in_turn.to_string());
                writeln!(f, "  {name:<30}{alone:>26}{in_turn:>28}")?;
            }
            writeln!(f)?;
        }
        self.wanted(f)
    }
}

impl Report {
    fn wanted(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "wanted{:>38}{:>10}", "at most", "reached")?;
        let mut line = |what: &str, most: f64, reached: f64| {
            let verdict = if reached <= most { "" } else { "  missed" };
            writeln!(f, "  {what:<32}{most:>10.2}{reached:>10.2}{verdict}")
        };
        for calls in &self.calls {
            let name = calls.plugin;
            if name == "bearer" {
                line("bearer, fresh", FRESH_MICROS, calls.fresh.p50)?;
            }
            let ratio = calls.fresh.p50 / calls.reused.p50;
            line(&format!("{name}, fresh / reused"), FRESH_TO_REUSED, ratio)?;
            line(&format!("{name}, remembered"), REMEMBERED_MICROS, calls.remembered.p50)?;
        }
        if let Some(many) = &self.many {
            line("many plugins in turn", IN_TURN_MICROS, many.in_turn.p50)?;
            line("KiB resident for each plugin", RESIDENT_KIB, many.resident_kib)?;
        }
        Ok(())
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({} strings in){:>24}", self.plugin, self.strings, "× reused")?;
        for (name, spread) in [
            ("native", self.native),
            ("store alone", self.store),
            ("store and instance", self.instance),
            ("reused instance, call", self.reused),
            ("fresh instance, call", self.fresh),
            ("the same on the pool's threads", self.pooled),
            ("remembered: found", self.remembered),
            ("remembered: put on the request", self.applied),
            ("prepare, remembered", self.prepare_remembered),
            ("prepare, first of a subject", self.prepare_asked),
        ] {
            let ratio = spread.p50 / self.reused.p50;
            writeln!(f, "  {name:<32}{:>26}{ratio:>8.2}", spread.to_string())?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} plugins of {} bytes", self.plugins, self.component_bytes)?;
        for (name, spread) in [("called in turn", self.in_turn), ("one of them", self.alone)] {
            writeln!(f, "  {name:<32}{:>26}", spread.to_string())?;
        }
        writeln!(f, "  {:<32}{:>7.0} KiB", "resident for each", self.resident_kib)?;
        writeln!(f)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.p50, self.p10, self.p90)
    }
}
