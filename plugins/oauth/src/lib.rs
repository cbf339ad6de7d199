//! OAUTH: OAuth 2.0 (RFC 6749) with bearer tokens (RFC 6750).
//!
//! A request gets the access token, mutated like any other value. Where that is missing, expired,
//! or rejected with 401, the state is renewed: with the refresh token, or by client credentials
//! where the pattern's `grant_type` says so. Where there is nothing to renew with, the user has to
//! authorize again, and the refusal says that.
//!
//! `authorize` is here, the flow in [`steps`], what it is made of in [`grant`] and [`token`]. What comes
//! after a user's consent is the same however they were asked, so that a plugin with another grant builds
//! on this one: with [`common`] and [`granted`], and without the feature `component`, since a component
//! has these exports once.

mod cursor;
mod grant;
mod steps;
mod token;
mod user_info;

use countersign_plugin::{
    Account, Builder, Context, Descriptor, HttpResponse, Input, Outcome, Plugin, Reaction, Ready,
    Refusal, RequestView, header,
    placed::{self, Placed},
};

pub use grant::scopes;
pub use steps::granted;

const TOKEN: &str = "account/token";
const ACCESS: &str = "state/access_token";
const REFRESH: &str = "state/refresh_token";
const EXPIRES_AT: &str = "state/expires-at";
/// The value that holds the token endpoint.
pub const TOKEN_URI: &str = "pattern/oauth_config/token_uri";
const AUTHORIZE_URI: &str = "pattern/oauth_config/authorize_uri";
const USER_INFO_URI: &str = "pattern/oauth_config/user_info_uri";
const REVOCATION_URI: &str = "pattern/oauth_config/revocation_uri";
const GRANT_TYPE: &str = "pattern/oauth_config/grant_type";

/// The plugin.
pub struct OAuth;

impl Plugin for OAuth {
    fn descriptor() -> Descriptor {
        common(Descriptor::builder("OAUTH").title("OAuth 2.0", env!("CARGO_PKG_VERSION")))
            .read(&[AUTHORIZE_URI, GRANT_TYPE])
            .read(&[
                "pattern/oauth_config/issuer",
                "pattern/oauth_config/authorization_response_iss_parameter_supported",
                "pattern/oauth_config/extra_authorize_params",
                "grant/login_hint",
            ])
            .visit(&[AUTHORIZE_URI])
            .build()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let Some(token) = account.value(TOKEN).filter(|_| !has_expired(cx, account)) else {
            if can_renew(account) {
                return Ok(Outcome::Renew(Vec::new()));
            }
            return Err(nothing_to_renew_with());
        };
        let mut edits = vec![header::credential(account, TOKEN, "Bearer ", token)?];
        edits.extend(Placed::of(account)?.edits);
        let ready = Ready::lasting(edits);
        Ok(if can_renew(account) { ready.watch(401) } else { ready }.into())
    }

    fn replied(
        _: &Context,
        account: &Account,
        reply: &HttpResponse,
        _: &[u8],
    ) -> Result<Reaction, Refusal> {
        let rejected = reply.status == 401 && can_renew(account);
        Ok(if rejected { Reaction::renew() } else { Reaction::deliver() })
    }
}

/// What every grant needs, and what comes after it: tokens, their renewal and revocation, who the user is,
/// and the credential on requests.
pub fn common(builder: Builder) -> Builder {
    builder
        .flows(&["grant", "renew", "revoke"])
        .connection(&[
            Input::required("client_id", "Client id"),
            Input::optional("client_secret", "Client secret").secret(),
            Input::optional("scopes", "Scopes"),
        ])
        .read(&[TOKEN, ACCESS, REFRESH, EXPIRES_AT, TOKEN_URI])
        .read(&[USER_INFO_URI, user_info::WANTED, REVOCATION_URI])
        .read(&["connection/client_id", "connection/client_secret", "connection/scopes"])
        .read(&[
            "pattern/oauth_config/token_endpoint_auth_method",
            "pattern/oauth_config/attributes",
            "state/{pattern/oauth_config/attributes/*}",
        ])
        .read(token::KEPT)
        .write(token::KEPT)
        .write(&[ACCESS, REFRESH, "state/{pattern/oauth_config/attributes/*}"])
        .fetch(&[TOKEN_URI, USER_INFO_URI, REVOCATION_URI])
        .credential_header()
        .placed_fields()
        .read(placed::ACCOUNT_READS)
        .write(placed::ACCOUNT_WRITES)
}

/// The host owns expiry and says when; a time that cannot be read counts as past.
fn has_expired(cx: &Context, account: &Account) -> bool {
    let until = account.value(EXPIRES_AT).map(|at| at.parse().unwrap_or(0));
    until.is_some_and(|until: u64| until <= cx.now())
}

fn by_client_credentials(account: &Account) -> bool {
    account.value(GRANT_TYPE) == Some("client_credentials")
}

fn can_renew(account: &Account) -> bool {
    by_client_credentials(account) || account.value(REFRESH).is_some()
}

fn nothing_to_renew_with() -> Refusal {
    Refusal::reauthorize("the access token is gone, and there is no refresh token").at(REFRESH)
}

#[cfg(feature = "component")]
countersign_plugin::export_flow_plugin!(OAuth);

#[cfg(test)]
mod tests;
