//! The keys of an auth pattern that its plugin reads. The host itself does not know them, and would take
//! them for misspelt.

use std::collections::BTreeMap;

use countersign::problem::Problem;
use countersign::registry::{GuestInfo, GuestKind};

/// By auth type, what its plugin asks to see of a pattern, as `aws_sigv4/region`.
pub(crate) struct PatternSettings(BTreeMap<String, Vec<String>>);

impl PatternSettings {
    /// Of all plugins that serve.
    pub(crate) fn of(serving: &[GuestInfo]) -> Self {
        let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for guest in serving {
            let GuestKind::Plugin { auth_types, needs, .. } = &guest.kind else { continue };
            let read = needs.iter().filter_map(|(_, object)| object.strip_prefix("pattern/"));
            for auth_type in auth_types {
                let of_type = settings.entry(auth_type.clone()).or_default();
                of_type.extend(read.clone().map(str::to_owned));
            }
        }
        Self(settings)
    }

    /// Whether the problem is no more than that: a key that the pattern's own plugin reads. `auth_type`
    /// gives the type of the payload's pattern of a number.
    pub(crate) fn explain<'a>(
        &self,
        problem: &Problem,
        auth_type: impl FnOnce(usize) -> Option<&'a str>,
    ) -> bool {
        let place =
            problem.path.strip_prefix("auth_patterns[").filter(|_| problem.is_unknown_key());
        let Some((nth, key)) = place.and_then(|rest| rest.split_once("].")) else { return false };
        let Some(of_type) = nth.parse().ok().and_then(auth_type).and_then(|it| self.0.get(it))
        else {
            return false;
        };
        let key = key.replace('.', "/");
        // Of a need for what is below it, or above it.
        let is_below = |one: &str, other: &str| {
            one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        of_type.iter().any(|it| is_below(it, &key) || is_below(&key, it))
    }
}
