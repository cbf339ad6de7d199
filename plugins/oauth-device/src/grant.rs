//! The device grant: which step follows which (RFC 8628, sections 3.1 to 3.5).

use countersign_plugin::{
    Account, Context, Event, HttpResponse, Pause, Prompt, Refusal, Step, find,
    flow::{Client, error, json::Object},
    form,
};
use countersign_plugin_oauth::{TOKEN_URI, granted, scopes};

use crate::device::{Codes, DEVICE_URI};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Added to the interval by each `slow_down` (section 3.5).
const SLOWER: u32 = 5;
/// The longest that the host waits at once.
const LONGEST: u32 = 600;

/// What a step leaves for the next one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cursor {
    /// The device authorization endpoint was asked.
    Begun,
    /// The time until the next question runs.
    Waiting(Polling),
    /// The token endpoint was asked.
    Asked(Polling),
}

/// How the token endpoint is asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Polling {
    device_code: String,
    /// Seconds between two questions.
    interval: u32,
    /// When the codes end, in Unix milliseconds.
    until: u64,
}

/// Asks for a code.
pub(crate) fn begin(account: &Account) -> Result<Step, Refusal> {
    let scopes = scopes(account);
    let form: Vec<_> =
        (!scopes.is_empty()).then_some(("scope", scopes.as_str())).into_iter().collect();
    let url = account.require(DEVICE_URI)?;
    Ok(Step::fetch(Client::of(account)?.post(url, &form), Cursor::Begun.bytes()))
}

pub(crate) fn resume(
    cx: &Context,
    account: &Account,
    event: &Event,
    cursor: Cursor,
) -> Result<Step, Refusal> {
    match (cursor, event) {
        (Cursor::Begun, Event::Response(reply)) => Codes::read(reply).map(|it| shown(cx, it)),
        (Cursor::Begun, Event::Failed(_)) => Err(Refusal::unavailable("no answer has come back")),
        (Cursor::Waiting(polling), Event::Elapsed) => ask(cx, account, polling),
        (Cursor::Asked(polling), Event::Response(reply)) => told(account, reply, polling),
        // Section 3.5: a server that does not answer is asked less often.
        (Cursor::Asked(polling), Event::Failed(_)) => Ok(wait(polling.doubled())),
        _ => Err(Refusal::reauthorize("this flow did not wait for that")),
    }
}

/// Shows the user the page and the code.
fn shown(cx: &Context, codes: Codes) -> Step {
    let polling = Polling {
        device_code: codes.device_code,
        interval: codes.interval.min(LONGEST),
        until: cx.now().saturating_add(u64::from(codes.expires_in) * 1000),
    };
    let prompt = Prompt { url: codes.page, code: Some(codes.user_code) };
    paused(Some(prompt), polling)
}

/// Asks the token endpoint, as long as the codes are good.
fn ask(cx: &Context, account: &Account, polling: Polling) -> Result<Step, Refusal> {
    if cx.now() >= polling.until {
        return Err(expired());
    }
    let url = account.require(TOKEN_URI)?;
    let form = [("grant_type", GRANT_TYPE), ("device_code", &polling.device_code)];
    let request = Client::of(account)?.post(url, &form);
    Ok(Step::fetch(request, Cursor::Asked(polling).bytes()))
}

/// Section 3.5.
fn told(account: &Account, reply: &HttpResponse, polling: Polling) -> Result<Step, Refusal> {
    let object = Object::parse(&reply.body);
    match object.as_ref().and_then(|object| object.text("error")) {
        Some("authorization_pending") => Ok(wait(polling)),
        Some("slow_down") => Ok(wait(polling.slower(SLOWER))),
        Some("expired_token") => Err(expired()),
        Some("access_denied") => Err(Refusal::denied("the user has said no")),
        // Not for good, and the user may be at it.
        _ if reply.status == 429 || reply.status >= 500 => {
            let at_least = reply.retry_after().unwrap_or(0).min(LONGEST);
            let polling = polling.doubled();
            Ok(wait(Polling { interval: polling.interval.max(at_least), ..polling }))
        }
        Some(_) => Err(error(reply)),
        None => granted(account, reply),
    }
}

impl Polling {
    fn slower(self, by: u32) -> Self {
        Self { interval: self.interval.saturating_add(by).min(LONGEST), ..self }
    }

    fn doubled(self) -> Self {
        let by = self.interval;
        self.slower(by)
    }
}

fn expired() -> Refusal {
    Refusal::reauthorize("the code has ended before the user was done")
}

/// The page stays as it is.
fn wait(polling: Polling) -> Step {
    paused(None, polling)
}

fn paused(prompt: Option<Prompt>, polling: Polling) -> Step {
    Step::Pause(Pause {
        prompt,
        callback: None,
        seconds: Some(polling.interval),
        cursor: Cursor::Waiting(polling).bytes(),
    })
}

impl Cursor {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (step, polling) = match self {
            Self::Begun => return b"step=device-begun".to_vec(),
            Self::Waiting(polling) => ("device-waiting", polling),
            Self::Asked(polling) => ("device-asked", polling),
        };
        let pairs = [
            ("step", step),
            ("device_code", &polling.device_code),
            ("interval", &polling.interval.to_string()),
            ("until", &polling.until.to_string()),
        ];
        form::join(pairs).into_bytes()
    }

    /// `None` where it is none of this grant's.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let pairs = form::split(std::str::from_utf8(bytes).ok()?)?;
        let polling = || {
            let interval = find(&pairs, "interval")?.parse().ok()?;
            Some(Polling {
                device_code: find(&pairs, "device_code")?.to_owned(),
                interval,
                until: find(&pairs, "until")?.parse().ok()?,
            })
        };
        match find(&pairs, "step")? {
            "device-begun" => Some(Self::Begun),
            "device-waiting" => polling().map(Self::Waiting),
            "device-asked" => polling().map(Self::Asked),
            _ => None,
        }
    }
}
