//! Who asks: from the token on a request to a [`Caller`].
//!
//! On `Ok` the token is one that this gateway issued, has not ended, and its client is not revoked.
//! On `Err` it is not known who asks, and the caller learns no more than that.

use std::sync::Arc;

use countersign::clock::Clock;
use countersign_vault::cache::Cache;
use countersign_vault::{Change, Client, Following, Hash, Vault};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::caller::Caller;
use crate::fault::{Fault, Kind};
use crate::request_id::RequestId;

/// Tokens that are kept in memory: more than there are processes of clients.
const MOST_TOKENS: usize = 10_000;

/// Finds out who asks.
pub(crate) struct Authentication {
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
    tokens: Arc<Cache<Hash, Known>>,
}

/// A token that is a client's.
struct Known {
    client: Arc<Client>,
    /// Unix milliseconds.
    ends: u64,
}

impl Authentication {
    pub(crate) fn new(vault: Arc<dyn Vault>, clock: Arc<dyn Clock>, following: &Following) -> Self {
        Self { vault, clock, tokens: Cache::new(following, MOST_TOKENS) }
    }

    /// The client whose token the request carries (RFC 6750, section 2.1).
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        request: &RequestId,
    ) -> Result<Caller, Fault> {
        let token = Hash::of(bearer(headers).ok_or_else(unauthenticated)?);
        let known = match self.tokens.get(&token) {
            Some(known) => known,
            None => self.read(token).await?,
        };
        if known.ends <= self.clock.unix_millis() {
            return Err(unauthenticated());
        }
        Ok(Caller::new(Arc::clone(&known.client), request.clone()))
    }

    /// What is nobody's is not kept: whoever makes tokens up would fill the cache with them.
    async fn read(&self, token: Hash) -> Result<Arc<Known>, Fault> {
        let reading = self.tokens.begin();
        let found = self.vault.token(&token).await?;
        let (client, ends) = found.ok_or_else(unauthenticated)?;
        let made_of = [Change::Client(client.id.as_str().into())];
        let known = Arc::new(Known { client: Arc::new(client), ends });
        self.tokens.keep(reading, token, Arc::clone(&known), &made_of);
        Ok(known)
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
