//! SESSION: a login of any number of requests, and what it gives put on each request.
//!
//! The pattern says all of it, under `session`: the requests of the login, what is taken of each answer
//! (from its JSON, a header or a cookie), where the values go, and how a session that is over is told.
//! Without a state, or with one past its end, the host runs `renew`, which logs in anew; so does a reply
//! that says that the session is over.
//!
//! `authorize` is here; the pattern is read in [`pattern`], the login runs in [`steps`].
//!
//! A value is escaped for the place that it is put into, always; one that no header can hold never goes
//! into one. No message holds a value.

mod answer;
mod cookie;
mod cursor;
mod moment;
mod pattern;
mod pointer;
mod request;
mod sign;
mod steps;
mod template;

use countersign_plugin::{
    Account, Context, Descriptor, Edit, HttpResponse, Outcome, Plugin, Reaction, Ready, Refusal,
    RequestView, Watch, export_flow_plugin,
};

use pattern::{Pair, Pattern};
use template::Values;

/// The plugin.
pub struct Session;

/// Where the names of fields and settings come from that a template may use.
const READS: &[&str] = &[
    "pattern/session",
    "pattern/fields/*/field_name",
    "pattern/account_fields/*/field_name",
    "account/{pattern/fields/*/field_name}",
    "account/{pattern/account_fields/*/field_name}",
    "connection/{pattern/session/connection_values/*}",
    "state/{pattern/session/requests/*/takes/*/name}",
    "reply/body",
];

impl Plugin for Session {
    fn descriptor() -> Descriptor {
        Descriptor::builder("SESSION")
            .title("Session login", env!("CARGO_PKG_VERSION"))
            .flows(&["renew"])
            .read(READS)
            .write(&[
                "header/{pattern/session/headers/*/name}",
                "query/{pattern/session/query/*/name}",
                "cookie/{pattern/session/cookies/*/name}",
                "state/{pattern/session/requests/*/takes/*/name}",
            ])
            .fetch(&["pattern/session/requests/*/request_url"])
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        let (pattern, mut faults) = Pattern::read(account);
        faults.extend(request::unfit(&pattern, account));
        faults
    }

    fn authorize(
        _: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let pattern = Pattern::of(account)?;
        // That the state is past its end, the host sees by itself.
        let is_kept = |name: &&str| account.value(&["state/", name].concat()).is_some();
        if !pattern.kept().all(|name| is_kept(&name)) {
            return Ok(Outcome::Renew(Vec::new()));
        }
        let mut ready = Ready::lasting(edits(&pattern, &Values::kept(account))?);
        for &status in &pattern.expired.statuses {
            ready = ready.watch(status);
        }
        if !pattern.expired.signs.is_empty() {
            let body = pattern.expired.bytes;
            ready.watches.extend(pattern.expired.body_of.iter().map(|&status| Watch {
                status: Some(status),
                headers: Vec::new(),
                body,
            }));
        }
        Ok(ready.into())
    }

    fn replied(
        _: &Context,
        account: &Account,
        reply: &HttpResponse,
        _: &[u8],
    ) -> Result<Reaction, Refusal> {
        let expired = Pattern::of(account)?.expired;
        let is_over = expired.statuses.contains(&reply.status)
            || (expired.body_of.contains(&reply.status)
                && sign::any_in(&expired.signs, &reply.body));
        Ok(if is_over { Reaction::renew() } else { Reaction::deliver() })
    }
}

/// Everything that goes on a request.
fn edits(pattern: &Pattern<'_>, values: &Values<'_>) -> Result<Vec<Edit>, Refusal> {
    let mut edits = Vec::new();
    let mut put = |pairs: &[Pair<'_>], fill: Fill, edit: fn(&str, &str) -> Edit| {
        for pair in pairs {
            edits.push(edit(pair.name, &fill(pair, values)?));
        }
        Ok(())
    };
    put(&pattern.headers, request::header, Edit::header)?;
    put(&pattern.query, request::plain, Edit::query)?;
    put(&pattern.cookies, request::cookie, Edit::cookie)?;
    Ok(edits)
}

type Fill = fn(&Pair<'_>, &Values<'_>) -> Result<String, Refusal>;

export_flow_plugin!(Session);

#[cfg(test)]
mod tests;
