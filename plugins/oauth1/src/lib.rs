//! OAUTH1: requests signed by OAuth 1.0a (RFC 5849).
//!
//! A request carries the client's key, the user's token, a time, a nonce that is used once, and a
//! signature over all of that, the method, the URL, the query, and the body where it is a form. So
//! each is signed anew, also when it is sent again, and the plugin asks to see the body of a form, and
//! of no other request but where the body's hash is wanted. The token and its secret come from a
//! grant, or were typed. Sections are those of the RFC.
//!
//! `authorize` is here, the grant in [`steps`].

mod base;
mod cursor;
mod encoding;
mod protocol;
mod rsa;
mod settings;
mod signature;
mod steps;
mod temporary;

use countersign_plugin::{
    Account, BodyView, Context, Descriptor, Edit, Input, Outcome, Plugin, Ready, Refusal,
    RequestView, export_flow_plugin,
};

use base::Target;
use protocol::{NAMES, Once, Protocol, Signed};
use settings::{Client, Method, Placement, Token};

const REQUEST_TOKEN_URI: &str = "pattern/oauth_config/request_token_uri";
const AUTHORIZE_URI: &str = "pattern/oauth_config/authorize_uri";
const TOKEN_URI: &str = "pattern/oauth_config/token_uri";

const CONTENT_TYPE: &str = "header/content-type";
const BODY: &str = "body/bytes";

/// Bytes of a body that is signed: as many as a call has the time for.
const MOST_BODY: usize = 64 << 10;

/// The plugin.
pub struct OAuth1;

impl Plugin for OAuth1 {
    fn descriptor() -> Descriptor {
        let queries: Vec<String> =
            NAMES[..8].iter().map(|name| ["query/", name].concat()).collect();
        Descriptor::builder("OAUTH1")
            .title("OAuth 1.0a", env!("CARGO_PKG_VERSION"))
            .flows(&["grant"])
            .pattern(&[
                Input::optional("oauth1/signature_method", "Signature method"),
                Input::optional("oauth1/placement", "Placement: header or query"),
                Input::optional("oauth1/realm", "Realm"),
                Input::optional("oauth1/body_hash", "Whether a body's hash is signed"),
                Input::optional("oauth1/two_legged", "Whether there is no token"),
                Input::optional("oauth1/long_keys", "Whether calls have the time for long keys"),
            ])
            .connection(&[
                Input::optional("client_id", "Consumer key"),
                Input::optional("client_secret", "Consumer secret").secret(),
                Input::optional("private_key", "Private key, for RSA-SHA1").secret(),
                Input::optional("realm", "Realm"),
            ])
            .account(&[
                Input::optional("token", "Token").secret(),
                Input::optional("token_secret", "Token secret").secret(),
                Input::optional("consumer_key", "Consumer key"),
                Input::optional("consumer_secret", "Consumer secret").secret(),
                Input::optional("private_key", "Private key, for RSA-SHA1").secret(),
                Input::optional("realm", "Realm"),
            ])
            .read(settings::READS)
            .read(steps::READS)
            .read(&[CONTENT_TYPE, BODY])
            .write(&["header/authorization", settings::GRANTED, settings::GRANTED_SECRET])
            .write(&queries.iter().map(String::as_str).collect::<Vec<_>>())
            .write(&[steps::LEARNT])
            .fetch(&[REQUEST_TOKEN_URI, TOKEN_URI])
            .visit(&[AUTHORIZE_URI])
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        settings::problems(account)
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let client = Client::of(account)?;
        let token = Token::of(account)?;
        let placement = Placement::of(account)?;
        let hashed = settings::wants_body_hash(account);
        let mut more = Vec::new();
        let (hash, base);
        if matches!(client.method, Method::Plaintext(_)) {
            // Nothing of the request is in it.
            base = None;
        } else {
            let Some(request) = request else { return Ok(shown(&[CONTENT_TYPE])) };
            let is_form = is_form(request)?;
            let body = if is_form || hashed { body(request)? } else { Some(&b""[..]) };
            let Some(body) = body else { return Ok(shown(&[CONTENT_TYPE, BODY])) };
            if hashed && !is_form {
                hash = client.body_hash(body);
                more.push(("oauth_body_hash", hash.as_str()));
            }
            base = Some((request, if is_form { body } else { b"" }));
        }
        let protocol = Protocol::new(&client, token, Once::new(cx), &more);
        let base = match base {
            None => String::new(),
            Some((request, form)) => {
                let target = Target::of(&request.url).ok_or_else(|| {
                    Refusal::invalid_request("the URL of this request cannot be signed")
                })?;
                protocol.base_string(&Signed { method: &request.method, target: &target, form })?
            }
        };
        let protocol = protocol.sign(cx, &client, token, &base)?;
        let edits = match placement {
            Placement::Header => {
                vec![Edit::header("authorization", &protocol.authorization(client.realm))]
            }
            Placement::Query => protocol.query(),
        };
        Ok(Ready::once(edits).into())
    }
}

export_flow_plugin!(OAuth1);

fn shown(names: &[&str]) -> Outcome {
    Outcome::Show(names.iter().map(|&name| name.to_owned()).collect())
}

/// Whether the body's parameters are signed (section 3.4.1.3.1).
fn is_form(request: &RequestView) -> Result<bool, Refusal> {
    let mut types = request.headers.iter().filter(|(name, _)| name == "content-type");
    let kind = types.next().map_or("", |(_, value)| value.as_str());
    if types.next().is_some() {
        return Err(Refusal::invalid_request("the request has several content types"));
    }
    let kind = kind.split(';').next().unwrap_or_default().trim();
    Ok(kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The body, or None where it is yet to be shown.
///
/// The host shows none that is longer than what it reads ahead, which no plugin is told: one that is
/// too long for both is refused here, and what is too long for the host alone, by the host.
fn body(request: &RequestView) -> Result<Option<&[u8]>, Refusal> {
    let length = match &request.body {
        BodyView::Bytes(bytes) if bytes.len() <= MOST_BODY => return Ok(Some(bytes)),
        BodyView::Bytes(bytes) => Some(bytes.len() as u64),
        BodyView::Unseen(Some(0)) => return Ok(Some(b"")),
        BodyView::Unseen(length) => *length,
        BodyView::Digest(_) => None,
    };
    if length.is_some_and(|length| length > MOST_BODY as u64) {
        return Err(Refusal::invalid_request("the body is too long to be signed"));
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
