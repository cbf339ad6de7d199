//! One run: the host made, the act done, and what came of it gathered.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use countersign::flow::{Callback, GrantRequest, Paused, Progress};
use countersign::random::SeededRandom;
use countersign::registry::GuestKind;
use countersign::store::MemoryStore;
use countersign::{Countersign, Error, Subject};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value as Json, json};

use super::{Hand, Stage};
use crate::case::{Act, After, FlowKind, Inputs, Pause, Request, header_value};
use crate::run::{Delivered, End, Run};
use crate::script::{Message, Script};
use crate::subject;

/// One run under way.
pub(super) struct Play<'a> {
    stage: &'a Stage,
    inputs: &'a Inputs,
    clock: Arc<Hand>,
    fetches: Arc<Script>,
    replies: Arc<Script>,
    /// A request that was made ready and not sent.
    sent: Vec<Message>,
    prompts: Vec<Json>,
    memo: Option<Vec<u8>>,
}

impl<'a> Play<'a> {
    /// Answers that run out end the run, unless it `goes_on` with the last.
    pub(super) fn new(stage: &'a Stage, inputs: &'a Inputs, goes_on: bool) -> Self {
        Self {
            stage,
            inputs,
            clock: Arc::new(Hand(AtomicU64::new(inputs.now))),
            fetches: Script::new(&inputs.fetches, goes_on),
            replies: Script::new(&inputs.replies, goes_on),
            sent: Vec::new(),
            prompts: Vec::new(),
            memo: None,
        }
    }

    /// To its end, background flows too.
    pub(super) async fn run(mut self) -> Run {
        let end = self.act().await.unwrap_or_else(End::Failed);
        self.sent.extend(self.replies.asked());
        Run {
            calls: self.stage.seen.take(),
            end,
            fetched: self.fetches.asked(),
            sent: self.sent,
            prompts: self.prompts,
            memo: self.memo,
        }
    }

    fn host(&self, store: MemoryStore) -> Countersign {
        let stage = self.stage;
        let (sandbox, registry) = (Arc::clone(&stage.sandbox), Arc::clone(&stage.registry));
        Countersign::builder(sandbox, registry, stage.egress.clone())
            .store(Arc::new(store))
            .clock(Arc::clone(&self.clock) as _)
            .random(Arc::new(SeededRandom::new(self.inputs.seed)))
            .fetcher(Arc::clone(&self.fetches) as _)
            .sender(Arc::clone(&self.replies) as _)
            .build()
    }

    async fn act(&mut self) -> Result<End, Error> {
        let inputs = self.inputs;
        let store = MemoryStore::default();
        if let Act::Mutate { target, options } = &inputs.act {
            let values = subject::values(&inputs.values);
            let name = match &self.stage.info.kind {
                GuestKind::Mutation { mutation } => mutation,
                GuestKind::Plugin { .. } => target,
            };
            let value = self.host(store).mutate(name, target, options.clone(), &values).await?;
            return Ok(End::Value(value.expose().to_owned()));
        }
        let subject = subject::subject(inputs).ok_or(Error::Host("a case has no documents"))??;
        let subject = Arc::new(subject);
        for (kept, key) in
            [(&inputs.state, subject.state_key()), (&inputs.shared, subject.shared_key())]
        {
            if let Some(kept) = kept {
                store.seed(key.clone(), subject::state(kept));
            }
        }
        let host = self.host(store);
        if let Some(memo) = &inputs.memo {
            host.put_memo(&subject, memo).await?;
        }
        let end = self.on(&host, &subject).await;
        // Renewals ahead of expiry, and flows whose caller is gone, are calls of this run too.
        host.drain().await;
        self.memo = host.memo(&subject).await.ok();
        end
    }

