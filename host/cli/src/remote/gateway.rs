//! One gateway: where it is, by whom it is called, and one call.
//!
//! Once there is a [`Gateway`], its URL is one that credentials may be sent to and there is a token.
//! A redirect is not followed and no proxy of the environment is used, so that both go nowhere else.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use countersign::secret::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value as Json;
use url::{Host, Url, form_urlencoded};
use zeroize::{Zeroize as _, Zeroizing};

use super::fault;
use crate::arguments::{self, Trust};
use crate::codes;
use crate::failure::Failure;
use crate::json;

/// A gateway that does not accept a connection for as long is not there.
const CONNECTING: Duration = Duration::from_secs(10);

/// A call of the management API takes milliseconds; one that takes as long does not end.
const CALLING: Duration = Duration::from_mins(1);

/// A gateway, and a token for it.
pub(crate) struct Gateway {
    http: Client,
    base: Url,
    authorization: HeaderValue,
}

/// Who calls, as the environment says it: `COUNTERSIGN_` and a word, then `TOKEN`, or `CLIENT_ID` and
/// `CLIENT_SECRET`.
enum Credentials {
    Token(Secret),
    Client(String, Secret),
}

impl Gateway {
    /// The one that the command line names.
    pub(super) async fn open(arguments: &arguments::Gateway) -> Result<Self, Failure> {
        Self::connect(&arguments.url, &arguments.trust, "").await
    }

    /// The same with credentials of this word, `FROM_` for example.
    pub(super) async fn connect(url: &str, trust: &Trust, word: &str) -> Result<Self, Failure> {
        let base = checked(url, trust.insecure_http)?;
        let credentials = Credentials::of_environment(word)?;
        let http = client(trust.ca.as_deref())?;
        let token = match credentials {
            Credentials::Token(token) => token,
            Credentials::Client(id, secret) => token(&http, &base, &id, &secret).await?,
        };
        Self::with(http, base, &token)
    }

    /// The one at this URL, called by this client; and the token that it got.
    pub(crate) async fn signed_in(
        url: &str,
        id: &str,
        secret: &Secret,
    ) -> Result<(Self, Secret), Failure> {
        let base = checked(url, false)?;
        let http = client(None)?;
        let token = token(&http, &base, id, secret).await?;
        Ok((Self::with(http, base, &token)?, token))
    }

    fn with(http: Client, base: Url, token: &Secret) -> Result<Self, Failure> {
        let header = Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut authorization = HeaderValue::from_str(&header).map_err(|_| {
            let what = "the token is none that a header can carry";
            Failure::new(codes::CREDENTIALS_MISSING, what)
        })?;
        authorization.set_sensitive(true);
        Ok(Self { http, base, authorization })
    }

    /// For messages.
    pub(super) fn host(&self) -> String {
        host(&self.base)
    }

    /// A call of the management API; the path's parts are below `/api/v1`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Json, Failure> {
        let mut url = below(&self.base, &[&["api", "v1"], path].concat());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url).timeout(CALLING);
        request = request.header(ACCEPT, "application/json");
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let request = request.header(AUTHORIZATION, self.authorization.clone());
        answer(&self.base, request).await
    }

    /// All rows of a list, page by page.
    pub(super) async fn all(
        &self,
        rows: &str,
        query: &[(&str, &str)],
        page_size: &str,
    ) -> Result<Vec<Json>, Failure> {
        let mut all = Vec::new();
        let mut token = String::new();
        loop {
            let mut query = query.to_vec();
            query.extend([("page_size", page_size), ("page_token", &token)]);
            query.retain(|(_, value)| !value.is_empty());
            let mut page = self.call(Method::GET, &[rows], &query, None).await?;
            if let Some(more) = page[rows].as_array_mut() {
                all.append(more);
            }
            match page["next_page_token"].as_str() {
                Some(next) if !next.is_empty() && next != token => token = next.to_owned(),
                _ => return Ok(all),
            }
        }
    }

    /// A request through the proxy. `path` begins with a slash and holds no dot segment.
    pub(super) async fn proxied(
        &self,
        path: &str,
        made: impl FnOnce(&Client, Url) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let mut url = below(&self.base, &["proxy"]);
        let (path, query) = path.split_once('?').map_or((path, None), |(a, b)| (a, Some(b)));
        url.set_path(&format!("{}{path}", url.path()));
        url.set_query(query);
        let request = made(&self.http, url).header(AUTHORIZATION, self.authorization.clone());
        request.send().await.map_err(|error| fault::unreachable(&self.host(), error))
    }
}

