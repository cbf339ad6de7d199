//! A script in place of the network: it answers in order, and keeps what it was asked.
//!
//! Nothing is compared here: a run goes to its end, and what it asked for is held against the case
//! afterwards, so that all differences are seen at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use countersign::Sender;
use countersign::body::RequestBody;
use countersign::egress::{EgressError, Phase, Route};
use countersign::flow::Fetcher;
use http::{HeaderName, Request, Response};
use http_body_util::BodyExt as _;

use crate::case::{Answer, Exchange, Failing, Reply, header_value};

/// A request as it would have been sent.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) url: String,
    /// In values each character is one byte.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The names of the values that it is sent with: a chain and its key.
    pub(crate) certificate: Option<[String; 2]>,
}

impl Message {
    pub(crate) fn of<B>(request: &Request<B>, body: &[u8], route: &Route) -> Self {
        let latin1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
        let headers = request.headers().iter();
        Self {
            method: request.method().to_string(),
            url: request.uri().to_string(),
            headers: headers.map(|(name, it)| (name.to_string(), latin1(it.as_bytes()))).collect(),
            body: body.to_vec(),
            certificate: route.certificate().map(|it| it.names().map(str::to_owned)),
        }
    }
}

/// Answers to the requests of one kind.
pub(crate) struct Script {
    answers: Vec<Answer>,
    /// Where the answers run out, whether the last is given again: for a run that is changed on
    /// purpose.
    goes_on: bool,
    asked: Mutex<Vec<Message>>,
}

impl Script {
    pub(crate) fn new(exchanges: &[Exchange], goes_on: bool) -> Arc<Self> {
        let answers = exchanges.iter().map(|it| it.answer.clone()).collect();
        Arc::new(Self { answers, goes_on, asked: Mutex::default() })
    }

    /// What it was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Message> {
        self.record().clone()
    }

    fn record(&self) -> MutexGuard<'_, Vec<Message>> {
        // Each change is whole by itself.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, asked: Message, host: &str) -> Result<Response<Bytes>, EgressError> {
        let nth = {
            let mut record = self.record();
            record.push(asked);
            record.len() - 1
        };
        let last = self.goes_on.then(|| self.answers.last()).flatten();
        match self.answers.get(nth).or(last) {
            Some(Answer::Reply(it)) => Ok(response(it)),
            Some(Answer::Nothing(why)) => Err(failing(*why, host)),
            // One of the errors that end a flow at once: the plugin would make its own story of
            // another.
            None => Err(EgressError::AddressRefused { host: host.into() }),
        }
    }
}

#[async_trait]
impl Fetcher for Script {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        self.fetch_by(Route::default(), request, limit, deadline).await
    }

    /// Nothing leaves, and what was asked of the connection is kept.
    async fn fetch_by(
        &self,
        route: Route,
        request: Request<Bytes>,
        limit: usize,
        _: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        // What the real way out refuses before it dials.
        if request.uri().scheme_str() != Some("https") {
            return Err(EgressError::Scheme { host: host.as_str().into() });
        }
        let answer = self.answer(Message::of(&request, request.body(), &route), &host)?;
        if answer.body().len() > limit {
            return Err(EgressError::TooLarge { host: host.as_str().into(), limit });
        }
        Ok(answer)
    }
}

#[async_trait]
impl Sender for Script {
    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Bytes>, EgressError> {
        self.send_by(Route::default(), request).await
    }

    /// As with fetches.
    async fn send_by(
        &self,
        route: Route,
        request: Request<RequestBody>,
    ) -> Result<Response<Bytes>, EgressError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| EgressError::BodyAborted)?.to_bytes();
        let request = Request::from_parts(parts, ());
        self.answer(Message::of(&request, &body, &route), &host)
    }
}

fn response(reply: &Reply) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(reply.body.clone()));
    // Both were found good when the case was read.
    if let Ok(status) = reply.status.try_into() {
        *response.status_mut() = status;
    }
    for (name, value) in &reply.headers {
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), header_value(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn failing(why: Failing, host: &str) -> EgressError {
    let host = host.into();
    match why {
        Failing::TimedOut => EgressError::TimedOut { host, after: None, phase: Phase::Deadline },
        Failing::Unreachable => {
            EgressError::Connect { host, source: std::io::ErrorKind::ConnectionRefused.into() }
        }
        Failing::Closed => EgressError::Closed { host },
        Failing::TooLarge => EgressError::TooLarge { host, limit: 256 << 10 },
    }
}
