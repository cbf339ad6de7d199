//! What a guest is shown of an account, and what a flow hears: plain text on its way into the
//! sandbox, overwritten once it is there.

use zeroize::Zeroize;

use crate::contract::flow::{Event, Purpose};
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

/// What a flow waited for: a token server's answer, a user's callback. Overwritten when dropped.
pub(crate) struct Heard(Event);

impl Heard {
    pub(crate) fn new(event: Event) -> Self {
        Self(event)
    }

    pub(super) fn event(&self) -> &Event {
        &self.0
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        match &mut self.0 {
            Event::Response(reply) => {
                reply.body.zeroize();
                for (_, text) in &mut reply.headers {
                    text.zeroize();
                }
            }
            Event::Callback(parameters) => {
                for (_, text) in parameters {
                    text.zeroize();
                }
            }
            Event::Failed(_) | Event::Elapsed => {}
        }
    }
}

/// What a flow is for, with its hint or its state token. Overwritten when dropped.
pub(crate) struct Intent(Purpose);

impl Intent {
    pub(crate) fn new(purpose: Purpose) -> Self {
        Self(purpose)
    }

    pub(super) fn purpose(&self) -> &Purpose {
        &self.0
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        match &mut self.0 {
            Purpose::Renew(hint) => hint.zeroize(),
            Purpose::Grant(grant) => grant.state_token.zeroize(),
            Purpose::Setup | Purpose::Revoke => {}
        }
    }
}
