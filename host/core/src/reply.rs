//! From the sent request to the reply that the caller gets.
//!
//! A reply streams through unless the plugin watches for its kind; then its first bytes are held
//! back, shown to `replied`, and either delivered whole or dropped for another try. Tries are
//! bounded, and made only where the body can be sent again; wherever a bound is reached the reply
//! that is there is delivered, so nothing is lost that a caller without a plugin would have had.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::authorize::{Again, Outgoing, renews};
use crate::body::RequestBody;
use crate::client::Inner;
use crate::contract::authorizer::{Next, Watch};
use crate::contract::types::HttpResponse;
use crate::egress::{self, EgressError, OwnConnection, Route};
use crate::error::Error;
use crate::memo::LONGEST_MEMO;
use crate::needs::Granted;
use crate::remember::Answer;
use crate::sandbox::CallError;
use crate::subject::Subject;
use crate::view::latin1;

/// Repeats that a plugin may ask for within one request (the contract's own number).
const MOST_REPEATS: usize = 3;
/// Bytes of a reply that may be held back (the contract's own number).
pub(crate) const MOST_HELD: u32 = 64 << 10;

/// How the content types begin of what is sent piece by piece over a long time.
const STREAMS: [&[u8]; 7] = [
    b"text/event-stream",
    b"application/x-ndjson",
    b"application/jsonl",
    b"application/json-seq",
    b"application/stream+json",
    b"multipart/x-mixed-replace",
    b"application/grpc",
];

/// A reply's body: streams, with what was held back ahead.
pub struct ReplyBody {
    ahead: Bytes,
    rest: Option<egress::ReplyBody>,
    /// Those of a body that was read whole.
    trailers: Option<HeaderMap>,
}

type Reply = Response<ReplyBody>;

/// Sends finished requests. The [`Egress`](crate::Egress) does where nothing else is said, and streams;
/// whoever rehearses a plugin answers from a script instead.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Sends the request, whose URI is absolute, once. The operator's policy on addresses and the
    /// limits on silence are the sender's to keep.
    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Bytes>, EgressError>;

    /// The same by a route that is not the ordinary one: what a plugin asked of the connection itself.
    /// Who does not say how refuses, and nothing is sent.
    async fn send_by(
        &self,
        route: Route,
        request: Request<RequestBody>,
    ) -> Result<Response<Bytes>, EgressError> {
        match route.unusual() {
            None => self.send(request).await,
            Some(edit) => Err(EgressError::Unsupported { edit }),
        }
    }
}

impl Inner {
    /// Sends until there is a reply to deliver. An error after the first reply says so: whoever
    /// sends again then sends twice.
    pub(crate) async fn exchange(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        outgoing: Box<Outgoing>,
    ) -> Result<Reply, Error> {
        let mut sent = false;
        let ended = self.exchange_noting(subject, outgoing, &mut sent).await;
        ended.map_err(|error| if sent { Error::AfterSent(Box::new(error)) } else { error })
    }

