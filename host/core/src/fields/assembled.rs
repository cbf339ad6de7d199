//! Values that may still wait for custom mutations.
//!
//! A mutation component runs in the sandbox, which is no business of this module: it says which
//! calls to make, in which order, and takes each answer. [`Assembled::finish`] is the only way to
//! the values, so none can be used half mutated.

use super::FieldsError;
use crate::{
    provider::CustomMutation,
    secret::Secret,
    values::{Value, Values},
};

/// One call of a mutation component.
#[derive(Clone)]
pub struct MutationCall {
    target: String,
    mutation: String,
    options: Vec<(String, String)>,
}

impl MutationCall {
    pub(crate) fn new(target: &str, custom: &CustomMutation) -> Self {
        Self {
            target: target.to_owned(),
            mutation: custom.name.clone(),
            options: custom.options.clone(),
        }
    }

    /// The value that it changes, without `account/`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The component's name.
    pub fn mutation(&self) -> &str {
        &self.mutation
    }

    /// What the payload hands it.
    pub fn options(&self) -> &[(String, String)] {
        &self.options
    }
}

/// The values of one call, with the built-in mutations made.
#[derive(Clone)]
pub struct Assembled {
    values: Values,
    pending: Vec<MutationCall>,
}

impl Assembled {
    pub(crate) fn new(values: Values, pending: Vec<MutationCall>) -> Self {
        Self { values, pending }
    }

    /// The next call to make; none when all are made. They come in the payload's order, and each
    /// sees what those before it left.
    pub fn pending(&self) -> Option<&MutationCall> {
        self.pending.first()
    }

    /// What a component that changes `target` and declares `names` may see: account values, by
    /// their names without `account/`. The target comes first; names without a value are left out.
    pub fn visible<'a>(
        &'a self,
        target: &'a str,
        names: &'a [String],
    ) -> Vec<(&'a str, &'a Value)> {
        let others = names.iter().map(String::as_str).filter(|name| *name != target);
        std::iter::once(target)
            .chain(others)
            .filter_map(|name| Some((name, self.values.get(&format!("account/{name}"))?)))
            .collect()
    }

    /// Takes the answer to [`Assembled::pending`]. An empty one is refused, and the call stays
    /// pending: a credential is never lost in silence.
    pub fn apply(&mut self, value: Secret) -> Result<(), FieldsError> {
        let Some(call) = self.pending.first() else { return Ok(()) };
        let field = call.target.clone();
        if super::is_blank(&value) {
            return Err(FieldsError::Emptied { field });
        }
        self.values.set_secret(format!("account/{field}"), value);
        self.pending.remove(0);
        Ok(())
    }

    /// The values, once every call is made.
    pub fn finish(self) -> Result<Values, FieldsError> {
        if self.pending.is_empty() {
            return Ok(self.values);
        }
        let fields = self.pending.into_iter().map(|call| call.target).collect();
        Err(FieldsError::Unmutated { fields })
    }
}