impl Credentials {
    fn of_environment(word: &str) -> Result<Self, Failure> {
        let name = |what: &str| format!("COUNTERSIGN_{word}{what}");
        let value = |what: &str| std::env::var(name(what)).ok().filter(|it| !it.is_empty());
        if let Some(token) = value("TOKEN") {
            return Ok(Self::Token(Secret::new(token)));
        }
        if let (Some(id), Some(secret)) = (value("CLIENT_ID"), value("CLIENT_SECRET")) {
            return Ok(Self::Client(id, Secret::new(secret)));
        }
        let (token, id, secret) = (name("TOKEN"), name("CLIENT_ID"), name("CLIENT_SECRET"));
        let what = format!("neither {token} is set, nor {id} and {secret} both");
        Err(Failure::new(codes::CREDENTIALS_MISSING, what))
    }
}

/// What speaks to a gateway, and trusts these authorities as well.
fn client(ca: Option<&Path>) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECTING)
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = ca {
        let bundle = reqwest::Certificate::from_pem_bundle(&json::read(path)?);
        let bundle = bundle.ok().filter(|it| !it.is_empty()).ok_or_else(|| {
            let what = format!("{} holds no certificate in PEM", path.display());
            Failure::new(codes::FILE_UNREADABLE, what).at("--ca")
        })?;
        builder = builder.tls_certs_merge(bundle);
    }
    builder.build().map_err(|error| {
        let error = anyhow::Error::new(error);
        Failure::new(codes::HOST_UNUSABLE, format!("setting up HTTP: {error:#}"))
    })
}

/// A URL that credentials may be sent to.
fn checked(text: &str, insecure_http: bool) -> Result<Url, Failure> {
    let refused = |what: &str| Err(Failure::new(codes::GATEWAY_URL, what).at("--url"));
    let Ok(url) = text.parse::<Url>() else { return refused("the gateway's URL is none") };
    let own = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => return refused("the gateway's URL has no host"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused("the gateway's URL holds credentials");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("the gateway's URL holds a query or a fragment");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if own || insecure_http => Ok(url),
        "http" => refused(&format!(
            "{} is another machine, and http would show it the credentials on the way: use https, \
             or --insecure-http",
            host(&url)
        )),
        _ => refused("the gateway's URL begins with neither https: nor http:"),
    }
}

fn host(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The URL with these segments after it, each as one.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        for segment in segments {
            // One of dots alone would be passed over, and the call would mean something else.
            let dots = !segment.is_empty() && segment.chars().all(|c| c == '.');
            path.push(if dots { "..." } else { segment });
        }
    }
    url
}

/// RFC 6749, section 4.4.
async fn token(http: &Client, base: &Url, id: &str, secret: &Secret) -> Result<Secret, Failure> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    form.append_pair("client_id", id).append_pair("client_secret", secret.expose());
    let request = http.post(below(base, &["oauth", "token"])).timeout(CALLING);
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let mut answer = answer(base, request.body(form.finish())).await?;
    match answer["access_token"].take() {
        Json::String(token) if !token.is_empty() => Ok(Secret::new(token)),
        _ => Err(Failure::new(codes::GATEWAY_UNREADABLE, "the answer holds no token")),
    }
}

/// The answer's JSON, or what the gateway does not like.
async fn answer(base: &Url, request: RequestBuilder) -> Result<Json, Failure> {
    let unreachable = |error| fault::unreachable(&host(base), error);
    let reply = request.send().await.map_err(unreachable)?;
    let status = reply.status();
    let mut body = Vec::from(reply.bytes().await.map_err(unreachable)?);
    if !status.is_success() {
        return Err(fault::refusal(status, &body));
    }
    let json = serde_json::from_slice(&body).map_err(|_| {
        let what = format!("the answer of {} is not JSON", host(base));
        Failure::new(codes::GATEWAY_UNREADABLE, what)
    });
    body.zeroize();
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_unencrypted_to_this_machine_alone_unless_it_is_said() {
        for (url, insecure, good) in [
            ("http://127.0.0.1:8087", false, true),
            ("http://[::1]:8087/", false, true),
            ("http://localhost", false, true),
            ("https://gateway.example.com/prefix", false, true),
            ("http://gateway.example.com", false, false),
            ("http://127.0.0.1.example.com", false, false),
            ("http://localhost.example.com", false, false),
            ("http://10.0.0.1", false, false),
            ("http://10.0.0.1", true, true),
            ("ftp://127.0.0.1", true, false),
            ("https://user:pass@gateway.example.com", false, false),
            ("https://gateway.example.com?x=1", false, false),
            ("gateway", false, false),
        ] {
            assert_eq!(checked(url, insecure).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn a_name_stays_one_segment() {
        let base = "https://h.example/a/".parse().unwrap();
        for (name, expected) in [
            ("a/b", "https://h.example/a/x/a%2Fb"),
            ("..", "https://h.example/a/x/..."),
            ("a?b#c", "https://h.example/a/x/a%3Fb%23c"),
        ] {
            assert_eq!(below(&base, &["x", name]).as_str(), expected);
        }
    }
}
