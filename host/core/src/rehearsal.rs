//! What only whoever rehearses a plugin does: a memo in place before the first call, and a mutation
//! by itself. No host that serves requests has a use for either.

use std::sync::Arc;

use crate::client::Countersign;
use crate::error::Error;
use crate::fields::{Assembled, MutationCall};
use crate::memo::{LONGEST_MEMO, Memo};
use crate::provider::CustomMutation;
use crate::secret::Secret;
use crate::subject::Subject;
use crate::values::Values;

impl Countersign {
    /// Puts a memo in place, as if the plugin had left it a moment ago: it is shown to the next
    /// call, and lost as any memo is, with the next state. One over 4 KiB is refused, as a plugin's
    /// is. Where the account's values are not what a call could be made with, there is nobody to
    /// show it to, and whoever makes that call is told.
    pub async fn put_memo(&self, subject: &Subject, memo: &[u8]) -> Result<(), Error> {
        if memo.len() > LONGEST_MEMO {
            let plugin = subject.pattern().auth_type().to_owned();
            return Err(Error::Contract { plugin, what: "its memo is over 4 KiB" });
        }
        if let Ok(place) = self.memo_of(subject).await {
            self.inner.memos.set(&place, &place.seen(), memo.to_vec());
        }
        Ok(())
    }

    /// The memo that the next call would be shown.
    pub async fn memo(&self, subject: &Subject) -> Result<Vec<u8>, Error> {
        Ok(self.memo_of(subject).await?.seen().bytes.to_vec())
    }

    /// Has a mutation change `target`, as `auth_field_mutations` would. `values` are the account's,
    /// by their names without `account/`; it sees those of them that it may.
    pub async fn mutate(
        &self,
        mutation: &str,
        target: &str,
        options: Vec<(String, String)>,
        values: &Values,
    ) -> Result<Secret, Error> {
        let mut of_account = Values::default();
        for (name, value) in values.iter() {
            of_account.set_secret(format!("account/{name}"), Secret::from(value.expose()));
        }
        let custom = CustomMutation { name: mutation.to_owned(), options };
        let call = MutationCall::new(target, &custom);
        let assembled = Assembled::new(of_account, Vec::new());
        self.inner.mutated(&assembled, &call).await
    }

    async fn memo_of(&self, subject: &Subject) -> Result<Arc<Memo>, Error> {
        let inner = &self.inner;
        let remembered = inner.remembered(subject).await?;
        if let Some(again) = remembered.as_ref().and_then(|answer| answer.again.as_ref()) {
            return Ok(Arc::clone(&again.memo));
        }
        let generation = inner.registry.generation();
        let plugin = inner.registry.plugin(subject.pattern().auth_type())?;
        let facts = inner.request_facts(subject, &plugin, generation).await?;
        Ok(Arc::clone(inner.memo(subject, &facts)))
    }
}
