//! The parameters of the protocol (section 3.1) for one request, and where they are written.

use countersign_plugin::{Context, Edit, Refusal};

use crate::{
    base::{Parameters, Target, are_signable},
    encoding::encoded,
    settings::{Client, Token},
};

/// What a request must not bring along, since no parameter may come twice. A caller's own that stand
/// in the query are taken away by the host, as far as the plugin may write them.
pub(crate) const NAMES: [&str; 10] = [
    "oauth_consumer_key",
    "oauth_token",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_version",
    "oauth_body_hash",
    "oauth_signature",
    "oauth_callback",
    "oauth_verifier",
];

/// Random bytes of a nonce: 30 hexadecimal digits, as long as the strictest servers take.
const NONCE: u32 = 15;

/// A request, as far as it is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a Target<'a>,
    /// The body, where it is a form; else nothing.
    pub(crate) form: &'a [u8],
}

/// What makes one request another than the next.
pub(crate) struct Once {
    /// Seconds.
    pub(crate) timestamp: u64,
    pub(crate) nonce: String,
}

impl Once {
    pub(crate) fn new(cx: &Context) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
        let bytes = cx.random(NONCE);
        let nonce = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect();
        Self { timestamp: cx.now() / 1000, nonce }
    }
}

/// The parameters, the signature last; without the realm, which is not signed.
pub(crate) struct Protocol<'a>(Vec<(&'a str, String)>);

impl<'a> Protocol<'a> {
    /// Those of a request that is not signed yet. `more` are those of this kind of request.
    pub(crate) fn new(
        client: &Client<'_>,
        token: Option<Token<'_>>,
        once: Once,
        more: &[(&'a str, &str)],
    ) -> Self {
        let mut parameters = vec![("oauth_consumer_key", client.key.to_owned())];
        parameters.extend(token.map(|token| ("oauth_token", token.value.to_owned())));
        parameters.extend([
            ("oauth_signature_method", client.method.name().to_owned()),
            ("oauth_timestamp", once.timestamp.to_string()),
            ("oauth_nonce", once.nonce),
            ("oauth_version", "1.0".to_owned()),
        ]);
        parameters.extend(more.iter().map(|&(name, value)| (name, value.to_owned())));
        Self(parameters)
    }

    /// What is signed of a request with these. A form or query that has any of its own is refused.
    pub(crate) fn base_string(&self, signed: &Signed<'_>) -> Result<String, Refusal> {
        let (query, form) = (signed.target.query.as_bytes(), signed.form);
        if !are_signable([query, form]) {
            return Err(Refusal::invalid_request(
                "the request has too many parameters to be signed",
            ));
        }
        let mut parameters = Parameters::default();
        parameters.add_form(query);
        parameters.add_form(form);
        if NAMES.into_iter().any(|name| parameters.has(name)) {
            return Err(Refusal::invalid_request("the request brings parameters of OAuth along"));
        }
        for (name, value) in &self.0 {
            parameters.add(name, value);
        }
        Ok(signed.target.base_string(signed.method, parameters))
    }

    pub(crate) fn sign(
        mut self,
        cx: &Context,
        client: &Client<'_>,
        token: Option<Token<'_>>,
        base: &str,
    ) -> Result<Self, Refusal> {
        let secret = token.map_or("", |token| token.secret);
        self.0.push(("oauth_signature", client.sign(cx, secret, base)?));
        Ok(self)
    }

    /// What goes into the header `Authorization` (section 3.5.1).
    pub(crate) fn authorization(&self, realm: Option<&str>) -> String {
        let realm = realm.map(|realm| ["realm=\"", realm, "\""].concat());
        let parameters = self
            .0
            .iter()
            .map(|(name, value)| [name, "=\"", &encoded(value.as_bytes()), "\""].concat());
        let parts: Vec<String> = realm.into_iter().chain(parameters).collect();
        ["OAuth ", &parts.join(", ")].concat()
    }

    /// What goes into the query (section 3.5.3).
    pub(crate) fn query(&self) -> Vec<Edit> {
        self.0.iter().map(|(name, value)| Edit::query(name, value)).collect()
    }
}
