//! Which auth pattern a connection means.

use super::AuthPattern;
use crate::problem::Problems;

/// A connection does not say which auth pattern it uses. Whoever configured the connection acts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// There are several, and the connection names none.
    #[error("the provider has several auth patterns; name one of: {}", available.join(", "))]
    Unnamed {
        /// Labels that each mean exactly one.
        available: Vec<String>,
    },
    /// None has that name, display name or type.
    #[error("no auth pattern is called `{selector}`; there are: {}", available.join(", "))]
    Unknown {
        /// What the connection asked for.
        selector: String,
        /// Labels that each mean exactly one.
        available: Vec<String>,
    },
    /// Several have it.
    #[error("`{selector}` means several auth patterns; name one of: {}", available.join(", "))]
    Ambiguous {
        /// What the connection asked for.
        selector: String,
        /// Labels that each mean exactly one.
        available: Vec<String>,
    },
}

pub(super) fn select<'a>(
    patterns: &'a [AuthPattern],
    selector: Option<&str>,
) -> Result<&'a AuthPattern, SelectError> {
    let available = || patterns.iter().filter_map(|p| label(p, patterns)).collect();
    let Some(selector) = selector else {
        return match patterns {
            [only] => Ok(only),
            several => several
                .iter()
                .find(|pattern| pattern.is_default())
                .ok_or_else(|| SelectError::Unnamed { available: available() }),
        };
    };
    let mut meant = patterns.iter().filter(|pattern| pattern.labels().any(|l| l == selector));
    match (meant.next(), meant.next()) {
        (Some(pattern), None) => Ok(pattern),
        (None, _) => {
            Err(SelectError::Unknown { selector: selector.to_owned(), available: available() })
        }
        (Some(_), Some(_)) => {
            Err(SelectError::Ambiguous { selector: selector.to_owned(), available: available() })
        }
    }
}

/// Notes patterns that no selector could mean, and more than one default.
pub(super) fn check(patterns: &[AuthPattern], problems: &mut Problems) {
    for pattern in patterns {
        if label(pattern, patterns).is_none() {
            problems.error(
                pattern.path(),
                "cannot be told from another auth pattern",
                "give it a display_name or a `name` that no other one has",
            );
        }
    }
    for pattern in patterns.iter().filter(|pattern| pattern.is_default()).skip(1) {
        problems.error(
            format!("{}.is_default", pattern.path()),
            "is set on more than one auth pattern",
            "set it on one",
        );
    }
}

/// The first label of `pattern` that no other one has.
fn label(pattern: &AuthPattern, all: &[AuthPattern]) -> Option<String> {
    let others = || all.iter().filter(|other| other.path() != pattern.path());
    pattern
        .labels()
        .find(|label| !others().any(|other| other.labels().any(|l| l == *label)))
        .map(str::to_owned)
}
