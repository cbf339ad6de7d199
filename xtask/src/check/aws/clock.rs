//! Row 18 of the pitfalls: a host whose clock is wrong. The store refuses what is signed by it, the plugin
//! signs anew by the store's clock and sends once more, and the next request is right at once.
//!
//! The host is the library, in the example `skewed` of the tests' crate, since nobody sets the clock of a
//! machine for a check; the proxy counts what came.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{Keys, altered::Proxy};
use crate::check::{built, curl::output};

/// An object, which is there.
const OBJECT: &str = "/altered/with%20blank";

/// Where the signature goes; how many seconds the clock is ahead; how often two requests are sent.
const CLOCKS: &[(&str, &str, usize)] = &[
    ("header", "0", 2),
    ("header", "1200", 3),
    ("header", "-1200", 3),
    ("header", "43200", 3),
    ("query", "0", 2),
    // One of a time to come is good until then.
    ("query", "-1200", 3),
];

/// How many requests the store accepted.
pub(super) fn verifies(root: &Path, store: u16, keys: &Keys) -> Result<usize> {
    let proxy = Proxy::start(store)?;
    let asked = |keys: &Keys, placement: &str, ahead: &str, paths: &[&str]| {
        proxy.forget()?;
        let mut program = built::example(root, "skewed")?;
        program.args([&proxy.url(), &keys.id, &keys.secret]);
        let statuses = output(program.args([placement, ahead]).args(paths))?;
        anyhow::Ok((statuses.trim().to_owned(), proxy.count()?))
    };
    for &(placement, ahead, sent) in CLOCKS {
        let found = asked(keys, placement, ahead, &[OBJECT, OBJECT])?;
        let what = format!("{ahead} s ahead, signed in the {placement}");
        ensure!(found == ("200 200".to_owned(), sent), "{what}: {found:?}, and not {sent}");
    }
    // By the store's clock it is refused all the same; no third is sent.
    let wrong = Keys { secret: "wrong".into(), ..keys.clone() };
    for (ahead, sent) in [("0", 1), ("1200", 2)] {
        let found = asked(&wrong, "header", ahead, &[OBJECT])?;
        ensure!(found == ("403".to_owned(), sent), "a wrong secret, {ahead} s ahead: {found:?}");
    }
    // More than a day is not made up for.
    let found = asked(keys, "header", "90000", &[OBJECT])?;
    ensure!(found == ("403".to_owned(), 1), "a day and an hour ahead: {found:?}");
    Ok(2 * CLOCKS.len())
}
