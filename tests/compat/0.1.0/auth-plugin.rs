//! A plugin without flows that does what its account says, so that cases can have it do whatever
//! the contract has words for: a line of `account/do` is one edit, wish or mark.

use countersign_plugin::{
    Account, BodyView, Context, Descriptor, Edit, HttpResponse, Level, Next, Outcome, Plugin,
    Reaction, Ready, Reason, Refusal, RequestView, Watch, export_plugin,
};

const DO: &str = "account/do";
const REPLIED: &str = "account/replied";
const TOKEN: &str = "account/token";

/// The plugin.
pub struct Kept;

impl Plugin for Kept {
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_KEPT")
            .title("Kept for the contract's track", "0.1.0")
            .read(&["provider/proxy_url", "pattern/note", "connection/note", DO, REPLIED, TOKEN])
            .read(&["header/x-seen-*", "body", "reply/header/x-reply-*", "reply/body"])
            .write(&["header/x-put-*", "query/q-*", "cookie/c-*", "path", "origin", "body"])
            .write(&["client-certificate", "own-connection"])
            .need("send", &["bare"])
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        let lines = account.value(DO).unwrap_or_default().lines();
        lines.filter_map(|line| refusal(line.strip_prefix("refuse ")?)).collect()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        cursor: &[u8],
    ) -> Result<Outcome, Refusal> {
        let mut ready = Ready::once(Vec::new());
        let mut shown = Vec::new();
        let unknown = || Refusal::invalid_config(DO, "there is no such line");
        for line in account.value(DO).unwrap_or_default().lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let entry = || {
                let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                (name.to_owned(), value.to_owned())
            };
            let rest = || rest.to_owned();
            match word {
                "set-header" => ready.edits.push(Edit::SetHeader(entry())),
                "append-header" => ready.edits.push(Edit::AppendHeader(entry())),
                "remove-header" => ready.edits.push(Edit::RemoveHeader(rest())),
                "set-query" => ready.edits.push(Edit::SetQuery(entry())),
                "append-query" => ready.edits.push(Edit::AppendQuery(entry())),
                "set-cookie" => ready.edits.push(Edit::SetCookie(entry())),
                "set-path" => ready.edits.push(Edit::SetPath(rest())),
                "set-origin" => ready.edits.push(Edit::SetOrigin(rest())),
                "set-body" => ready.edits.push(Edit::SetBody(rest().into_bytes())),
                "client-certificate" => ready.edits.push(Edit::ClientCertificate(entry())),
                "own-connection" => ready.edits.push(Edit::OwnConnection),
                "remember" => ready.remember = rest().parse().map_err(|_| unknown())?,
                "value" => ready.edits.push(Edit::header("x-put-value", account.require(&rest())?)),
                "now" => ready.edits.push(Edit::header("x-put-now", &cx.now().to_string())),
                "random" => ready.edits.push(Edit::header("x-put-random", &hex(&cx.random(4)))),
                "count" => {
                    let count = account.memo.first().map_or(1, |count| count + 1);
                    ready.memo = Some(vec![count]);
                    ready.edits.push(Edit::header("x-put-count", &count.to_string()));
                }
                "cursor" => {
                    ready.cursor = [cursor, b"+"].concat();
                    ready
                        .edits
                        .push(Edit::header("x-put-cursor", &format!("after:{}", hex(cursor))));
                }
                "watch" => ready.watches.push(watch(&rest()).ok_or_else(unknown)?),
                "log" => {
                    for level in [Level::Debug, Level::Info, Level::Warn] {
                        cx.log(level, &rest());
                    }
                }
                "show" => shown = rest().split(' ').map(ToOwned::to_owned).collect(),
                "renew" => return Ok(Outcome::Renew(rest().into_bytes())),
                "refuse" => return Err(refusal(&rest()).ok_or_else(unknown)?),
                _ => return Err(unknown()),
            }
        }
        match request {
            None if !shown.is_empty() => return Ok(Outcome::Show(shown)),
            None => {}
            Some(request) => ready.edits.push(Edit::header("x-put-saw", &told(request))),
        }
        Ok(ready.into())
    }

    fn replied(
        _: &Context,
        account: &Account,
        reply: &HttpResponse,
        cursor: &[u8],
    ) -> Result<Reaction, Refusal> {
        let told = account.value(REPLIED).unwrap_or("deliver");
        let seen = [&reply.status.to_be_bytes()[..], &reply.body].concat();
        let next = match told {
            "deliver" => Next::Deliver,
            // Once: the cursor of a repeat is no more what the first answer handed over.
            "again" if cursor == b"+" => Next::Again(b"again".to_vec()),
            "again" => Next::Deliver,
            "renew" => Next::Renew(cursor.to_vec()),
            other => return Err(refusal(other).unwrap_or_else(|| Refusal::denied("no such word"))),
        };
        let seen = reply.headers.iter().fold(seen, |seen, (name, value)| {
            [&seen[..], name.as_bytes(), b"=", value.as_bytes()].concat()
        });
        Ok(Reaction { next, memo: Some(seen) })
    }
}

fn refusal(word: &str) -> Option<Refusal> {
    let reason = match word {
        "invalid-config" => Reason::InvalidConfig,
        "reauthorize" => Reason::Reauthorize,
        "denied" => Reason::Denied,
        "unavailable" => Reason::Unavailable,
        "invalid-request" => Reason::InvalidRequest,
        _ => return None,
    };
    let (field, message) = (Some(DO.to_owned()), format!("as it was told: {word}"));
    Some(Refusal { reason, field, message, retry_after: Some(7) })
}

/// `STATUS|any BODY HEADER…`
fn watch(text: &str) -> Option<Watch> {
    let mut words = text.split(' ');
    let status = match words.next()? {
        "any" => None,
        status => Some(status.parse().ok()?),
    };
    let body = words.next()?.parse().ok()?;
    Some(Watch { status, headers: words.map(ToOwned::to_owned).collect(), body })
}

fn told(request: &RequestView) -> String {
    let body = match &request.body {
        BodyView::Unseen(None) => "of unknown length".to_owned(),
        BodyView::Unseen(Some(length)) => format!("of {length} bytes"),
        BodyView::Digest(digest) => hex(digest),
        BodyView::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    };
    let headers: Vec<_> = request.headers.iter().map(|(name, it)| format!("{name}={it}")).collect();
    format!("{} {} {} {body}", request.method, request.url, headers.join(","))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

export_plugin!(Kept);
