//! What was granted, and to whom.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Request;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{LOGIN, form};

/// The one client. Its secret has characters that Basic must encode (RFC 6749, section 2.3.1).
pub const CLIENT_ID: &str = "client:1";
/// See [`CLIENT_ID`].
pub const CLIENT_SECRET: &str = "s3cr&t+of the client";

/// How long an access token lasts, in seconds.
const LIFETIME: u64 = 3600;

/// How the client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `Authorization: Basic`.
    Basic,
    /// In the form.
    Post,
    /// Not at all: a public client.
    None,
}

/// What a user's consent ends in.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Good at the API.
    pub access: String,
    /// Good once.
    pub refresh: String,
}

struct Code {
    challenge: String,
    redirect_uri: String,
    scope: Option<String>,
}

pub(super) struct Grants {
    auth: ClientAuth,
    /// Counted up, so that no two tokens are equal.
    next: usize,
    codes: HashMap<String, Code>,
    /// By refresh token: its family, and whether it was used.
    refresh: HashMap<String, (usize, bool)>,
    /// By access token: its family.
    access: HashMap<String, usize>,
    revoked: HashSet<usize>,
    pub(super) reused: bool,
}

type Form = [(String, String)];

impl Grants {
    pub(super) fn new(auth: ClientAuth) -> Self {
        Self {
            auth,
            next: 0,
            codes: HashMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            revoked: HashSet::new(),
            reused: false,
        }
    }

    /// Tokens of this family, or of a new one.
    pub(super) fn issue(&mut self, family: Option<usize>) -> Tokens {
        self.next += 1;
        let family = family.unwrap_or(self.next);
        let tokens = Tokens {
            access: format!("access-token-{}", self.next),
            refresh: format!("refresh-token-{}", self.next),
        };
        self.access.insert(tokens.access.clone(), family);
        self.refresh.insert(tokens.refresh.clone(), (family, false));
        tokens
    }

    pub(super) fn consent(&mut self, page: &Url) -> Vec<(String, String)> {
        let asked: HashMap<String, String> = page.query_pairs().into_owned().collect();
        assert_eq!(page.host_str(), Some(LOGIN));
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT_ID);
        assert_eq!(asked["code_challenge_method"], "S256");
        self.next += 1;
        let code = format!("code-{}", self.next);
        let granted = Code {
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            scope: asked.get("scope").cloned(),
        };
        self.codes.insert(code.clone(), granted);
        vec![
            ("code".to_owned(), code),
            ("state".to_owned(), asked["state"].clone()),
            ("iss".to_owned(), format!("https://{LOGIN}")),
        ]
    }

    pub(super) fn knows(&self, access: &str) -> bool {
        self.access.get(access).is_some_and(|family| !self.revoked.contains(family))
    }

    pub(super) fn reject(&mut self, access: &str) {
        self.access.remove(access);
    }

    /// RFC 6749, section 5: tokens, or the code of an error.
    pub(super) fn token(
        &mut self,
        request: &Request<Bytes>,
        form: &Form,
    ) -> Result<Json, &'static str> {
        self.client(request, form)?;
        match find(form, "grant_type") {
            Some("authorization_code") => {
                let code = find(form, "code").ok_or("invalid_request")?;
                let granted = self.codes.remove(code).ok_or("invalid_grant")?;
                let verifier = find(form, "code_verifier").ok_or("invalid_grant")?;
                let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
                if challenge != granted.challenge
                    || find(form, "redirect_uri") != Some(&granted.redirect_uri)
                {
                    return Err("invalid_grant");
                }
                let mut answer = answer(&self.issue(None));
                if let Some(scope) = granted.scope {
                    answer["scope"] = scope.into();
                }
                Ok(answer)
            }
            Some("refresh_token") => {
                let refresh = find(form, "refresh_token").ok_or("invalid_request")?;
                let (family, used) = *self.refresh.get(refresh).ok_or("invalid_grant")?;
                if used {
                    self.reused = true;
                    self.revoked.insert(family);
                }
                if self.revoked.contains(&family) {
                    return Err("invalid_grant");
                }
                self.refresh.insert(refresh.to_owned(), (family, true));
                Ok(answer(&self.issue(Some(family))))
            }
            Some("client_credentials") if self.auth != ClientAuth::None => {
                let mut answer = answer(&self.issue(None));
                // Section 4.4.3: there should be none.
                if let Some(answer) = answer.as_object_mut() {
                    answer.remove("refresh_token");
                }
                Ok(answer)
            }
            _ => Err("unsupported_grant_type"),
        }
    }

    /// RFC 7009. `false` where the client is not who it says.
    pub(super) fn revoke(&mut self, request: &Request<Bytes>, form: &Form) -> bool {
        if self.client(request, form).is_err() {
            return false;
        }
        let token = find(form, "token").unwrap_or_default();
        let family = self.access.get(token).copied();
        let family = family.or_else(|| self.refresh.get(token).map(|(family, _)| *family));
        self.revoked.extend(family);
        true
    }

    /// The client proves itself as it was registered, and in no other way beside it.
    fn client(&self, request: &Request<Bytes>, form: &Form) -> Result<(), &'static str> {
        let given = (find(form, "client_id"), find(form, "client_secret"));
        let good = match (self.auth, basic(request)) {
            (ClientAuth::Basic, Some((id, secret))) => {
                id == CLIENT_ID && secret == CLIENT_SECRET && given == (None, None)
            }
            (ClientAuth::Post, None) => given == (Some(CLIENT_ID), Some(CLIENT_SECRET)),
            (ClientAuth::None, None) => given == (Some(CLIENT_ID), None),
            _ => false,
        };
        if good { Ok(()) } else { Err("invalid_client") }
    }
}

/// User name and password of Basic, each decoded as a form is.
fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| form(text.as_bytes()).pop().map(|(name, _)| name);
    Some((decoded(id)?, decoded(secret)?))
}

fn answer(tokens: &Tokens) -> Json {
    json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "refresh_token": tokens.refresh,
    })
}

fn find<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    let mut found = form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let first = found.next();
    if found.next().is_some() { None } else { first }
}
