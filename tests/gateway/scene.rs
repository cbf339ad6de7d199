//! A running gateway, as a caller that may do everything has it.

use std::path::Path;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value as Json, json};

use crate::process::Process;

/// The id of the first client, and its secret.
pub(crate) const CLIENT: (&str, &str) = ("ops", "sks_of-the-suite-0123456789abcdefgh");

/// Who calls a gateway. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Gateway {
    url: String,
    pub(crate) http: Client,
    pub(crate) token: String,
}

/// A status, and a document.
pub(crate) type Answer = (u16, Json);

/// No answer came.
pub(crate) type Lost = reqwest::Error;

impl Gateway {
    /// Starts one on this folder, with [`CLIENT`].
    pub(crate) async fn start(folder: &Path, more: &[&str]) -> (Process, Self) {
        let (id, secret) = CLIENT;
        let variables = [("COUNTERSIGN_CLIENT_ID", id), ("COUNTERSIGN_CLIENT_SECRET", secret)];
        let process = Process::serve_with(folder, more, &variables);
        let gateway = Self::of(&process, CLIENT).await;
        (process, gateway)
    }

    /// That of a process that is ready, and knows this client.
    pub(crate) async fn of(process: &Process, client: (&str, &str)) -> Self {
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.build().unwrap();
        let url = process.url().to_owned();
        let mut gateway = Self { url, http, token: String::new() };
        let answer = gateway.ask_token(client).await;
        assert_eq!(answer.0, 200, "{}", answer.1["error"]);
        text(&answer.1["access_token"]).clone_into(&mut gateway.token);
        gateway
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) async fn ask_token(&self, (id, secret): (&str, &str)) -> Answer {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let request = self.http.post(self.url("/oauth/token")).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        document(request.send().await.unwrap()).await.unwrap()
    }

    /// A call of the management API. Null is no body.
    pub(crate) fn request(&self, method: &str, path: &str, body: &Json) -> RequestBuilder {
        let method = method.parse().unwrap();
        let request = self.http.request(method, self.url(&format!("/api/v1{path}")));
        let request = request.bearer_auth(&self.token);
        if body.is_null() {
            return request;
        }
        request.header("content-type", "application/json").body(body.to_string())
    }

    /// Sends one, to a gateway that may be killed meanwhile.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Json) -> Result<Answer, Lost> {
        document(self.request(method, path, body).send().await?).await
    }

    /// Sends one, which succeeds.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Json) -> Json {
        let (status, json) = self.ask(method, path, body).await.unwrap();
        assert!(is_well(status), "{method} {path}: {status} {json}");
        json
    }

    pub(crate) async fn get(&self, path: &str) -> Json {
        self.call("GET", path, &Json::Null).await
    }

    /// A provider and a connection to it; the provider's identifier and the connection's id.
    pub(crate) async fn connect(
        &self,
        payload: &Json,
        name: &str,
        settings: &Json,
    ) -> (String, String) {
        let made = self.call("POST", "/custom-providers", payload).await;
        let provider = text(&made["provider"]["identifier"]).to_owned();
        let mut connection = json!({"provider_key": provider, "key_id": name});
        if !settings.is_null() {
            connection["oauth_config"] = settings.clone();
        }
        let made = self.call("POST", "/connections", &json!({"connection": connection})).await;
        (provider, text(&made["connection"]["id"]).to_owned())
    }

    /// An account with these details.
    pub(crate) async fn account(&self, connection: &str, identifier: &str, details: &Json) -> Json {
        let body = account(connection, identifier, details);
        self.call("POST", "/connected_accounts", &body).await["connected_account"].clone()
    }

    /// A request through the proxy.
    pub(crate) fn proxied(
        &self,
        method: &str,
        path: &str,
        (connection, identifier): (&str, &str),
    ) -> RequestBuilder {
        let method = method.parse().unwrap();
        let request = self.http.request(method, self.url(&format!("/proxy{path}")));
        let request = request.bearer_auth(&self.token);
        request.header("connection_name", connection).header("identifier", identifier)
    }
}

/// The body that makes an account, or changes one.
pub(crate) fn account(connection: &str, identifier: &str, details: &Json) -> Json {
    json!({"connector": connection, "identifier": identifier,
        "connected_account": {"authorization_details": details}})
}

/// The name of an account, as a query.
pub(crate) fn named(connection: &str, identifier: &str) -> String {
    format!("connector={connection}&identifier={identifier}")
}

/// The details of an account of a static type.
pub(crate) fn values(values: &Json) -> Json {
    json!({"static_auth": {"details": values}})
}

/// A payload of the reference, untouched.
pub(crate) fn payload(name: &str) -> Json {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/payloads");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The one of bearer tokens, of another name and place.
pub(crate) fn bearer(name: &str, url: &str) -> Json {
    let mut payload = payload("bearer");
    payload["display_name"] = name.into();
    payload["proxy_url"] = url.into();
    payload
}

pub(crate) fn text(json: &Json) -> &str {
    json.as_str().unwrap()
}

async fn document(answer: Response) -> Result<Answer, Lost> {
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await?;
    Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
}

/// A call that makes something answers with 201.
pub(crate) fn is_well(status: u16) -> bool {
    (200..300).contains(&status)
}
