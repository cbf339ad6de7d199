//! NTLM over HTTP: MS-NTHT, with the messages of MS-NLMP. NTLMv2 alone.
//!
//! A request takes two legs on one connection, which is its own (`own-connection`) and holds for nothing
//! else. The first leg brings the negotiate message, and the server's 401 the challenge; the second leg
//! brings the answer. A 401 to the answer is the server's word on the account: the request is refused, and
//! the password not tried twice.
//!
//! The caller's body goes out with the answer, to a server that has been asked for its challenge, and
//! not before: the first leg is without it, as browsers and curl have it. So it has to be one that the
//! host can send after a reply; another is refused before anything is sent. And a reply to a request whose
//! body was left away is no reply to the caller's: where a server does not ask who is there, it is sent the
//! whole; where it has done something with what it had, the request is refused.

mod answer;
mod challenge;
mod leg;
mod login;
mod message;
mod proof;
mod target;

use countersign_plugin::{
    Account, BodyView, Context, Descriptor, Edit, HttpResponse, Input, Next, Outcome, Plugin,
    Reaction, Ready, Refusal, RequestView, Watch, export_plugin,
};
use md5::{Digest as _, Md5};

use answer::answer;
use challenge::{Challenge, Found, WWW_AUTHENTICATE};
use leg::{Sent, Turn};
use login::{DOMAIN, Login, PASSWORD, USERNAME, WORKSTATION};
use message::NEGOTIATE;

/// Has the host keep the body, so that it can be sent with the answer. The digest itself says whether
/// there is one.
const KEPT: &str = "body/md5";

/// The plugin.
pub struct Ntlm;

impl Plugin for Ntlm {
    fn descriptor() -> Descriptor {
        Descriptor::builder("NTLM")
            .title("NTLM", env!("CARGO_PKG_VERSION"))
            .account(&[
                Input::required("username", "User name (name, DOMAIN\\name or name@domain)"),
                Input::required("password", "Password").secret(),
                Input::optional("domain", "Domain"),
                Input::optional("workstation", "Workstation"),
            ])
            .read(&[USERNAME, PASSWORD, DOMAIN, WORKSTATION, "body"])
            .read(&["reply/header/www-authenticate"])
            .write(&["header/authorization", "body", "own-connection"])
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        login::problems(account)
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        cursor: &[u8],
    ) -> Result<Outcome, Refusal> {
        let login = Login::of(account)?;
        match Turn::read(cursor) {
            Turn::Answer(message) => {
                let challenge = Challenge::parse(message).map_err(Refusal::denied)?;
                let mut nonce = [0; 8];
                for (to, from) in nonce.iter_mut().zip(cx.random(8)) {
                    *to = from;
                }
                let answer = answer(&login, &challenge, nonce, proof::file_time(cx.now()))
                    .ok_or_else(|| Refusal::denied("the server's challenge is too long"))?;
                Ok(ready(&answer, Sent::Answer).into())
            }
            Turn::Whole => Ok(ready(&NEGOTIATE, Sent::Whole).into()),
            Turn::First => match request {
                None => Ok(Outcome::Show(vec![KEPT.to_owned()])),
                Some(request) if has_body(&request.body)? => {
                    let mut ready = ready(&NEGOTIATE, Sent::Emptied);
                    ready.edits.push(Edit::SetBody(Vec::new()));
                    Ok(ready.into())
                }
                Some(_) => Ok(ready(&NEGOTIATE, Sent::Whole).into()),
            },
        }
    }

    fn replied(
        _: &Context,
        _: &Account,
        reply: &HttpResponse,
        cursor: &[u8],
    ) -> Result<Reaction, Refusal> {
        let turn = match (reply.status, Sent::read(cursor)) {
            (401, Some(Sent::Answer)) => {
                let message = "the provider does not accept this user name and password";
                return Err(Refusal::reauthorize(message).at(PASSWORD));
            }
            (401, Some(Sent::Whole | Sent::Emptied)) => match challenge::found(&reply.headers) {
                // Nothing was done, and the server wants something else than NTLM.
                Found::Nothing => return Ok(Reaction::deliver()),
                Found::Unusable(why) => return Err(Refusal::denied(why)),
                Found::Usable(message) => Turn::Answer(&message).write(),
            },
            (200..=299, Some(Sent::Emptied)) => {
                let message = "the server asks for no NTLM, and took the request without its body";
                return Err(Refusal::denied(message));
            }
            (_, Some(Sent::Emptied)) => Turn::Whole.write(),
            _ => return Ok(Reaction::deliver()),
        };
        Ok(Reaction { next: Next::Again(turn), memo: None })
    }
}

/// One leg.
fn ready(message: &[u8], sent: Sent) -> Ready {
    let value = message::credential(message);
    let edits = vec![Edit::header("authorization", &value), Edit::OwnConnection];
    let any = Watch { status: None, headers: Vec::new(), body: 0 };
    let challenged =
        Watch { status: Some(401), headers: vec![WWW_AUTHENTICATE.to_owned()], body: 0 };
    let watches = match sent {
        Sent::Whole => vec![challenged],
        Sent::Emptied => vec![challenged, any],
        Sent::Answer => vec![Watch { status: Some(401), ..any }],
    };
    Ready { watches, cursor: sent.write(), ..Ready::once(edits) }
}

/// Whether there is a body, which can then be sent once more.
fn has_body(body: &BodyView) -> Result<bool, Refusal> {
    match body {
        BodyView::Unseen(Some(0)) => Ok(false),
        BodyView::Unseen(_) => {
            let message = "the body is longer than what the host can keep for NTLM's second leg";
            Err(Refusal::invalid_request(message))
        }
        BodyView::Digest(digest) => Ok(digest[..] != Md5::digest(b"")[..]),
        BodyView::Bytes(bytes) => Ok(!bytes.is_empty()),
    }
}

export_plugin!(Ntlm);

#[cfg(test)]
mod tests;
