//! DIGEST: RFC 7616.
//!
//! A request goes out bare until the server has sent a challenge; then it is sent once more with the
//! answer, and so are later ones at once, each with the next count of the challenge's nonce. The host
//! drops an answer whose memo has moved meanwhile, so no count is used twice.
//!
//! A reply of 401 to an answer means one of three things. The nonce is over, which the server says
//! (`stale`), or may have forgotten to where the nonce is an old one: the new challenge is answered.
//! The request belongs to another realm: the same. Or it is the password, which is not tried twice:
//! the request is refused.

mod algorithm;
mod answer;
mod challenge;
mod grammar;
mod login;
mod reply;
mod session;

use countersign_plugin::{
    Account, BodyView, Context, Descriptor, Edit, HttpResponse, Input, Outcome, Plugin, Reaction,
    Ready, Refusal, RequestView, Watch, export_plugin,
};

use algorithm::{Hash, hex};
use answer::Message;
use challenge::Protection;
use login::{Login, PASSWORD, USERNAME};
use reply::{AUTHENTICATION_INFO, REFUSED, WWW_AUTHENTICATE};
use session::{Sent, Session};

/// Bytes of a body that every host can show. A longer one that is not in view is past its bound, and to
/// ask again would be to ask without end.
const SURELY_SHOWN: u64 = 16 << 10;

/// The plugin.
pub struct Digest;

impl Plugin for Digest {
    fn descriptor() -> Descriptor {
        Descriptor::builder("DIGEST")
            .title("Digest authentication", env!("CARGO_PKG_VERSION"))
            .account(&[
                Input::required("username", "User name"),
                Input::required("password", "Password").secret(),
            ])
            .read(&[USERNAME, PASSWORD, "body"])
            .read(&["reply/header/www-authenticate", "reply/header/authentication-info"])
            .write(&["header/authorization"])
            .need("send", &["bare"])
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        let names = [USERNAME, PASSWORD];
        names.into_iter().filter_map(|name| login::check(account, name).err()).collect()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        cursor: &[u8],
    ) -> Result<Outcome, Refusal> {
        let login = Login::of(account)?;
        if cursor == REFUSED {
            let message = "the provider accepts no answer with this user name and password";
            return Err(Refusal::reauthorize(message).at(PASSWORD));
        }
        let Some(mut session) = Session::read(&account.memo) else {
            return Ok(watching(Ready::once(Vec::new())).into());
        };
        let hash = session.challenge.algorithm().hash;
        let covers_body = session.challenge.protection == Protection::AuthInt;
        let wish = || {
            let wish = covers_body.then(|| hash.wish().to_owned());
            Ok(Outcome::Show(wish.into_iter().collect()))
        };
        let Some(request) = request else { return wish() };
        let body = match covers_body.then(|| body_hash(hash, &request.body)) {
            None => None,
            Some(Shown::Hash(body)) => Some(body),
            Some(Shown::NotAsked) => return wish(),
            Some(Shown::TooLong) => {
                let message = "the server wants the body covered, which is too long to be seen";
                return Err(Refusal::invalid_request(message));
            }
        };
        let message =
            Message { method: &request.method, uri: uri(&request.url), body: body.as_deref() };
        session.count += 1;
        let cnonce = match &session.prime {
            Some((_, cnonce)) => cnonce.clone(),
            None => cnonce(cx),
        };
        let value = answer::credential(&session, session.count, &cnonce, &login, &message);
        let sent = Sent {
            fresh: session.count == 1 || !cursor.is_empty(),
            realm: session.challenge.realm.clone(),
            nonce: session.challenge.nonce.clone(),
        };
        let ready = Ready {
            memo: Some(session.write()),
            cursor: sent.write(),
            ..Ready::once(vec![Edit::header("authorization", &value)])
        };
        Ok(watching(ready).into())
    }

    fn replied(
        cx: &Context,
        account: &Account,
        reply: &HttpResponse,
        cursor: &[u8],
    ) -> Result<Reaction, Refusal> {
        let known = Session::read(&account.memo);
        let sent = Sent::read(cursor);
        if reply.status == 401 {
            reply::challenged(&reply.headers, known, sent.as_ref(), || cnonce(cx))
        } else {
            Ok(reply::accepted(&reply.headers, known, sent))
        }
    }
}

fn watching(mut ready: Ready) -> Ready {
    let watch = |status, header: &str| Watch { status, headers: vec![header.to_owned()], body: 0 };
    ready.watches = vec![watch(Some(401), WWW_AUTHENTICATE), watch(None, AUTHENTICATION_INFO)];
    ready
}

/// What nobody can guess, so that no server chooses all that is hashed.
fn cnonce(cx: &Context) -> String {
    hex(&cx.random(16))
}

/// The body as far as it can be seen.
enum Shown {
    Hash(String),
    NotAsked,
    TooLong,
}

fn body_hash(hash: Hash, body: &BodyView) -> Shown {
    match body {
        BodyView::Bytes(bytes) => Shown::Hash(hash.of(&[bytes])),
        BodyView::Digest(digest) if hash != Hash::Sha512_256 && digest.len() == hash.length() => {
            Shown::Hash(hex(digest))
        }
        BodyView::Unseen(Some(0)) => Shown::Hash(hash.of(&[b""])),
        BodyView::Unseen(length) if length.is_none_or(|it| it > SURELY_SHOWN) => Shown::TooLong,
        BodyView::Digest(_) | BodyView::Unseen(_) => Shown::NotAsked,
    }
}

/// Path and query of an absolute URL.
fn uri(url: &str) -> &str {
    let behind = url.find("://").map_or(0, |at| at + 3);
    url[behind..].find('/').map_or("/", |at| &url[behind + at..])
}

export_plugin!(Digest);

#[cfg(test)]
mod tests;
