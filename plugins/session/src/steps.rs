//! The login: one request after the other, and the state that is left.

use countersign_plugin::{Account, Context, Event, Flow, Purpose, Refusal, State, Step};

use crate::{Session, answer, cursor::Cursor, edits, pattern::Pattern, request, template::Values};

impl Flow for Session {
    fn begin(_: &Context, account: &Account, purpose: &Purpose) -> Result<Step, Refusal> {
        match purpose {
            Purpose::Renew(_) => sent(&Pattern::of(account)?, account, &Cursor::default()),
            Purpose::Setup | Purpose::Grant(_) | Purpose::Revoke => {
                Err(Refusal::invalid_request("there is no such flow"))
            }
        }
    }

    fn resume(
        cx: &Context,
        account: &Account,
        event: &Event,
        cursor: &[u8],
    ) -> Result<Step, Refusal> {
        let mut cursor = Cursor::read(cursor)?;
        let reply = match event {
            Event::Response(reply) => reply,
            Event::Failed(_) => return Err(Refusal::unavailable("no answer has come back")),
            Event::Callback(_) | Event::Elapsed => {
                return Err(Refusal::reauthorize("this flow did not wait for that"));
            }
        };
        let pattern = Pattern::of(account)?;
        let now = cx.now() / 1000;
        let given = match pattern.requests.get(cursor.request) {
            Some(request) => answer::judged(request, reply, now)?,
            None => return Err(Refusal::reauthorize("the login has lost its place")),
        };
        cursor.taken.extend(given.taken);
        cursor.until = cursor.until.into_iter().chain(given.until).min();
        cursor.request += 1;
        if cursor.request < pattern.requests.len() {
            return sent(&pattern, account, &cursor);
        }
        // What fits nowhere is kept by nobody: each request would be refused until it ends.
        let placed = edits(&pattern, &Values::taken(account, &cursor.taken));
        let field = placed.err().and_then(|flaw| flaw.field);
        if let Some(taken) = field.filter(|field| field.starts_with("state/")) {
            let message = "the login gives a value that cannot stand where it belongs";
            return Err(Refusal::denied(message).at(&taken));
        }
        Ok(Step::Done(state(&pattern, &cursor, now)))
    }
}

fn sent(pattern: &Pattern<'_>, account: &Account, cursor: &Cursor) -> Result<Step, Refusal> {
    let request = pattern.requests.get(cursor.request);
    let request = request.ok_or_else(|| Refusal::reauthorize("the login has lost its place"))?;
    let values = Values::taken(account, &cursor.taken);
    Ok(Step::fetch(request::built(request, &values)?, cursor.bytes()))
}

/// What requests are made with, and what is public; what only the login itself needed is forgotten.
fn state(pattern: &Pattern<'_>, cursor: &Cursor, now: u64) -> State {
    let mut state = State::empty();
    let takes = || pattern.requests.iter().flat_map(|request| &request.takes);
    for (name, value) in &cursor.taken {
        let is_public = takes().any(|take| take.name == name && !take.secret);
        if is_public {
            state = state.attribute(name, value);
        } else if pattern.kept().any(|kept| kept == name) {
            state = state.secret(name, value);
        }
    }
    let left =
        cursor.until.map(|until| u32::try_from(until.saturating_sub(now)).unwrap_or(u32::MAX));
    state.expires_in(left.into_iter().chain(pattern.expires_after).min())
}
