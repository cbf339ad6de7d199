//! Rounds: a short batch of each thing in turn, over and over.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

/// How long one batch takes, about: far above what reading the clock costs, and far below the time
/// slice in which other work would disturb it.
const BATCH: Duration = Duration::from_micros(300);

/// A thing to be measured. Its function does it so many times.
pub(crate) struct Thing<'a> {
    repeat: Box<dyn FnMut(u32) -> Result<()> + 'a>,
    /// What one repetition counts for.
    each: u32,
}

impl<'a> Thing<'a> {
    pub(crate) fn new(mut once: impl FnMut() -> Result<()> + 'a) -> Self {
        Self::batch(move |times| (0..times).try_for_each(|_| once()))
    }

    pub(crate) fn batch(repeat: impl FnMut(u32) -> Result<()> + 'a) -> Self {
        Self { repeat: Box::new(repeat), each: 1 }
    }

    /// One repetition does `each` of what is asked about.
    pub(crate) fn of(self, each: usize) -> Self {
        Self { each: u32::try_from(each).unwrap_or(u32::MAX), ..self }
    }

    fn time(&mut self, times: u32) -> Result<Duration> {
        let start = Instant::now();
        (self.repeat)(times)?;
        Ok(start.elapsed())
    }

    /// How many times make a batch.
    fn batch_size(&mut self) -> Result<u32> {
        let mut times = 1;
        while times < 1 << 20 && self.time(times)? < BATCH {
            times *= 2;
        }
        Ok(times)
    }
}

/// The middle and the spread of the samples, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) p10: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
}

impl Spread {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |percent: usize| samples[(samples.len() - 1) * percent / 100];
        Self { p10: at(10), p50: at(50), p90: at(90) }
    }
}

/// Measures each of the things `rounds` times. A sample is the mean of one batch; there is at least
/// one. The order turns by one each round, so that none always comes after the same other.
pub(crate) fn rounds<const N: usize>(
    rounds: usize,
    mut things: [Thing<'_>; N],
) -> Result<[Spread; N]> {
    let mut sizes = [1; N];
    for (size, thing) in sizes.iter_mut().zip(&mut things) {
        // What comes first warms up; the second time counts.
        thing.batch_size()?;
        *size = thing.batch_size()?;
    }
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for round in 0..rounds.max(1) {
        for nth in 0..N {
            let nth = (nth + round) % N;
            let took = things[nth].time(sizes[nth])?;
            let calls = f64::from(sizes[nth]) * f64::from(things[nth].each);
            samples[nth].push(took.as_secs_f64() * 1e6 / calls);
        }
    }
    Ok(samples.map(Spread::of))
}
