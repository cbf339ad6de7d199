//! One request to be authorized, out of a JSON case or out of files and the command line.
//!
//! On `Ok` provider, connection, account and state have been read, and the request is one that HTTP
//! can carry. On `Err` the failure names the place, and no value.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use countersign::Subject;
use countersign::account::{Account, State};
use countersign::body::RequestBody;
use countersign::connection::Connection;
use countersign::provider::{AuthPattern, Provider};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use serde_json::{Map, Value as Json};

use crate::arguments::Inputs;
use crate::codes;
use crate::failure::Failure;
use crate::json::{self, Object, invalid};
use crate::pattern_settings::PatternSettings;
use crate::script::Script;

/// For whom, and what.
pub(crate) struct Case {
    pub(crate) subject: Arc<Subject>,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) answers: Vec<Response<Bytes>>,
}

/// What is to be sent, whoever for.
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Message {
    /// Reads the command line, and the file of the body.
    pub(crate) fn of_inputs(inputs: &Inputs) -> Result<Self, Failure> {
        let body = match (&inputs.data, &inputs.data_file) {
            (Some(text), _) => Some(Bytes::copy_from_slice(text.as_bytes())),
            (None, Some(path)) => Some(json::read(path)?.into()),
            (None, None) => None,
        };
        let (given, path) = match inputs.target.as_slice() {
            [path] => (None, path),
            [method, path] => (Some(method.as_str()), path),
            _ => return Err(invalid("request.path", "is missing")),
        };
        let mut headers = HeaderMap::new();
        for line in &inputs.headers {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| invalid("request.headers", "is not of the form `NAME: VALUE`"))?;
            let (name, value) = header(name.trim(), value.trim(), "request.headers")?;
            headers.append(name, value);
        }
        let default = if body.is_some() { "POST" } else { "GET" };
        Ok(Self {
            method: method(given.unwrap_or(default))?,
            uri: uri(path, None)?,
            headers,
            body: body.unwrap_or_default(),
        })
    }
}

impl Case {
    /// Reads a case as docs/inject.md gives it.
    pub(crate) fn parse(json: &Json) -> Result<Self, Failure> {
        let known = ["provider", "connection", "account", "state", "request", "answers"];
        let case = Object::open(json, "", &known)?;
        let request = case.need("request")?;
        let keys = ["method", "path", "query", "headers", "body"];
        let request = Object::open(request, "request", &keys)?;
        let path = request.need("path")?;
        let path = path.as_str().ok_or_else(|| invalid("request.path", "is not text"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in request.pairs("headers")? {
            let (name, value) = header(name, value, "request.headers")?;
            headers.append(name, value);
        }
        let replies = case.list("answers")?.iter().enumerate();
        let answers = replies.map(|(n, json)| Script::reply(json, &format!("answers[{n}]")));
        Ok(Self {
            method: method(request.text("method")?.unwrap_or("GET"))?,
            uri: uri(path, request.text("query")?)?,
            headers,
            body: request.body("body")?.unwrap_or_default(),
            answers: answers.collect::<Result<_, _>>()?,
            subject: subject(
                case.need("provider")?,
                case.get("connection"),
                case.need("account")?,
                case.get("state"),
            )?,
        })
    }

    /// Reads the files that the command line names. A state file that is not there yet is none,
    /// where it `may_be_new`.
    pub(crate) fn of_inputs(inputs: &Inputs, state_may_be_new: bool) -> Result<Self, Failure> {
        let needed = |path: &Option<std::path::PathBuf>, what: &str| {
            let path = path.as_deref().ok_or_else(|| invalid(what, "is missing"))?;
            json::file(path)
        };
        let is_new = |path: &Path| state_may_be_new && !path.exists();
        let connection = inputs.connection.as_deref().map(json::file).transpose()?;
        let state = inputs.state.as_deref().filter(|path| !is_new(path));
        let state = state.map(json::file).transpose()?;
        let provider = needed(&inputs.provider, "provider")?;
        let account = needed(&inputs.account, "account")?;
        let Message { method, uri, headers, body } = Message::of_inputs(inputs)?;
        Ok(Self {
            method,
            uri,
            headers,
            body,
            answers: Vec::new(),
            subject: subject(&provider, connection.as_ref(), &account, state.as_ref())?,
        })
    }

    /// Tells what is odd about the payload, for a host that has these plugins.
    pub(crate) fn warn(&self, settings: &PatternSettings) {
        let provider = self.subject.provider();
        let auth_type = |nth| provider.auth_patterns().get(nth).map(AuthPattern::auth_type);
        let odd = provider.warnings().iter().filter(|it| !settings.explain(it, auth_type));
        for warning in odd {
            tracing::warn!(path = warning.path, fix = warning.fix, "payload: {}", warning.what);
        }
    }

    /// The request, for the library.
    pub(crate) fn request(&self) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::whole(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        request
    }
}

/// A header out of text, whose bytes are those of its UTF-8.
pub(crate) fn header(
    name: &str,
    value: &str,
    path: &str,
) -> Result<(HeaderName, HeaderValue), Failure> {
    let name = HeaderName::try_from(name)
        .map_err(|_| invalid(path, "holds a name that no header can have"))?;
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| invalid(path, "holds a value that no header can have"))?;
    Ok((name, value))
}

fn method(text: &str) -> Result<Method, Failure> {
    text.parse().map_err(|_| invalid("request.method", "is no HTTP method"))
}

/// Path and query. `#` would be cut off without a word, so it is refused.
fn uri(path: &str, query: Option<&str>) -> Result<Uri, Failure> {
    let query = query.filter(|query| !query.is_empty());
    if query.is_some() && path.contains('?') {
        return Err(invalid("request.path", "holds a query beside `query`"));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mark = if query.is_some() { "?" } else { "" };
    let text = format!("{slash}{path}{mark}{}", query.unwrap_or_default());
    if text.contains('#') {
        return Err(invalid("request.path", "holds `#`; write it as %23"));
    }
    let parsed = text.parse::<http::uri::PathAndQuery>();
    Ok(parsed.map_err(|_| invalid("request.path", "is no path that can be sent"))?.into())
}

fn subject(
    provider: &Json,
    connection: Option<&Json>,
    account: &Json,
    state: Option<&Json>,
) -> Result<Arc<Subject>, Failure> {
    let document = |code| move |problems| Failure::document(code, &problems);
    let provider = Provider::parse(provider).map_err(document(codes::PROVIDER_INVALID))?;
    let none = Json::Object(Map::new());
    let connection = Connection::parse(connection.unwrap_or(&none))
        .map_err(document(codes::CONNECTION_INVALID))?;
    let mut account = Account::parse(account).map_err(document(codes::ACCOUNT_INVALID))?;
    if let Some(state) = state {
        let state = State::parse(state).map_err(document(codes::STATE_INVALID))?;
        account = account.with_state(Some(state));
    }
    let subject = Subject::new("", provider.into(), connection.into(), account.into());
    Ok(Arc::new(subject.map_err(countersign::Error::from)?))
}
