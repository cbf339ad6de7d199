//! Answers that may be used again.
//!
//! Only an answer that the plugin gave without sight of a request, a cursor or a memo change is
//! kept, so a remembered answer cannot depend on a request: nothing need be believed. It lives in
//! its [`Subject`](crate::subject::Subject), which stands for the environment, the account, the
//! connection and the pattern at their versions; the rest of the key is here. Its edits are still
//! checked against each request that they are applied to.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::account::State;
use crate::authorize::Place;
use crate::contract::authorizer::Watch;
use crate::edit::CheckedEdits;
use crate::egress::ClientCertificate;
use crate::memo::Memo;
use crate::needs::Granted;
use crate::sandbox::Plugin;
use crate::secret::Masker;

/// The longest an answer is used again, in milliseconds. Long enough that its cost vanishes; short
/// enough that a mistake in a key would not last a day.
const LONGEST: u64 = 60 * 60 * 1000;

/// The same where a renewal is due and has not come, in milliseconds.
const LONGEST_WHEN_DUE: u64 = 10 * 1000;

/// All that must stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Which host gave it: a subject may be used with several, of other plugins and policy.
    pub(crate) host: u64,
    /// Of the registry: a reload may bring another plugin, or another mutation.
    pub(crate) generation: u64,
    /// `None` where there is none, which is not the same as one that has version 0.
    pub(crate) state_version: Option<u64>,
    pub(crate) shared_version: Option<u64>,
    pub(crate) memo_revision: u64,
}

/// For how long an answer may be used again.
pub(crate) struct UseAgain {
    key: Key,
    /// Unix milliseconds.
    until: u64,
    /// The one that it was given with.
    pub(crate) memo: Arc<Memo>,
}

/// What `authorize` came to, checked.
pub(crate) struct Answer {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) granted: Arc<Granted>,
    pub(crate) masker: Masker,
    pub(crate) place: Arc<Place>,
    pub(crate) edits: CheckedEdits,
    /// The one that the edits name, out of values that stand still for as long as the answer is used.
    pub(crate) certificate: Option<ClientCertificate>,
    pub(crate) watches: Vec<Watch>,
    pub(crate) cursor: Zeroizing<Vec<u8>>,
    pub(crate) state_version: u64,
    /// `None` where it is for one request alone.
    pub(crate) again: Option<UseAgain>,
}

impl UseAgain {
    /// `None` where nothing may be remembered. Times in Unix milliseconds, `remember` in seconds;
    /// `states` are the account's and the connection's.
    pub(crate) fn new(
        key: Key,
        answer: &Answer,
        memo: Arc<Memo>,
        remember: u32,
        now: u64,
        states: [Option<&State>; 2],
    ) -> Option<Self> {
        let mut until = now.saturating_add((u64::from(remember) * 1000).min(LONGEST));
        for state in states.into_iter().flatten() {
            until = until.min(state.expires_at.unwrap_or(u64::MAX));
            // The slow path is where a renewal ahead of expiry begins, so it must be taken then.
            until = match state.renew_at {
                Some(time) if time > now => until.min(time),
                Some(_) => until.min(now + LONGEST_WHEN_DUE),
                None => until,
            };
        }
        let reusable = remember > 0
            && until > now
            && answer.cursor.is_empty()
            && answer.edits.may_be_remembered();
        reusable.then_some(Self { key, until, memo })
    }

    pub(crate) fn holds(&self, key: Key, now: u64) -> bool {
        self.key == key && now < self.until
    }
}
