//! Whose keys sign, and how.
//!
//! A connection has the client's credentials where users grant it their tokens; an account has its own
//! where all four were made by hand. The account's go before the connection's, and never one half of
//! each. The token likewise is what a grant has brought, with its secret, or else what was typed.

use countersign_plugin::{Account, Refusal, find, header};

use crate::rsa;

/// What a client is called by, and proves itself with: the account's names, and the connection's.
const CONSUMER_KEY: [&str; 2] = ["account/consumer_key", "connection/client_id"];
const CONSUMER_SECRET: [&str; 2] = ["account/consumer_secret", "connection/client_secret"];
const PRIVATE_KEY: [&str; 2] = ["account/private_key", "connection/private_key"];

/// Of a grant where there was one, else as typed: the host sees to it.
const TOKEN: &str = "account/token";
const TOKEN_SECRET: &str = "account/token_secret";
pub(crate) const GRANTED: &str = "state/access_token";
pub(crate) const GRANTED_SECRET: &str = "state/token_secret";

const REALMS: [&str; 3] = ["account/realm", "connection/realm", "pattern/oauth1/realm"];
const METHOD: &str = "pattern/oauth1/signature_method";
const PLACEMENT: &str = "pattern/oauth1/placement";
const BODY_HASH: &str = "pattern/oauth1/body_hash";
const TWO_LEGGED: &str = "pattern/oauth1/two_legged";
const LONG_KEYS: &str = "pattern/oauth1/long_keys";

/// Every value that this module looks at.
pub(crate) const READS: &[&str] = &[
    CONSUMER_KEY[0],
    CONSUMER_KEY[1],
    CONSUMER_SECRET[0],
    CONSUMER_SECRET[1],
    PRIVATE_KEY[0],
    PRIVATE_KEY[1],
    TOKEN,
    TOKEN_SECRET,
    GRANTED,
    GRANTED_SECRET,
    REALMS[0],
    REALMS[1],
    REALMS[2],
    METHOD,
    PLACEMENT,
    BODY_HASH,
    TWO_LEGGED,
    LONG_KEYS,
];

/// How a request is signed, with what the client has for it.
pub(crate) enum Method<'a> {
    HmacSha1(&'a str),
    HmacSha256(&'a str),
    RsaSha1(PrivateKey<'a>),
    Plaintext(&'a str),
}

/// In PEM, and where it stands.
pub(crate) struct PrivateKey<'a> {
    pub(crate) field: &'static str,
    pub(crate) pem: &'a str,
    /// Whether calls have the time for one that is long.
    pub(crate) long: bool,
}

impl Method<'_> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::HmacSha1(_) => "HMAC-SHA1",
            Self::HmacSha256(_) => "HMAC-SHA256",
            Self::RsaSha1(_) => "RSA-SHA1",
            Self::Plaintext(_) => "PLAINTEXT",
        }
    }
}

/// Who asks.
pub(crate) struct Client<'a> {
    pub(crate) key: &'a str,
    pub(crate) method: Method<'a>,
    pub(crate) realm: Option<&'a str>,
}

impl<'a> Client<'a> {
    /// Refuses what is missing or cannot be signed with, by its name.
    pub(crate) fn of(account: &'a Account) -> Result<Self, Refusal> {
        let own = usize::from(account.value(CONSUMER_KEY[0]).is_none());
        let secret = || account.require(CONSUMER_SECRET[own]);
        let method = match account.value(METHOD) {
            None | Some("HMAC-SHA1") => Method::HmacSha1(secret()?),
            Some("HMAC-SHA256") => Method::HmacSha256(secret()?),
            Some("RSA-SHA1") => {
                let field = PRIVATE_KEY[own];
                let (pem, long) = (account.require(field)?, account.is_true(LONG_KEYS));
                Method::RsaSha1(PrivateKey { field, pem, long })
            }
            Some("PLAINTEXT") => Method::Plaintext(secret()?),
            Some(_) => return Err(Refusal::invalid_config(METHOD, "no such method is known")),
        };
        Ok(Self { key: account.require(CONSUMER_KEY[own])?, method, realm: realm(account)? })
    }
}

/// What the client acts with for a user.
#[derive(Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) value: &'a str,
    /// May be empty, where the server that granted it says so.
    pub(crate) secret: &'a str,
}

impl<'a> Token<'a> {
    /// None for a provider that asks for none; without one, any other is refused.
    pub(crate) fn of(account: &'a Account) -> Result<Option<Self>, Refusal> {
        if account.is_true(TWO_LEGGED) {
            return Ok(None);
        }
        if account.value(GRANTED).is_some() {
            let secret = find(&account.values, GRANTED_SECRET).ok_or_else(|| {
                Refusal::reauthorize("the token came without its secret").at(GRANTED_SECRET)
            })?;
            return Ok(Some(Self { value: account.require(TOKEN)?, secret }));
        }
        let Some(value) = account.value(TOKEN) else {
            return Err(Refusal::reauthorize("there is no token yet").at(TOKEN));
        };
        Ok(Some(Self { value, secret: account.require(TOKEN_SECRET)? }))
    }
}

/// Where the parameters of the protocol go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    Header,
    Query,
}

impl Placement {
    pub(crate) fn of(account: &Account) -> Result<Self, Refusal> {
        match account.value(PLACEMENT) {
            None | Some("header") => Ok(Self::Header),
            Some("query") => Ok(Self::Query),
            Some(_) => Err(Refusal::invalid_config(PLACEMENT, "`header` or `query` is expected")),
        }
    }
}

/// Whether a body that is no form is signed by its hash.
pub(crate) fn wants_body_hash(account: &Account) -> bool {
    account.is_true(BODY_HASH)
}

/// What is wrong with the values that are there.
pub(crate) fn problems(account: &Account) -> Vec<Refusal> {
    let keys = PRIVATE_KEY.into_iter().filter_map(|field| {
        let (pem, long) = (account.value(field)?, account.is_true(LONG_KEYS));
        rsa::key(&PrivateKey { field, pem, long }).err()
    });
    keys.chain(realm(account).err()).collect()
}

/// The most particular one. It stands in quotation marks (RFC 9110, section 11.5).
fn realm(account: &Account) -> Result<Option<&str>, Refusal> {
    let given = REALMS.into_iter().find_map(|name| Some((name, account.value(name)?)));
    let Some((name, realm)) = given else { return Ok(None) };
    header::check(name, realm)?;
    if realm.contains(['"', '\\']) {
        return Err(Refusal::invalid_config(name, "a quotation mark or a backslash is in it"));
    }
    Ok(Some(realm))
}
