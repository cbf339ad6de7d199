//! What only whoever rehearses a plugin does: a memo in place before the first call, and a mutation
//! by itself. No host that serves requests has a use for either.

use crate::client::Countersign;
use crate::error::Error;
use crate::facts::version;
use crate::fields::{Assembled, MutationCall};
use crate::provider::CustomMutation;
use crate::secret::Secret;
use crate::subject::{LONGEST_MEMO, MemoOwner, Subject};
use crate::values::Values;

impl Countersign {
    /// Puts a memo in place, as if the plugin had left it a moment ago: it is shown to the next
    /// call, and lost as any memo is, with the next state. One over 4 KiB is refused, as a plugin's
    /// is.
    pub async fn put_memo(&self, subject: &Subject, memo: &[u8]) -> Result<(), Error> {
        if memo.len() > LONGEST_MEMO {
            let plugin = subject.pattern().auth_type().to_owned();
            return Err(Error::Contract { plugin, what: "its memo is over 4 KiB" });
        }
        let owner = self.memo_owner(subject).await?;
        let seen = subject.memo(owner);
        subject.set_memo(owner, &seen, memo.to_vec());
        Ok(())
    }

    /// The memo that the next call would be shown.
    pub async fn memo(&self, subject: &Subject) -> Result<Vec<u8>, Error> {
        Ok(subject.memo(self.memo_owner(subject).await?).bytes.to_vec())
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

    async fn memo_owner(&self, subject: &Subject) -> Result<MemoOwner, Error> {
        let state = self.inner.store.state(subject.state_key()).await?;
        let plugin = self.inner.registry.plugin(subject.pattern().auth_type())?;
        let state_version = version(state.as_deref());
        Ok(MemoOwner { host: self.inner.id(), digest: plugin.guest.digest, state_version })
    }
}