    async fn on(&mut self, host: &Countersign, subject: &Arc<Subject>) -> Result<End, Error> {
        match &self.inputs.act {
            Act::Request { request, sent: false } => {
                let (ready, route) = host.prepare_by(subject, http_request(request)).await?;
                let (parts, body) = ready.into_parts();
                let body = body.collect().await.map_err(|_| Error::Body)?.to_bytes();
                let request = http::Request::from_parts(parts, ());
                self.sent.push(Message::of(&request, &body, &route));
                Ok(End::Ready)
            }
            Act::Request { request, sent: true } => {
                let reply = host.send(subject, http_request(request)).await?;
                let (parts, body) = reply.into_parts();
                let body = body.collect().await?.to_bytes().to_vec();
                let latin1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
                let headers = parts.headers.iter();
                let headers =
                    headers.map(|(name, value)| (name.to_string(), latin1(value.as_bytes())));
                let (status, headers) = (parts.status.as_u16(), headers.collect());
                Ok(End::Replied(Delivered { status, headers, body }))
            }
            Act::Flow(FlowKind::Setup) => {
                self.drive(host, subject, host.set_up(subject).await?, &[]).await
            }
            Act::Flow(FlowKind::Renew) => host.renew(subject).await.map(|_| End::Done),
            Act::Flow(FlowKind::Revoke) => {
                let begun = host.revoke(subject).await?;
                self.drive(host, subject, begun, &[]).await
            }
            Act::Flow(FlowKind::Grant { redirect_uri, pauses }) => {
                let wishes = subject::wishes(&self.inputs.values);
                let request = GrantRequest { redirect_uri: redirect_uri.clone(), wishes };
                let begun = host.begin_grant(subject, request).await?;
                self.drive(host, subject, begun, pauses).await
            }
            Act::Validate => host.validate(subject).await.map(|_| End::Judged),
            Act::Mutate { .. } => Err(Error::Host("a mutation has no subject")),
        }
    }

    /// From pause to pause, for as long as the case says what ends them.
    async fn drive(
        &mut self,
        host: &Countersign,
        subject: &Arc<Subject>,
        mut progress: Progress,
        pauses: &[Pause],
    ) -> Result<End, Error> {
        let mut pauses = pauses.iter();
        loop {
            let paused = match progress {
                Progress::Done(_) => return Ok(End::Done),
                Progress::Paused(paused) => paused,
            };
            self.prompts.push(shown(&paused));
            let Some(pause) = pauses.next() else { return Ok(End::Paused) };
            let callback = match &pause.after {
                After::Elapsed => {
                    self.clock.move_on(paused.after.unwrap_or_default());
                    Callback::Elapsed
                }
                After::Callback(parameters) => {
                    Callback::Parameters(found_again(&paused, parameters))
                }
            };
            progress = host.resume(subject, *paused, callback).await?;
        }
    }
}

/// The parameters of a callback, with the one that finds the flow again.
fn found_again(paused: &Paused, parameters: &[(String, String)]) -> Vec<(String, String)> {
    let mut parameters = parameters.to_vec();
    if let Some((name, token)) = &paused.callback
        && parameters.iter().all(|(given, _)| given != name)
    {
        parameters.push((name.clone(), token.expose().to_owned()));
    }
    parameters
}

/// What the user is shown. The state token is the host's own choice, and stands as `{state-token}`.
fn shown(paused: &Paused) -> Json {
    let mut shown = json!({});
    if let Some(prompt) = &paused.prompt {
        let url = prompt.url.as_str();
        shown["url"] = match &paused.callback {
            Some((_, token)) if !token.is_empty() => url.replace(token.expose(), "{state-token}"),
            _ => url.to_owned(),
        }
        .into();
        if let Some(code) = &prompt.code {
            shown["code"] = code.as_str().into();
        }
    }
    if let Some(after) = paused.after {
        shown["seconds"] = after.as_secs().into();
    }
    shown
}

pub(crate) fn http_request(request: &Request) -> http::Request<Full<Bytes>> {
    let mut made = http::Request::new(Full::new(Bytes::from(request.body.clone())));
    *made.method_mut() = request.method.clone();
    // Found good when the case was read, as the headers were.
    *made.uri_mut() = request.path.parse().unwrap_or_default();
    for (name, value) in &request.headers {
        if let (Ok(name), Some(value)) = (http::HeaderName::try_from(name), header_value(value)) {
            made.headers_mut().append(name, value);
        }
    }
    made
}