    async fn exchange_noting(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        mut outgoing: Box<Outgoing>,
        sent: &mut bool,
    ) -> Result<Reply, Error> {
        let mut next_try = Again::default();
        let mut repeats = 0;
        let mut last = None::<Box<Reply>>;
        // Of this exchange, for as long as each of its answers wants one.
        let mut own = None::<OwnConnection>;
        loop {
            let answer = match (self.authorize(subject, &mut outgoing, &next_try).await, last) {
                (Ok(answer), _) => answer,
                // As with every bound: what is there is delivered.
                (Err(error), Some(reply)) if is_for_later(&error) => return Ok(*reply),
                (Err(error), _) => return Err(error),
            };
            // A handshake has one reply, which is not held back.
            let repeats_at_all = !answer.watches.is_empty() && !outgoing.is_handshake();
            if repeats_at_all {
                let most = self.settings.load().resend_bytes;
                Box::pin(outgoing.keep_small(most)).await?;
            }
            let method = outgoing.method.clone();
            let once_more = repeats_at_all.then(|| outgoing.again().map(Box::new)).flatten();
            let hold = || self.settings.load().longest_hold;
            let longest_hold = (!outgoing.is_handshake()).then(hold);
            let route = answer.route(&mut own);
            let finished = answer.apply(*outgoing)?;
            let reply = match &self.sender {
                None => {
                    let sending = finished.send(&self.egress, route)?;
                    self.egress.head(sending).await?.map(ReplyBody::streams)
                }
                Some(sender) => {
                    sender.send_by(route, finished.into_request()?).await?.map(ReplyBody::whole)
                }
            };
            *sent = true;

            let Some(watch) = answer.watches.iter().find(|watch| matches(watch, &reply)) else {
                return Ok(reply);
            };
            // On the heap with all that only a repeat needs: few requests come this far.
            let mut reply = Box::new(reply);
            let showing = Box::pin(watched(&answer, watch, &mut reply, longest_hold));
            let Some(shown) = showing.await? else { return Ok(*reply) };
            let next = Box::pin(self.replied(subject, &answer, shown)).await?;
            if matches!(next, Next::Renew(_)) && !renews(&answer.plugin) {
                let plugin = answer.plugin.guest.name.clone();
                let what = "it asks for a renewal, and its descriptor has no flow `renew`";
                answer.plugin.guest.tell(&format!("it broke the contract: {what}"), &answer.masker);
                return Err(Error::Contract { plugin, what });
            }
            let safe_to_repeat = !reply.status().is_success() || is_safe(&method);
            // Whether or not this request can be made again: the next one needs the new state too.
            let cursor = match next {
                Next::Deliver => return Ok(*reply),
                Next::Again(cursor) => Zeroizing::new(cursor),
                Next::Renew(hint) => {
                    let hint = Zeroizing::new(hint);
                    if !Box::pin(self.force_renewal(subject, &answer, hint)).await {
                        return Ok(*reply);
                    }
                    // What it has proven was of the state before.
                    own = None;
                    Zeroizing::default()
                }
            };
            let (Some(again), true) = (once_more, safe_to_repeat && repeats < MOST_REPEATS) else {
                return Ok(*reply);
            };
            let mut is_whole = true;
            if own.is_some() {
                // The next request can only come after the whole of this reply. One that does not end
                // is cut off, and its connection with it; so is one that breaks off.
                let longest = self.settings.load().longest_hold;
                let held = Box::pin(reply.body_mut().hold(MOST_HELD as usize, longest)).await;
                is_whole = held.is_ok();
            }
            repeats += 1;
            outgoing = again;
            next_try = Again { cursor, state_version: Some(answer.state_version) };
            last = is_whole.then_some(reply);
        }
    }

    async fn replied(
        &self,
        subject: &Subject,
        answer: &Answer,
        shown: HttpResponse,
    ) -> Result<Next, Error> {
        let generation = self.registry.generation();
        let facts = self.request_facts(subject, &answer.plugin, generation).await?;
        let memo = self.memo(subject, &facts);
        // Or a burst of replies would take the memo from under those that are being authorized.
        let _turn = memo.turn().await;
        let seen = memo.seen();
        let reaction = self
            .sandbox
            .replied(
                &answer.plugin,
                facts.shown(&seen.bytes),
                shown,
                Zeroizing::clone(&answer.cursor),
                self.moment(),
                &facts.masker,
            )
            .await?
            .map_err(|raw| facts.refused(raw))?;
        if let Some(bytes) = reaction.memo {
            if bytes.len() > LONGEST_MEMO {
                return Err(facts.broke("its memo is over 4 KiB"));
            }
            // Lost where another call was quicker: that one has a newer reply than this.
            self.memos.set(memo, &seen, bytes);
        }
        Ok(reaction.next)
    }

    /// Whether there is newer state now, so that another try makes sense.
    async fn force_renewal(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        answer: &Answer,
        hint: Zeroizing<Vec<u8>>,
    ) -> bool {
        let Ok(state) = self.store.state(subject.state_key()).await else { return false };
        if crate::facts::version(state.as_deref()) != answer.state_version {
            return true;
        }
        let attempt = self.attempt(&hint, answer.state_version);
        if subject.failed.at(attempt, self.clock.elapsed()).is_some() {
            return false;
        }
        let renewed = if self.forced.pass(subject.state_key(), &*self.clock) {
            self.renew(subject, answer.state_version, hint).await
        } else if let Some(outcome) = self.renewal_under_way(subject, attempt).await {
            // Another request was told the same a moment ago.
            outcome
        } else {
            return false;
        };
        match renewed {
            Ok(renewed) => renewed.state.version != answer.state_version,
            Err(error) => {
                // The upstream's own answer says more to the caller than ours would.
                tracing::warn!(code = error.code(), "a renewal that a reply asked for failed");
                false
            }
        }
    }
}

/// Whether there was no time for another try, and no fault: the upstream's own answer then says more
/// to the caller than ours would.
fn is_for_later(error: &Error) -> bool {
    matches!(
        error,
        Error::RenewedLately
            | Error::SharedExpired
            | Error::Contended { .. }
            | Error::Renewal(_)
            | Error::Call(CallError::Busy { .. } | CallError::Suspended { .. })
    )
}

