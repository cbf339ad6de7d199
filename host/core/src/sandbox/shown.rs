//! What a guest is shown of an account: plain text on its way into the sandbox.

use zeroize::Zeroize;

use crate::contract::types;

/// The values of one call, already cut down to the plugin's needs. Overwritten when dropped.
pub(crate) struct Shown(types::Account);

impl Shown {
    /// Copies the text out of its shelter; from here on only this value and the guest hold it.
    pub(crate) fn new<'a>(values: impl Iterator<Item = (&'a str, &'a str)>, memo: &[u8]) -> Self {
        let values = values.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        Self(types::Account { values, memo: memo.to_vec() })
    }

    pub(super) fn account(&self) -> &types::Account {
        &self.0
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        for (_, text) in &mut self.0.values {
            text.zeroize();
        }
        self.0.memo.zeroize();
    }
}
