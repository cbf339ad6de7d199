//! Whether a component that loads would also serve, in the folder of this host.
//!
//! The registry's own rules: a pin decides; without one, a name that another component serves is
//! not given to a newcomer.

use countersign::registry::{GuestInfo, GuestKind};

use crate::arguments::Pin;

pub(super) enum Verdict {
    Accepted,
    /// These very bytes serve already.
    Serving,
    Refused {
        /// What it answers to, and another does, or must.
        name: String,
        /// The reason.
        why: String,
    },
}

impl Verdict {
    pub(super) fn of(info: &GuestInfo, serving: &[GuestInfo], pins: &[Pin]) -> Self {
        for name in claims(info) {
            // Where one name is pinned twice, the registry keeps the last.
            if let Some(pin) = pins.iter().rfind(|pin| pin.name == name) {
                if pin.digest != info.digest {
                    let why = format!("{name} is pinned to sha256:{}", pin.digest);
                    return Self::Refused { name: name.to_owned(), why };
                }
                continue;
            }
            let same_kind = |it: &&GuestInfo| {
                std::mem::discriminant(&it.kind) == std::mem::discriminant(&info.kind)
            };
            let mut rivals = serving.iter().filter(same_kind);
            let rival = rivals.find(|it| it.digest != info.digest && claims(it).contains(&name));
            if let Some(rival) = rival {
                let why = format!(
                    "{name} is already served by {} ({}, sha256:{})",
                    rival.name, rival.source, rival.digest
                );
                return Self::Refused { name: name.to_owned(), why };
            }
        }
        if serving.iter().any(|it| it.digest == info.digest) {
            Self::Serving
        } else {
            Self::Accepted
        }
    }

    pub(super) fn accepted(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}

fn claims(info: &GuestInfo) -> Vec<&str> {
    match &info.kind {
        GuestKind::Plugin { auth_types, .. } => auth_types.iter().map(String::as_str).collect(),
        GuestKind::Mutation { mutation } => vec![mutation],
    }
}
