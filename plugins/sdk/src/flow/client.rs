//! The OAuth client: who asks the token endpoint, and how it proves that.

use crate::{Account, HttpRequest, Refusal, base64, form};

const METHOD: &str = "pattern/oauth_config/token_endpoint_auth_method";

/// A connection's client id, with its secret where it has one.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// `connection/client_id`.
    pub id: &'a str,
    proof: Proof<'a>,
}

/// RFC 6749, section 2.3.1, under the names of RFC 7591, section 2.
#[derive(Clone, Copy)]
enum Proof<'a> {
    Basic(&'a str),
    Post(&'a str),
    None,
}

impl<'a> Client<'a> {
    /// The connection's. Without `token_endpoint_auth_method` a secret goes by Basic, which is the
    /// way that every server must know.
    pub fn of(account: &'a Account) -> Result<Self, Refusal> {
        let id = account.require("connection/client_id")?;
        let secret = || account.require("connection/client_secret");
        let proof = match account.value(METHOD) {
            None => account.value("connection/client_secret").map_or(Proof::None, Proof::Basic),
            Some("client_secret_basic") => Proof::Basic(secret()?),
            Some("client_secret_post") => Proof::Post(secret()?),
            Some("none") => Proof::None,
            Some(_) => return Err(Refusal::invalid_config(METHOD, "no such method is supported")),
        };
        Ok(Self { id, proof })
    }

    /// The form, sent to `url` as this client.
    pub fn post(&self, url: &str, pairs: &[(&str, &str)]) -> HttpRequest {
        let mut pairs = pairs.to_vec();
        let mut authorization = None;
        match self.proof {
            Proof::Basic(secret) => {
                let both = [&form::encode(self.id), ":", &form::encode(secret)].concat();
                authorization = Some(["Basic ", &base64::standard(both.as_bytes())].concat());
            }
            Proof::Post(secret) => {
                pairs.extend([("client_id", self.id), ("client_secret", secret)]);
            }
            Proof::None => pairs.push(("client_id", self.id)),
        }
        let mut request = form_request(url, &pairs);
        request.headers.extend(authorization.map(|value| ("authorization".to_owned(), value)));
        request
    }
}

/// A form to post, for an answer in JSON.
pub fn form_request(url: &str, pairs: &[(&str, &str)]) -> HttpRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    HttpRequest {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![
            header("accept", "application/json"),
            header("content-type", "application/x-www-form-urlencoded"),
        ],
        body: form::join(pairs.iter().copied()).into_bytes(),
    }
}

#[cfg(test)]
mod tests;
