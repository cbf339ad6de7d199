//! What it costs to make a request ready, beside a peer in the same run.
//!
//! *Fresh* is with an account that was never seen, so that the plugin is asked; *remembered* is with one
//! whose answer is kept. Both are what a host does, from the request as it came to the request as it
//! would go: the call is handed to a thread of the sandbox, and its edits are checked and put on. The
//! plugin and its peer are measured in turns, round by round, so that what disturbs the machine disturbs
//! both; what is worth comparing between machines is the ratio.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use countersign::egress::EgressConfig;
use countersign::random::SeededRandom;
use countersign::sandbox::{Limits, Profile};
use countersign::store::MemoryStore;
use countersign::{Countersign, Egress, Registry, Sandbox, Subject};
use tokio::runtime::Builder;

use crate::case::{Act, Case, Inputs, Request};
use crate::error::KitError;
use crate::stage::{Hand, chosen, http_request};
use crate::subject;

/// Requests of a round with accounts that were never seen, and with one that was.
const FRESH: usize = 100;
const REMEMBERED: usize = 1000;

/// What a plugin's cases cost, and its peer's.
pub struct Bench {
    /// Each case that makes a request ready without an answer from elsewhere.
    pub cases: Vec<Timed>,
    /// The peer's.
    pub peer: Timed,
    /// Cases that do not, by name.
    pub left_out: Vec<String>,
}

/// What one case costs.
pub struct Timed {
    /// Its name.
    pub name: String,
    /// With an account that was never seen.
    pub fresh: Spread,
    /// With one whose answer is kept; `None` where none is.
    pub remembered: Option<Spread>,
}

/// Of one request, in nanoseconds, over all rounds.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// Half of the rounds took less.
    pub median: f64,
    /// A tenth of them did.
    pub low: f64,
    /// Nine tenths did.
    pub high: f64,
    /// The median of what each round took, divided by what the peer took in the same round. Of the peer
    /// itself 1.
    pub ratio: f64,
}

/// One case, ready to be repeated.
struct Track<'a> {
    name: &'a str,
    host: Countersign,
    inputs: &'a Inputs,
    request: &'a Request,
    known: Arc<Subject>,
    keeps: bool,
    fresh: Vec<f64>,
    remembered: Vec<f64>,
}

/// A component and its cases.
pub(crate) struct Runner<'a> {
    pub(crate) name: &'a str,
    pub(crate) component: &'a [u8],
    pub(crate) profile: Profile,
    pub(crate) cases: Vec<&'a Case>,
}

/// Blocks for as long as it takes: some tens of milliseconds for a case and a round.
pub(crate) fn measure(
    own: &Runner<'_>,
    peer: &Runner<'_>,
    rounds: usize,
) -> Result<Bench, KitError> {
    let sandbox = Sandbox::new(Limits::default(), None)?;
    let sandbox = sandbox.with_interpreted(Limits::interpreted(), chosen(own.name, own.profile));
    let sandbox = Arc::new(sandbox);
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|_| KitError::Host("the runtime does not start"))?;
    runtime.block_on(async {
        let (mut tracks, left_out) = tracks(own, &sandbox).await?;
        let (peers, _) = self::tracks(peer, &sandbox).await?;
        let mut peer = peers.into_iter().next().ok_or(KitError::Host("the peer has no case"))?;
        if tracks.is_empty() {
            return Err(KitError::NothingToMeasure);
        }
        for _ in 0..rounds.max(1) {
            peer.round().await?;
            for track in &mut tracks {
                track.round().await?;
            }
        }
        let cases = tracks.iter().map(|track| track.timed(&peer)).collect();
        Ok(Bench { cases, peer: peer.timed(&peer), left_out })
    })
}

/// The cases that can be measured, and the names of the others.
async fn tracks<'a>(
    runner: &Runner<'a>,
    sandbox: &Arc<Sandbox>,
) -> Result<(Vec<Track<'a>>, Vec<String>), KitError> {
    let registry =
        Arc::new(Registry::bundled(Arc::clone(sandbox), &[(runner.name, runner.component)])?);
    let (mut tracks, mut left_out) = (Vec::new(), Vec::new());
    for case in &runner.cases {
        match Track::of(case, sandbox, &registry).await {
            Some(track) => tracks.push(track),
            None => left_out.push(case.name.clone()),
        }
    }
    Ok((tracks, left_out))
}

