//! `countersign inject`: the request that would be sent, without sending it.
//!
//! Renewals that it needs are made too, but their fetches are answered from the case's `answers`
//! and nothing leaves the process.

use std::io::BufRead as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use countersign::clock::{Clock, FixedClock, SystemClock};
use countersign::egress::EgressConfig;
use countersign::random::{Random, SeededRandom, SystemRandom};
use countersign::secret::Masker;
use countersign::store::{MemoryStore, Store as _};
use countersign::{Countersign, Egress, Settings};
use http_body_util::BodyExt as _;

use crate::answer::Answer;
use crate::arguments::{Global, Inject};
use crate::case::Case;
use crate::codes;
use crate::failure::Failure;
use crate::host::{self, Host};
use crate::json;
use crate::mask::Mask;
use crate::output::Output;
use crate::pattern_settings::PatternSettings;
use crate::policy::Policy;
use crate::script::{Fetch, Script};

pub(crate) fn run(global: &Global, inject: &Inject, output: &Output) -> Result<ExitCode, Failure> {
    let case = if inject.batch { None } else { Some(Case::of_inputs(&inject.inputs, false)?) };
    let injector = Injector::start(global, inject)?;
    let runtime = host::runtime()?;
    let Some(case) = case else { return injector.batch(&runtime, output) };
    let answer = runtime.block_on(injector.answer(&case));
    if inject.json {
        output.json(&answer.to_json())?;
    } else {
        output.text(&answer.to_text())?;
        if let Err(failure) = &answer.outcome {
            return Ok(output.fail(failure));
        }
    }
    Ok(if answer.outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What all cases of one run share.
struct Injector {
    host: Host,
    policy: Policy,
    of_patterns: PatternSettings,
    settings: Settings,
    egress: Egress,
    clock: Arc<dyn Clock>,
    seed: Option<u64>,
    reveal: bool,
}

impl Injector {
    fn start(global: &Global, inject: &Inject) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = match inject.now {
            Some(now) => Arc::new(FixedClock(u64::try_from(now.as_millisecond()).unwrap_or(0))),
            None => Arc::new(SystemClock),
        };
        let egress = Egress::new(EgressConfig::default()).context("setting up the way out")?;
        let host = Host::start(global)?;
        let policy = Policy::load(inject.narrowing.file(), &host.registry.auth_types())?;
        let settings = policy.settings(inject.unencrypted.allowed);
        let (seed, reveal) = (inject.seed, inject.reveal);
        let of_patterns = PatternSettings::of(&host.registry.listing().serving);
        Ok(Self { host, policy, of_patterns, settings, egress, clock, seed, reveal })
    }

    /// One answer for each line, in order; a line that cannot be read has its error as an answer.
    fn batch(
        &self,
        runtime: &tokio::runtime::Runtime,
        output: &Output,
    ) -> Result<ExitCode, Failure> {
        let mut input = std::io::stdin().lock();
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            let read = input.read_until(b'\n', &mut line).map_err(|cause| {
                Failure::new(codes::FILE_UNREADABLE, format!("standard input: {}", cause.kind()))
            })?;
            if read == 0 {
                return Ok(ExitCode::SUCCESS);
            }
            number += 1;
            let case = json::parse(&line, "the case").and_then(|json| Case::parse(&json));
            let answer = match case {
                Ok(case) => runtime.block_on(self.answer(&case)),
                Err(failure) => {
                    tracing::info!(line = number, "this line is no case");
                    Answer::failed(failure)
                }
            };
            output.json_line(&answer.to_json())?;
        }
    }

    /// Each case begins anew: with its own state, script and random bytes.
    async fn answer(&self, case: &Case) -> Answer {
        case.warn(&self.of_patterns);
        let subject = &case.subject;
        let (script, store) = (
            Arc::new(Script::new(case.answers.clone(), self.settings.target.http)),
            MemoryStore::default(),
        );
        let before = subject.account().state().map_or(0, |state| state.version);
        if let Some(state) = subject.account().state() {
            store.seed(subject.state_key().clone(), state.clone());
        }
        let store = Arc::new(store);
        let (sandbox, registry) = (Arc::clone(&self.host.sandbox), Arc::clone(&self.host.registry));
        let client = Countersign::builder(sandbox, registry, self.egress.clone())
            .store(Arc::clone(&store) as _)
            .fetcher(Arc::clone(&script) as _)
            .clock(Arc::clone(&self.clock))
            .random(random(self.seed))
            .settings(self.settings.clone())
            .build();

        let mut mask = if self.reveal { Mask::reveal() } else { Mask::of(subject) };
        let outcome = prepared(&client, case, &mut mask).await;
        let state = store.state(subject.state_key()).await.ok().flatten();
        mask.learn_state(state.as_deref());
        let outcome = outcome.map_err(|failure| match script.missing() {
            None => {
                let failure = self.policy.explain(subject.pattern().auth_type(), failure);
                host::explain(failure, &self.host.registry.listing().refused).masked(&mask)
            }
            Some(origin) => {
                let what = format!("`answers` holds no reply for a fetch from {origin}");
                Failure::new(codes::ANSWERS_MISSING, mask.text(&what)).at("answers")
            }
        });
        let state = state.filter(|state| state.version != before);
        Answer { outcome, fetches: script.fetches(), state, mask }
    }
}

async fn prepared(client: &Countersign, case: &Case, mask: &mut Mask) -> Result<Fetch, Failure> {
    let (request, route) = client.prepare_by(&case.subject, case.request()).await?;
    let (parts, body) = request.into_parts();
    if let Some(masker) = parts.extensions.get::<Masker>() {
        mask.join(masker);
    }
    let body = body.collect().await.map_err(|_| countersign::Error::Body)?.to_bytes();
    Ok(Fetch { method: parts.method, uri: parts.uri, headers: parts.headers, body, route })
}

/// Bytes fixed by the seed, or the system's.
fn random(seed: Option<u64>) -> Arc<dyn Random> {
    match seed {
        Some(seed) => Arc::new(SeededRandom::new(seed)),
        None => Arc::new(SystemRandom),
    }
}

#[cfg(test)]
mod tests {
    use super::random;

    #[test]
    fn a_seed_fixes_the_random_bytes_and_none_leaves_them_to_the_system() {
        let draw = |seed| {
            let mut bytes = [0; 32];
            random(seed).fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(draw(Some(7)), draw(Some(7)));
        assert_ne!(draw(Some(7)), draw(Some(8)));
        assert_ne!(draw(None), draw(None));
    }
}
