//! All that is known for one call: the values, what the plugin may do with them, and where the
//! request goes.
//!
//! On `Ok` every required value is there, every mutation has been made, and the pattern's URLs are
//! filled. The destination is kept apart, because it may name an attribute that only a renewal
//! brings.

mod gather;
mod urls;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::account::State;
use crate::authorize::Place;
use crate::edit::EditError;
use crate::egress::{self, CertificateError, CertificateFlaw, ClientCertificate};
use crate::error::Error;
use crate::memo::Memo;
use crate::needs::Granted;
use crate::refusal::{Reason, Refusal};
use crate::sandbox::{Digest, Plugin, Shown};
use crate::secret::{Masker, Secret};
use crate::subject::Subject;
use crate::values::Values;
use crate::view::ViewError;

/// What a call is made with.
pub(crate) struct Facts {
    /// Under which [`Inner::id`] they were gathered.
    pub(crate) host: u64,
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) values: Values,
    pub(crate) granted: Arc<Granted>,
    pub(crate) masker: Masker,
    /// The account's, or the connection's for `setup`.
    pub(crate) state: Option<Arc<State>>,
    pub(crate) shared: Option<Arc<State>>,
    /// Worked out once it is needed.
    pub(crate) place: OnceLock<Arc<Place>>,
    /// The same.
    memo: OnceLock<Arc<Memo>>,
    /// The one that was asked for first. A key is read and checked once, and not for each request.
    certificate: OnceLock<ClientCertificate>,
    /// The account's values that stand in a host, or in a page that the user is sent to: whoever
    /// wrote the payload shows them there.
    in_sight: BTreeSet<String>,
}

/// Facts, and all that they were gathered from beside the subject: for the next request, while
/// nothing of it moves.
pub(crate) struct KnownFacts {
    key: Known,
    facts: Arc<Facts>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    /// Another host has other policy and rules.
    host: u64,
    /// Another mutation gives other values.
    generation: u64,
    plugin: Digest,
    state_version: Option<u64>,
    shared_version: Option<u64>,
}

impl Facts {
    /// The values that the plugin may see, on their way into the sandbox.
    pub(crate) fn shown(&self, memo: &[u8]) -> Shown {
        let values = self.granted.reads(&self.values);
        Shown::new(values.map(|(name, value)| (name, value.expose())), memo)
    }

    /// The secrets that may stand in no page's URL and no attribute.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = &Secret> {
        let values = self.values.iter().filter(|(name, _)| !self.in_sight.contains(*name));
        values.filter_map(|(_, value)| value.as_secret())
    }

    pub(crate) fn state_version(&self) -> u64 {
        version(self.state.as_deref())
    }

    /// Whether the state must not be used at `now`, in Unix milliseconds.
    pub(crate) fn is_expired(&self, now: u64) -> bool {
        self.state.as_ref().is_some_and(|state| state.is_expired(now))
    }

    /// The same of what the connection shares.
    pub(crate) fn shares_expired(&self, now: u64) -> bool {
        self.shared.as_ref().is_some_and(|state| state.is_expired(now))
    }

    pub(crate) fn refused(&self, raw: crate::contract::types::Refusal) -> Error {
        let refusal = Refusal::from_guest(raw, &self.masker);
        let plugin = self.plugin.guest.name.clone();
        if self.plugin.guest.may_tell() {
            tracing::info!(plugin, reason = refusal.reason.code(), "{refusal}");
        }
        Error::Refused { plugin, refusal }
    }

    /// Tells operators what went wrong on the plugin's behalf.
    pub(crate) fn tell(&self, what: &str) {
        self.plugin.guest.tell(what, &self.masker);
    }

    pub(crate) fn edit_refused(&self, cause: &EditError) -> Error {
        let message = self.masker.mask(&cause.to_string()).into_owned();
        self.tell(&format!("an edit of it is refused: {}", cause.nameless()));
        Error::Edit { plugin: self.plugin.guest.name.clone(), message }
    }

    pub(crate) fn view_refused(&self, cause: &ViewError) -> Error {
        let message = self.masker.mask(&cause.to_string()).into_owned();
        self.tell(cause.nameless());
        Error::View { plugin: self.plugin.guest.name.clone(), message }
    }

    /// The certificate that is in the values of these names.
    pub(crate) fn certificate(
        &self,
        subject: &Subject,
        names: [&str; 2],
    ) -> Result<ClientCertificate, CertificateError> {
        if let Some(known) = self.certificate.get().filter(|it| it.names() == names) {
            return Ok(known.clone());
        }
        let read = self.read_certificate(subject, names)?;
        // Of several that read it at once, the first is kept.
        let _: Result<(), ClientCertificate> = self.certificate.set(read.clone());
        Ok(read)
    }

    fn read_certificate(
        &self,
        subject: &Subject,
        names: [&str; 2],
    ) -> Result<ClientCertificate, CertificateError> {
        let value = |name: &str| {
            let text = self.values.text(name).filter(|text| !text.trim().is_empty());
            let flaw = CertificateFlaw::Missing;
            text.map(Secret::from).ok_or_else(|| CertificateError { name: name.to_owned(), flaw })
        };
        let (chain, key) = (value(names[0])?, value(names[1])?);
        let of_connection = names.iter().all(|name| name.starts_with("connection/"));
        let holder = if of_connection { subject.shared_key() } else { subject.state_key() };
        let row = holder.row.as_ref().map_or("", |row| &row.id);
        let identifier = holder.identifier.as_deref().unwrap_or_default();
        let holder = [&*holder.environment, &*holder.connection, identifier, row];
        ClientCertificate::parse(names, &chain, &key, &holder)
    }

    /// The values that only the host may look at, to present them, and that are nothing to present.
    pub(crate) fn unpresentable(&self) -> impl Iterator<Item = Refusal> {
        let unseen = self.values.iter().filter(|(name, value)| {
            let there = !value.expose().trim().is_empty();
            there && self.granted.may_present(name) && !self.granted.may_read(name)
        });
        let bad = unseen.filter(|(_, value)| !egress::is_presentable(value.expose()));
        bad.map(|(name, _)| Refusal {
            reason: Reason::InvalidConfig,
            field: Some(name.to_owned()),
            message: "is neither a certificate nor an unencrypted private key in PEM".to_owned(),
            retry_after: None,
        })
    }

    pub(crate) fn broke(&self, what: &'static str) -> Error {
        self.tell(&format!("it broke the contract: {what}"));
        Error::Contract { plugin: self.plugin.guest.name.clone(), what }
    }
}

pub(crate) fn version(state: Option<&State>) -> u64 {
    state.map_or(0, |state| state.version)
}
