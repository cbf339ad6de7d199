//! `POST /oauth/token`: a token for a client (RFC 6749, section 4.4).
//!
//! On success the token is kept by its hash alone and answered once. A refusal says nothing of
//! whether it is the id or the secret that is wrong. Attempts are bounded by the address that they
//! come from, whatever comes of them; tokens by the client that gets them, so that nobody else can use
//! up what is its own.

mod bound;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use countersign::body::BodyError;
use countersign::clock::Clock;
use countersign::random::Random;
use countersign::secret::Secret;
use countersign_vault::{Hash, Vault, VaultError};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use serde_json::json;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::answer::{self, Answer};
use crate::fault::{Fault, Kind};
use crate::settings::Settings;

use bound::Bound;

/// Bytes of a request for a token; an id and a secret are some hundred.
const LONGEST_FORM: usize = 16 << 10;

/// For the form: whoever takes longer holds what others want.
const FORM_TIMEOUT: Duration = Duration::from_secs(20);

/// Gives out tokens.
pub(crate) struct Tokens {
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    rules: ArcSwap<Rules>,
}

/// What the operator decides, and what it was used for so far.
#[derive(Clone)]
struct Rules {
    lifetime: Duration,
    /// Attempts, by address.
    attempts: Arc<Bound<IpAddr>>,
    /// Tokens, by client.
    given: Arc<Bound<String>>,
}

/// Who says to be whom.
struct Credentials {
    id: String,
    secret: Secret,
}

/// A refusal in the words of RFC 6749, section 5.2.
struct Refusal {
    error: &'static str,
    fault: Fault,
}

impl Tokens {
    pub(crate) fn new(
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: &Settings,
    ) -> Self {
        let rules = Rules {
            lifetime: settings.token_lifetime,
            attempts: Bound::new(settings.token_attempts_per_minute),
            given: Bound::new(settings.tokens_per_minute),
        };
        Self { vault, clock, random, rules: ArcSwap::from_pointee(rules) }
    }

    /// Keeps to these from now on. What was counted counts on where the number is the same.
    pub(crate) fn set(&self, settings: &Settings) {
        let Rules { attempts, given, .. } = Rules::clone(&self.rules.load());
        self.rules.store(Arc::new(Rules {
            lifetime: settings.token_lifetime,
            attempts: attempts.or_new(settings.token_attempts_per_minute),
            given: given.or_new(settings.tokens_per_minute),
        }));
    }

    /// Answers a request for a token, which comes from this address.
    pub(crate) async fn answer<B>(
        &self,
        from: IpAddr,
        headers: &HeaderMap,
        body: B,
        request: &str,
    ) -> Answer
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let rules = Rules::clone(&self.rules.load());
        match self.give(from, headers, body, &rules).await {
            Ok(token) => {
                let json = json!({
                    "access_token": token.expose(),
                    "token_type": "Bearer",
                    "expires_in": rules.lifetime.as_secs(),
                });
                answer::document(StatusCode::OK, &json)
            }
            Err(Refusal { error, fault }) => {
                tracing::info!(code = fault.code, "no token was given");
                answer::token_fault(&fault, error, request)
            }
        }
    }

    async fn give<B>(
        &self,
        from: IpAddr,
        headers: &HeaderMap,
        body: B,
        rules: &Rules,
    ) -> Result<Secret, Refusal>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        rules.attempts.count(&network(from))?;
        let Credentials { id, secret } = credentials(headers, body).await?;
        let secret = Hash::of(secret.expose());
        if !self.vault.is_secret_of(&id, &secret).await? {
            return Err(Refusal::invalid_client());
        }
        rules.given.count(&id)?;
        let token = self.token()?;
        let ends = self.clock.unix_millis().saturating_add(millis(rules.lifetime));
        // Compared once more as it is kept: it may have been rotated meanwhile.
        let given = self.vault.issue_token(&id, &secret, &Hash::of(token.expose()), ends).await?;
        given.map(|_| token).ok_or_else(Refusal::invalid_client)
    }

    /// 32 random bytes, which nobody guesses.
    fn token(&self) -> Result<Secret, Refusal> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.random.fill(&mut *bytes).map_err(|_| Fault::from(VaultError::NoRandomness))?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
    }
}

/// Of IPv6 one customer has a whole /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// In the form, or in the `Authorization` header (RFC 6749, section 2.3.1), and not in both.
async fn credentials<B>(headers: &HeaderMap, body: B) -> Result<Credentials, Refusal>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let unread = || Refusal::malformed("the form cannot be read, or takes too long");
    let read = timeout(FORM_TIMEOUT, Limited::new(body, LONGEST_FORM).collect()).await;
    let form = read.map_err(|_| unread())?.map_err(|_| unread())?.to_bytes();
    let mut grant_type = None;
    let [mut id, mut secret] = [None, None];
    for (name, value) in url::form_urlencoded::parse(&form) {
        let place = match &*name {
            "grant_type" => &mut grant_type,
            "client_id" => &mut id,
            "client_secret" => &mut secret,
            _ => continue,
        };
        if place.replace(Zeroizing::new(value.into_owned())).is_some() {
            return Err(Refusal::malformed("a parameter is given twice"));
        }
    }
    match grant_type.as_deref().map(String::as_str) {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::grant_type()),
        None => return Err(Refusal::malformed("give `grant_type=client_credentials`, as a form")),
    }
    // The official SDK for Python sends an old token along when it wants a new one.
    let basic = headers.get(AUTHORIZATION).and_then(|value| basic(value.as_bytes()));
    match (id, secret, basic) {
        (Some(id), Some(secret), None) => {
            Ok(Credentials { id: id.to_string(), secret: Secret::new(secret.to_string()) })
        }
        (None, None, Some(credentials)) => Ok(credentials),
        (None | Some(_), None, None) | (None, Some(_), None) => {
            Err(Refusal::malformed("give `client_id` and `client_secret`"))
        }
        (_, _, Some(_)) => Err(Refusal::malformed("the client is named in two ways")),
    }
}

/// `Basic`, whose two halves are form-encoded.
fn basic(value: &[u8]) -> Option<Credentials> {
    let (scheme, encoded) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let decode = |text: &str| {
        let mut pairs = url::form_urlencoded::parse(text.as_bytes());
        pairs.next().map(|(text, _)| text.into_owned())
    };
    Some(Credentials { id: decode(id)?, secret: Secret::new(decode(secret)?) })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Refusal {
    fn malformed(message: &str) -> Self {
        let fault = Fault::new(Kind::Invalid, "invalid_request", message);
        Self { error: "invalid_request", fault }
    }

    fn grant_type() -> Self {
        let message = "the only grant type here is client_credentials";
        let fault = Fault::new(Kind::Invalid, "unsupported_grant_type", message);
        Self { error: "unsupported_grant_type", fault }
    }

    fn invalid_client() -> Self {
        let message = "there is no client of this id and secret";
        let fault = Fault::new(Kind::Unauthenticated, "invalid_client", message);
        Self { error: "invalid_client", fault }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { error: "temporarily_unavailable", fault }
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        Fault::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::StreamBody;

    use super::*;

    /// Whoever sends a form byte by byte holds what others want.
    #[tokio::test(start_paused = true)]
    async fn a_form_that_does_not_end_is_not_waited_for() {
        let never = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, BodyError>>();
        let body = StreamBody::new(never);
        let waited = timeout(FORM_TIMEOUT * 2, credentials(&HeaderMap::new(), body)).await;
        assert_eq!(waited.unwrap().err().unwrap().error, "invalid_request");
    }
}
