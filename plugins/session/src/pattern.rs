//! The settings of a login, read and judged.
//!
//! A [`Pattern`] that [`Pattern::of`] gives out has no fault: every placeholder is filled by something that
//! is there at its place, every name can stand where it is put, and nothing in it is unknown. Each fault
//! names its setting, so that whoever wrote the payload sees them all at once in `validate`.

mod login;
mod node;
mod parts;

use countersign_plugin::{Account, Refusal};

pub(crate) use login::{Body, Expires, From, Request, Take, Unit};
use node::{Faults, Node};
pub(crate) use parts::Pair;

use crate::{
    sign::Sign,
    template::{Scope, Source},
};

const ROOT: &str = "pattern/session";

/// Requests of one login: the host ends a flow at its eighth step, and the last is the end.
pub(crate) const MOST_REQUESTS: usize = 7;

/// Bytes of a reply that are looked at, where nothing is said.
const LOOKED_AT: u32 = 4096;
/// The most that the host holds back of a reply.
const MOST_LOOKED_AT: u32 = 64 << 10;
/// The host's bound for the kinds of replies that are watched for.
const MOST_WATCHES: usize = 8;

/// A login, and what it is for.
pub(crate) struct Pattern<'a> {
    pub(crate) requests: Vec<Request<'a>>,
    /// Seconds that a session lasts, whatever answers say.
    pub(crate) expires_after: Option<u32>,
    pub(crate) headers: Vec<Pair<'a>>,
    pub(crate) query: Vec<Pair<'a>>,
    pub(crate) cookies: Vec<Pair<'a>>,
    pub(crate) expired: Expired<'a>,
}

/// How a reply says that the session is over.
pub(crate) struct Expired<'a> {
    /// By its status alone.
    pub(crate) statuses: Vec<u16>,
    /// By its body, where its status is one of these.
    pub(crate) body_of: Vec<u16>,
    pub(crate) signs: Vec<Sign<'a>>,
    /// A longer body is not looked at.
    pub(crate) bytes: u32,
}

impl<'a> Pattern<'a> {
    /// The first fault is a refusal.
    pub(crate) fn of(account: &'a Account) -> Result<Self, Refusal> {
        let (pattern, faults) = Self::read(account);
        faults.into_iter().next().map_or(Ok(pattern), Err)
    }

    /// What of it can be used, and everything that is wrong.
    pub(crate) fn read(account: &'a Account) -> (Self, Vec<Refusal>) {
        let mut faults = Faults::new();
        let mut node = Node::open(account, ROOT, &mut faults);
        let settings = node.list("connection_values", &mut faults);
        let mut scope = Scope {
            fields: fields(account),
            connection: settings.into_iter().filter_map(|it| it.scalar(&mut faults)).collect(),
            taken: Vec::new(),
        };
        let items = node.list("requests", &mut faults);
        if items.is_empty() || items.len() > MOST_REQUESTS {
            let message = format!("1 to {MOST_REQUESTS} requests are expected");
            faults.push(Refusal::invalid_config(&node.at("requests"), &message));
        }
        let mut requests = Vec::new();
        for item in items.into_iter().take(MOST_REQUESTS) {
            requests.push(login::request(item, &mut scope, &mut faults));
        }
        let headers = parts::pairs(&mut node, "headers", parts::header_name, &scope, &mut faults);
        let query = parts::pairs(&mut node, "query", parts::query_name, &scope, &mut faults);
        let cookies = parts::pairs(&mut node, "cookies", parts::cookie_name, &scope, &mut faults);
        for pairs in [&headers, &query, &cookies] {
            parts::once(pairs, &mut faults);
        }
        let expires_after = node.number("expires_after", 1..=u32::MAX, &mut faults);
        let expired = expired(&mut node, &mut faults);
        let pattern = Self { requests, expires_after, headers, query, cookies, expired };
        if pattern.kept().next().is_none() {
            let message = "no header, query or cookie here holds a value that the login takes";
            faults.push(Refusal::invalid_config(ROOT, message));
        }
        node.close(&mut faults);
        (pattern, faults)
    }

    /// What is put on each request.
    pub(crate) fn placed(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.headers.iter().chain(&self.query).chain(&self.cookies)
    }

    /// The names of what was taken and is put on each request: these the state must hold.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &'a str> {
        self.placed().flat_map(|pair| pair.value.sources()).filter_map(|source| match source {
            Source::Taken(name) => Some(name),
            Source::Account(_) | Source::Connection(_) => None,
        })
    }
}

/// The names of the account's inputs.
fn fields(account: &Account) -> Vec<&str> {
    let lists = ["pattern/fields/", "pattern/account_fields/"];
    let names = lists.into_iter().flat_map(|list| account.under(list));
    names.filter(|(key, _)| key.ends_with("/field_name")).map(|(_, name)| name).collect()
}

fn expired<'a>(top: &mut Node<'a>, faults: &mut Faults) -> Expired<'a> {
    let mut node = top.object("expired", faults).unwrap_or_default();
    let statuses = parts::statuses(&mut node, "status", &[401], faults);
    let body_of = parts::statuses(&mut node, "body_of", &[200], faults);
    let signs = parts::signs(&mut node, "signs", faults);
    let bytes = node.number("bytes", 1..=MOST_LOOKED_AT, faults).unwrap_or(LOOKED_AT);
    if statuses.len() + body_of.len() > MOST_WATCHES {
        let message = format!("at most {MOST_WATCHES} statuses can be watched for");
        faults.push(Refusal::invalid_config(&top.at("expired"), &message));
    }
    node.close(faults);
    Expired { statuses, body_of, signs, bytes }
}