impl<'a> Track<'a> {
    /// `None` where the case makes no request ready by itself.
    async fn of(
        case: &'a Case,
        sandbox: &Arc<Sandbox>,
        registry: &Arc<Registry>,
    ) -> Option<Track<'a>> {
        let inputs = &case.inputs;
        let Act::Request { request, sent: false } = &inputs.act else { return None };
        let known = subject(inputs)?;
        let store = MemoryStore::default();
        for (kept, key) in
            [(&inputs.state, known.state_key()), (&inputs.shared, known.shared_key())]
        {
            if let Some(kept) = kept {
                store.seed(key.clone(), subject::state(kept));
            }
        }
        let egress = Egress::new(EgressConfig::default()).ok()?;
        let host = Countersign::builder(Arc::clone(sandbox), Arc::clone(registry), egress)
            .store(Arc::new(store))
            .clock(Arc::new(Hand(AtomicU64::new(inputs.now))))
            .random(Arc::new(SeededRandom::new(inputs.seed)))
            .build();
        if let Some(memo) = &inputs.memo {
            host.put_memo(&known, memo).await.ok()?;
        }
        let (fresh, remembered) = (Vec::new(), Vec::new());
        let name = case.name.as_str();
        let mut track =
            Self { name, host, inputs, request, known, keeps: false, fresh, remembered };
        track.ready(&track.known).await.ok()?;
        let asked = track.asked();
        track.ready(&track.known).await.ok()?;
        track.keeps = track.asked() == asked;
        Some(track)
    }

    fn asked(&self) -> u64 {
        self.host.tally().asked
    }

    async fn ready(&self, subject: &Arc<Subject>) -> Result<(), countersign::Error> {
        self.host.prepare_by(subject, http_request(self.request)).await.map(drop)
    }

    async fn round(&mut self) -> Result<(), KitError> {
        let failed = |_| KitError::Host("a case that went well does not any more");
        let strangers: Option<Vec<_>> = (0..FRESH).map(|_| subject(self.inputs)).collect();
        let strangers = strangers.ok_or(KitError::Host("a case has no documents"))?;
        let began = Instant::now();
        for stranger in &strangers {
            self.ready(stranger).await.map_err(failed)?;
        }
        self.fresh.push(each(began, FRESH));
        if self.keeps {
            let began = Instant::now();
            for _ in 0..REMEMBERED {
                self.ready(&self.known).await.map_err(failed)?;
            }
            self.remembered.push(each(began, REMEMBERED));
        }
        Ok(())
    }

    fn timed(&self, peer: &Track<'_>) -> Timed {
        let remembered =
            (!self.remembered.is_empty()).then(|| Spread::of(&self.remembered, &peer.remembered));
        let fresh = Spread::of(&self.fresh, &peer.fresh);
        Timed { name: self.name.to_owned(), fresh, remembered }
    }
}

fn subject(inputs: &Inputs) -> Option<Arc<Subject>> {
    subject::subject(inputs)?.ok().map(Arc::new)
}

#[expect(clippy::cast_precision_loss, reason = "a time of minutes, and a count of a thousand")]
fn each(began: Instant, count: usize) -> f64 {
    began.elapsed().as_nanos() as f64 / count as f64
}

impl Spread {
    fn of(own: &[f64], peer: &[f64]) -> Self {
        let ratios: Vec<f64> = own.iter().zip(peer).map(|(own, peer)| own / peer).collect();
        let [median, low, high] = [5, 1, 9].map(|tenth| quantile(own, tenth));
        Self { median, low, high, ratio: quantile(&ratios, 5) }
    }
}

/// What so many tenths are below, or equal to.
fn quantile(of: &[f64], tenths: usize) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last * tenths + 5) / 10).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use countersign_hostile::answer::{descriptor, set_header};
    use countersign_hostile::{Guest, Val};
    use serde_json::json;

    use super::*;
    use crate::Kit;

    /// A plugin whose answer may be used again for so many seconds.
    fn kit(remember: u64) -> Kit {
        let ready = Val::Record(vec![
            ("edits", Val::List(vec![set_header("authorization", "Hostile")])),
            ("remember", Val::Num(remember)),
            ("watches", Val::List(Vec::new())),
            ("memo", Val::none()),
            ("cursor", "".into()),
        ]);
        let descriptor = descriptor(&["MADE"], &[], &["write header/authorization"], "{}".into());
        let guest = Guest::auth(descriptor).body("authorize", Val::ok(Val::of("ready", ready)));
        let kit = Kit::new("made", &guest.build().unwrap()).unwrap();
        kit.cases_of("cases", json!([{"name": "a case"}])).unwrap()
    }

    #[tokio::test]
    async fn a_round_asks_the_plugin_for_each_new_account_and_never_for_the_known_one() {
        let sandbox = Arc::new(Sandbox::new(Limits::default(), None).unwrap());
        for (remember, keeps) in [(60, true), (0, false)] {
            let kit = kit(remember);
            let (mut found, left_out) = tracks(&kit.runner(), &sandbox).await.unwrap();
            let track = &mut found[0];
            assert_eq!((track.keeps, left_out.len()), (keeps, 0));
            let before = track.asked();
            track.round().await.unwrap();
            assert_eq!(track.asked() - before, FRESH as u64);
            assert_eq!((track.fresh.len(), track.remembered.len()), (1, usize::from(keeps)));
        }
    }

    #[test]
    fn a_price_is_told_by_its_median_its_spread_and_its_ratio_round_by_round() {
        let own: Vec<f64> = (1..=11).map(f64::from).collect();
        // Both are disturbed alike.
        let peer: Vec<f64> = own.iter().map(|it| it / 2.0).collect();
        let it = Spread::of(&own, &peer);
        assert_eq!((it.low, it.median, it.high), (2.0, 6.0, 10.0));
        assert!((it.ratio - 2.0).abs() < 1e-9);
        // The ratio of the medians would be 2.
        let it = Spread::of(&[1.0, 2.0, 3.0], &[1.0, 1.0, 3.0]);
        assert!((it.ratio - 1.0).abs() < 1e-9);
        assert!((quantile(&[3.0], 9) - 3.0).abs() < 1e-9);
    }
}
