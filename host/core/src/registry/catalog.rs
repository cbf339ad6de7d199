//! One state of the registry: built whole, then never changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::info::{GuestInfo, Listing, Refused};
use super::source::{File, Source};
use crate::sandbox::{Digest, Guest, LoadError, Loaded, Mutation, Plugin};

/// What there is to serve.
#[derive(Default)]
pub(super) struct Catalog {
    serving: Vec<Candidate>,
    by_claim: BTreeMap<Claim, usize>,
    pub(super) refused: Vec<Refused>,
}

/// A component that loads, and so might serve.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(super) source: Source,
    pub(super) component: Component,
}

#[derive(Clone)]
pub(super) enum Component {
    Plugin(Arc<Plugin>),
    Mutation(Arc<Mutation>),
}

/// A name that only one component may have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    AuthType(String),
    Mutation(String),
}

impl Claim {
    fn name(&self) -> &str {
        match self {
            Self::AuthType(name) | Self::Mutation(name) => name,
        }
    }
}

impl Candidate {
    pub(super) fn new(source: Source, loaded: Loaded) -> Self {
        let component = match loaded {
            Loaded::Plugin(plugin) => Component::Plugin(plugin),
            Loaded::Mutation(mutation) => Component::Mutation(mutation),
        };
        Self { source, component }
    }

    fn guest(&self) -> &Guest {
        match &self.component {
            Component::Plugin(plugin) => &plugin.guest,
            Component::Mutation(mutation) => &mutation.guest,
        }
    }

    fn claims(&self) -> Vec<Claim> {
        match &self.component {
            Component::Plugin(plugin) => {
                plugin.auth_types.iter().cloned().map(Claim::AuthType).collect()
            }
            Component::Mutation(mutation) => vec![Claim::Mutation(mutation.name.clone())],
        }
    }
}

impl Catalog {
    /// Builds the next state out of the bundled components, the files, and the state before, of which
    /// those guests are kept that still stand as they are.
    pub(super) fn build(
        bundled: &[Candidate],
        files: Vec<File>,
        before: &Self,
        pins: &BTreeMap<String, Digest>,
        load: impl Fn(&str, &[u8]) -> Result<Loaded, LoadError>,
        stands: impl Fn(&Guest) -> bool,
    ) -> Self {
        let mut next = Self::default();
        let mut candidates = bundled.to_vec();
        for file in files {
            candidates.extend(next.candidate(&file, before, &load, &stands));
        }
        next.settle(candidates, before, pins, &stands);
        next
    }

    pub(super) fn plugin(&self, auth_type: &str) -> Option<Arc<Plugin>> {
        let nth = self.by_claim.get(&Claim::AuthType(auth_type.to_owned()))?;
        match &self.serving[*nth].component {
            Component::Plugin(plugin) => Some(Arc::clone(plugin)),
            Component::Mutation(_) => None,
        }
    }

    pub(super) fn mutation(&self, name: &str) -> Option<Arc<Mutation>> {
        let nth = self.by_claim.get(&Claim::Mutation(name.to_owned()))?;
        match &self.serving[*nth].component {
            Component::Mutation(mutation) => Some(Arc::clone(mutation)),
            Component::Plugin(_) => None,
        }
    }

    pub(super) fn auth_types(&self) -> Vec<String> {
        self.names(|claim| matches!(claim, Claim::AuthType(_)))
    }

    pub(super) fn mutation_names(&self) -> Vec<String> {
        self.names(|claim| matches!(claim, Claim::Mutation(_)))
    }

    fn names(&self, wanted: impl Fn(&Claim) -> bool) -> Vec<String> {
        self.by_claim.keys().filter(|it| wanted(it)).map(|it| it.name().to_owned()).collect()
    }

    pub(super) fn listing(&self) -> Listing {
        Listing {
            serving: self.serving.iter().map(GuestInfo::of).collect(),
            refused: self.refused.clone(),
        }
    }

    /// The component of one file: as it was where its bytes and its limits are unchanged, else loaded
    /// anew, else the last good one.
    fn candidate(
        &mut self,
        file: &File,
        before: &Self,
        load: impl Fn(&str, &[u8]) -> Result<Loaded, LoadError>,
        stands: impl Fn(&Guest) -> bool,
    ) -> Option<Candidate> {
        let last = before.served_from(&file.path);
        let source = Source::File(file.path.clone());
        let (digest, reason) = match &file.bytes {
            Ok(bytes) => {
                let digest = Digest::of(bytes);
                let same = |last: &&Candidate| last.guest().digest == digest;
                if let Some(last) = last.filter(|it| same(it) && stands(it.guest())) {
                    return Some(last.clone());
                }
                match load(&file.name(), bytes) {
                    Ok(loaded) => return Some(Candidate::new(source, loaded)),
                    Err(error) => (Some(digest), error.to_string()),
                }
            }
            Err(cause) => (None, format!("the file cannot be read: {cause}")),
        };
        // Limits that were taken back are not left to an earlier version either.
        let last = last.filter(|last| stands(last.guest()));
        let kept = last.is_some();
        self.refused.push(Refused { source, digest, reason, kept, duplicate: false });
        last.cloned()
    }

