//! Who asks: from the token on a request to a [`Caller`].
//!
//! On `Ok` the token is one that this gateway issued, has not ended, and its client is not revoked.
//! On `Err` it is not known who asks, and the caller learns no more than that.

use std::sync::Arc;

use countersign_vault::{Hash, Vault};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::caller::Caller;
use crate::fault::{Fault, Kind};

/// Finds out who asks.
pub(crate) struct Authentication {
    vault: Arc<dyn Vault>,
}

impl Authentication {
    pub(crate) fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault }
    }

    /// The client whose token the request carries (RFC 6750, section 2.1).
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        request: &Arc<str>,
    ) -> Result<Caller, Fault> {
        let token = bearer(headers).ok_or_else(unauthenticated)?;
        let found = self.vault.token(&Hash::of(token)).await?;
        let (client, _ends) = found.ok_or_else(unauthenticated)?;
        Ok(Caller::new(Arc::new(client), Arc::clone(request)))
    }
}

/// The one token that there is. Of two it would not be clear whose the request is.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn unauthenticated() -> Fault {
    let message = "the request carries no token of this gateway that is valid: get one from \
                   /oauth/token, and send it as `Authorization: Bearer …`";
    Fault::new(Kind::Unauthenticated, "unauthenticated", message)
}