/// What the plugin is shown of a reply that this watch of its answer is for. The reply's body is held
/// for so long, or not at all.
async fn watched(
    answer: &Answer,
    watch: &Watch,
    reply: &mut Reply,
    longest: Option<Duration>,
) -> Result<Option<HttpResponse>, Error> {
    // Within bounds and granted, or there would be no answer.
    let wanted = watch.body;
    let mut body = Vec::new();
    if wanted > 0 {
        let Some(longest) = longest.filter(|_| may_be_held(reply, wanted)) else {
            return Ok(None);
        };
        if !reply.body_mut().hold(wanted as usize, longest).await? {
            return Ok(None);
        }
        body = reply.body().ahead.to_vec();
    }
    Ok(Some(HttpResponse {
        status: reply.status().as_u16(),
        headers: shown_headers(watch, reply.headers(), &answer.granted),
        body,
    }))
}

fn matches(watch: &Watch, reply: &Reply) -> bool {
    let status = reply.status();
    let one_is_there = watch.headers.is_empty()
        || watch.headers.iter().any(|name| reply.headers().contains_key(name.as_str()));
    !status.is_informational()
        && watch.status.is_none_or(|wanted| wanted == status.as_u16())
        && one_is_there
}

fn shown_headers(watch: &Watch, headers: &HeaderMap, granted: &Granted) -> Vec<(String, String)> {
    let wanted = |name: &HeaderName| {
        watch.headers.iter().any(|it| it.eq_ignore_ascii_case(name.as_str()))
            && granted.may_read_reply_header(name)
    };
    headers
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.to_string(), latin1(value.as_bytes())))
        .collect()
}

/// Whether the body may be waited for: not one that is longer, nor one of a kind that streams.
fn may_be_held(reply: &Reply, wanted: u32) -> bool {
    let headers = reply.headers();
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let streams = STREAMS.iter().any(|stream| {
        kind.get(..stream.len()).is_some_and(|start| start.eq_ignore_ascii_case(stream))
    });
    let length = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    !streams && length.is_none_or(|length| length <= u64::from(wanted))
}

/// RFC 9110 section 9.2.1.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl Outgoing {
    /// Reads a small body of known length, so that the request can be made again.
    async fn keep_small(&mut self, most: u64) -> Result<(), Error> {
        match self.body.length() {
            Some(length) if length <= most => self.spool(usize::try_from(most).unwrap_or(0)).await,
            _ => Ok(()),
        }
    }
}

impl ReplyBody {
    fn streams(body: egress::ReplyBody) -> Self {
        Self { ahead: Bytes::new(), rest: Some(body), trailers: None }
    }

    fn whole(bytes: Bytes) -> Self {
        Self { ahead: bytes, rest: None, trailers: None }
    }

    /// Reads the whole of a body of at most `most` bytes; `false` where it is longer or takes
    /// longer, and streams on.
    async fn hold(&mut self, most: usize, longest: Duration) -> Result<bool, Error> {
        let mut read = BytesMut::from(std::mem::take(&mut self.ahead));
        let held = timeout(longest, self.read(&mut read, most)).await;
        self.ahead = read.freeze();
        held.unwrap_or(Ok(false))
    }

    /// Until the end, or past `most` bytes. What was read is in `read` also where nobody waits for
    /// the end.
    async fn read(&mut self, read: &mut BytesMut, most: usize) -> Result<bool, Error> {
        while let Some(rest) = &mut self.rest {
            match rest.frame().await {
                None => self.rest = None,
                Some(frame) => match frame?.into_data() {
                    Ok(data) => read.extend_from_slice(&data),
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
            }
            if read.len() > most {
                return Ok(false);
            }
        }
        Ok(read.len() <= most)
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        if !self.ahead.is_empty() {
            let ahead = std::mem::take(&mut self.ahead);
            return Poll::Ready(Some(Ok(Frame::data(ahead))));
        }
        if let Some(rest) = &mut self.rest {
            match std::task::ready!(Pin::new(rest).poll_frame(context)) {
                Some(frame) => return Poll::Ready(Some(frame)),
                // Its trailers may have been put aside while it was held.
                None => self.rest = None,
            }
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty()
            && self.trailers.is_none()
            && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let ahead = self.ahead.len() as u64;
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(ahead.saturating_add(rest.lower()));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(ahead)) {
            hint.set_upper(upper);
        }
        hint
    }
}
