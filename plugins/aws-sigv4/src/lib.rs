//! AWS_SIGV4: requests signed for AWS, and for what takes the same signatures (S3-compatible stores).
//!
//! AWS Signature Version 4, as "Create a signed AWS API request" of the IAM User Guide and
//! "Authenticating Requests" of the S3 API Reference have it: in the header `Authorization`, or in the
//! query where the pattern says so. The time is the host's, or the server's where that was found to be
//! another ([`clock`]), and each request is signed anew, also when it is sent again. Of the headers `host`, `content-type` and `x-amz-*` are signed, and no other: what
//! a client or a proxy changes on the way must not break the signature.
//!
//! The caller's own `x-amz-date`, `x-amz-content-sha256` and `x-amz-security-token` are replaced, since
//! the plugin may write them.

mod canonical;
mod clock;
mod date;
mod payload;
mod settings;
mod signature;
mod stamp;

use countersign_plugin::{
    Account, Context, Descriptor, Edit, HttpResponse, Input, Outcome, Plugin, Reaction, Ready,
    Refusal, RequestView, export_plugin,
};

use canonical::{Headers, Parts, Paths};
use clock::Sent;
use settings::{Placement, Settings};
use signature::Signing;
use stamp::Stamp;

/// The plugin.
pub struct AwsSigV4;

/// What is signed of the caller's headers, what says that a body is framed, and the body's digest. It
/// is the same for every request, so that it is asked for once.
const SHOWN: &[&str] =
    &["header/content-encoding", "header/content-type", "header/x-amz-*", "body/sha-256"];

const DATE: &str = "x-amz-date";
const CONTENT: &str = "x-amz-content-sha256";
const TOKEN: &str = "x-amz-security-token";

impl Plugin for AwsSigV4 {
    fn descriptor() -> Descriptor {
        Descriptor::builder("AWS_SIGV4")
            .title("AWS Signature Version 4", env!("CARGO_PKG_VERSION"))
            .pattern(&[
                Input::required("aws_sigv4/service", "Service"),
                Input::optional("aws_sigv4/region", "Region"),
                Input::optional("aws_sigv4/placement", "Placement: header or query"),
                Input::optional("aws_sigv4/payload", "Payload: signed or unsigned"),
                Input::optional("aws_sigv4/expires", "Seconds that a signed query is good for"),
            ])
            .connection(&[Input::optional("region", "Region")])
            .account(&[
                Input::required("access_key_id", "Access key ID"),
                Input::required("secret_access_key", "Secret access key").secret(),
                Input::optional("session_token", "Session token").secret(),
                Input::optional("region", "Region"),
            ])
            .read(settings::READS)
            .read(SHOWN)
            .read(&["reply/header/date"])
            .write(&[
                "header/authorization",
                "header/x-amz-date",
                "header/x-amz-content-sha256",
                "header/x-amz-security-token",
                "query/X-Amz-Algorithm",
                "query/X-Amz-Credential",
                "query/X-Amz-Date",
                "query/X-Amz-Expires",
                "query/X-Amz-SignedHeaders",
                "query/X-Amz-Security-Token",
                "query/X-Amz-Signature",
            ])
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        settings::problems(account)
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        cursor: &[u8],
    ) -> Result<Outcome, Refusal> {
        let settings = Settings::of(account)?;
        let Some(request) = request else {
            return Ok(Outcome::Show(SHOWN.iter().map(|&name| name.to_owned()).collect()));
        };
        let payload = payload::hash(&settings, request)?;
        let target = Target::of(&request.url)
            .ok_or_else(|| Refusal::invalid_request("the URL of this request cannot be signed"))?;
        if !canonical::is_signable(target.query) {
            return Err(Refusal::invalid_request("the query is too long to be signed"));
        }
        let sent = Sent::new(&account.memo, cursor);
        let stamp = Stamp::of(sent.offset.of(cx.now()));
        let edits = match settings.placement {
            Placement::Header => in_header(&settings, request, &target, &stamp, &payload),
            Placement::Query => in_query(&settings, request, &target, &stamp, &payload),
        };
        let (watches, cursor) = (sent.watches(), sent.write());
        Ok(Ready { watches, cursor, ..Ready::once(edits) }.into())
    }

    fn replied(
        cx: &Context,
        account: &Account,
        reply: &HttpResponse,
        cursor: &[u8],
    ) -> Result<Reaction, Refusal> {
        let tolerated = Settings::of(account)?.tolerated();
        Ok(clock::heard(reply, &account.memo, cursor, cx.now(), tolerated))
    }
}

export_plugin!(AwsSigV4);

/// The parts of a URL that are signed, as they go on the wire.
struct Target<'a> {
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Target<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let (rest, _) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        (!host.is_empty()).then_some(Self { host, path, query })
    }
}

/// The headers that are signed whatever the placement.
fn headers<'a>(request: &'a RequestView, target: &Target<'a>) -> Headers<'a> {
    let mut headers = Headers::default();
    headers.add("host", target.host);
    for (name, value) in &request.headers {
        if name == "content-type" || name.starts_with("x-amz-") {
            headers.add(name, value);
        }
    }
    headers
}

fn in_header(
    settings: &Settings<'_>,
    request: &RequestView,
    target: &Target<'_>,
    stamp: &Stamp,
    payload: &str,
) -> Vec<Edit> {
    let mut own = vec![(DATE, stamp.time())];
    // Other services take the body's digest without being told.
    if settings.is_s3() || payload == payload::UNSIGNED {
        own.push((CONTENT, payload));
    }
    own.extend(settings.session_token.map(|token| (TOKEN, token)));
    let mut headers = headers(request, target);
    for &(name, value) in &own {
        headers.add(name, value);
    }
    let names = headers.names();
    let parts = Parts {
        method: &request.method,
        path: target.path,
        query: target.query,
        headers: &headers,
        payload,
    };
    let signing = Signing::new(settings, stamp);
    let signature = signing.sign(&parts.canonical(Paths::of(settings)));
    let mut edits: Vec<Edit> = own.iter().map(|(name, value)| Edit::header(name, value)).collect();
    edits.push(Edit::header("authorization", &signing.authorization(&names, &signature)));
    edits
}

fn in_query(
    settings: &Settings<'_>,
    request: &RequestView,
    target: &Target<'_>,
    stamp: &Stamp,
    payload: &str,
) -> Vec<Edit> {
    let headers = headers(request, target);
    let signing = Signing::new(settings, stamp);
    let (credential, expires, names) =
        (signing.credential(), settings.expires.to_string(), headers.names());
    let mut own = vec![
        ("X-Amz-Algorithm", signature::ALGORITHM),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", stamp.time()),
        ("X-Amz-Expires", &expires),
        ("X-Amz-SignedHeaders", &names),
    ];
    own.extend(settings.session_token.map(|token| ("X-Amz-Security-Token", token)));
    let query = canonical::joined(target.query, &own);
    let parts = Parts {
        method: &request.method,
        path: target.path,
        query: &query,
        headers: &headers,
        payload,
    };
    let signature = signing.sign(&parts.canonical(Paths::of(settings)));
    own.push(("X-Amz-Signature", &signature));
    own.iter().map(|(name, value)| Edit::query(name, value)).collect()
}

#[cfg(test)]
mod tests;