    fn served_from(&self, path: &PathBuf) -> Option<&Candidate> {
        self.serving.iter().find(|it| matches!(&it.source, Source::File(file) if file == path))
    }

    /// Gives each claim to at most one candidate.
    fn settle(
        &mut self,
        candidates: Vec<Candidate>,
        before: &Self,
        pins: &BTreeMap<String, Digest>,
        stands: impl Fn(&Guest) -> bool,
    ) {
        let verdicts: Vec<Option<String>> = candidates
            .iter()
            .map(|one| {
                one.claims()
                    .iter()
                    .find_map(|claim| objection(one, claim, &candidates, before, pins))
            })
            .collect();
        let bundled: Vec<(Digest, String)> = candidates
            .iter()
            .zip(&verdicts)
            .filter(|(it, verdict)| it.source == Source::Bundled && verdict.is_none())
            .map(|(it, _)| (it.guest().digest, it.guest().name.clone()))
            .collect();
        let mut replaced = Vec::new();
        for (candidate, verdict) in candidates.into_iter().zip(verdicts) {
            let digest = candidate.guest().digest;
            let is_file = candidate.source != Source::Bundled;
            let twin = bundled.iter().find(|(other, _)| is_file && *other == digest);
            let duplicate = twin.is_some();
            let same = twin.map(|(_, name)| {
                format!("it is the same as the bundled {name}, which serves; the file may go")
            });
            let Some(reason) = same.or(verdict) else {
                self.serve(candidate);
                continue;
            };
            if let Source::File(path) = &candidate.source {
                let last = before.served_from(path);
                let last = last.filter(|last| last.guest().digest != digest);
                replaced.extend(last.filter(|last| stands(last.guest())).cloned());
            }
            let source = candidate.source;
            let digest = Some(digest);
            self.refused.push(Refused { source, digest, reason, kept: false, duplicate });
        }
        // An update that claims too much leaves the last good version of its file in place.
        for last in replaced {
            let pinned_elsewhere = |claim: &Claim| {
                pins.get(claim.name()).is_some_and(|digest| *digest != last.guest().digest)
            };
            let free = |claim: &Claim| !self.by_claim.contains_key(claim);
            if last.claims().iter().all(|claim| free(claim) && !pinned_elsewhere(claim)) {
                let refused = self.refused.iter_mut().filter(|it| it.source == last.source);
                refused.for_each(|it| it.kept = true);
                self.serve(last);
            }
        }
    }

    fn serve(&mut self, candidate: Candidate) {
        let nth = self.serving.len();
        for claim in candidate.claims() {
            self.by_claim.insert(claim, nth);
        }
        self.serving.push(candidate);
    }
}

/// Why `one` may not have `claim`, in the words for an operator.
fn objection(
    one: &Candidate,
    claim: &Claim,
    all: &[Candidate],
    before: &Catalog,
    pins: &BTreeMap<String, Digest>,
) -> Option<String> {
    let name = claim.name();
    if let Some(pinned) = pins.get(name) {
        return (one.guest().digest != *pinned)
            .then(|| format!("the configuration gives {name} to sha256:{pinned}"));
    }
    let rival =
        all.iter().find(|other| other.source != one.source && other.claims().contains(claim))?;
    let rank = |it: &Candidate| match &it.source {
        Source::Bundled => 2,
        Source::File(path) => {
            let served = before.served_from(path);
            u8::from(served.is_some_and(|last| last.claims().contains(claim)))
        }
    };
    let highest =
        all.iter().filter(|it| it.claims().contains(claim)).map(&rank).max().unwrap_or_default();
    // Nobody was there first: none of them serves, or the order of names would decide.
    if rank(one) == highest && highest > 0 {
        return None;
    }
    Some(format!(
        "{name} is also claimed by {} (sha256:{}), this one is sha256:{}; name the digest to use \
         for {name} in the configuration",
        rival.source,
        rival.guest().digest,
        one.guest().digest,
    ))
}
