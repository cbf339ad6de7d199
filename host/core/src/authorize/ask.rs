//! One plugin, asked until it is ready or wants new state.
//!
//! It is asked blind first, or with what it wished to see last time; a wish that does not grow, or
//! a fourth one, ends the asking. An answer made from a memo that has moved is dropped.

use zeroize::Zeroizing;

use super::outgoing::{Dressed, Outgoing};
use super::{LONGEST_CURSOR, Place, renews};
use crate::client::Inner;
use crate::contract::authorizer::{Outcome, Ready};
use crate::error::Error;
use crate::facts::Facts;
use crate::memo::{LONGEST_MEMO, SeenMemo};
use crate::subject::Subject;
use crate::view::Wish;

/// Rounds of `show` (the contract's own number).
const MOST_ROUNDS: usize = 3;
/// Answers dropped because another call changed the memo meanwhile. Calls take turns once a memo is
/// known to be kept, so these are the ones that were under way before that.
const MOST_MEMO_RACES: usize = 3;

/// What a plugin came to: ready, with the memo it saw and whether it saw no request.
pub(super) enum Asked {
    Ready(Ready, SeenMemo, bool),
    Renew(Zeroizing<Vec<u8>>),
}

impl Inner {
    pub(super) async fn ask(
        &self,
        subject: &Subject,
        facts: &Facts,
        place: &Place,
        outgoing: &mut Outgoing,
        cursor: &[u8],
    ) -> Result<Asked, Error> {
        let memo = self.memo(subject, facts);
        // What it wished last time it will most likely wish again; but an answer may be remembered
        // only where it was given without sight, so without a wish it is asked blind first.
        let digest = facts.plugin.guest.digest;
        let mut wished = subject.wished(digest);
        // That may not be what this request needs; then the plugin is asked from the beginning.
        let mut guessed = wished.is_some();
        let (mut rounds, mut races) = (0, 0);
        loop {
            let wish = match &wished {
                None => None,
                Some(names) => {
                    let wish = match Wish::parse(names, &facts.granted) {
                        Ok(wish) => wish,
                        // Another host may have granted it.
                        Err(_) if guessed => {
                            (guessed, wished) = (false, None);
                            continue;
                        }
                        Err(cause) => return Err(facts.view_refused(&cause)),
                    };
                    if wish.wants_body() {
                        let most = self.settings.load().spool_bytes;
                        outgoing.spool(most).await?;
                    }
                    Some((wish, outgoing.dressed(place, &facts.granted)?))
                }
            };
            let blind = wish.is_none();
            let (method, body) = (&outgoing.method, outgoing.body.known());
            let view = || {
                wish.map(|(wish, dressed)| {
                    let Dressed { headers, url, .. } = &dressed;
                    wish.view(method, url.as_str(), headers, &body, &facts.granted)
                })
            };
            let _turn = memo.turn().await;
            let seen = memo.seen();
            let outcome = self
                .sandbox
                .authorize(
                    &facts.plugin,
                    facts.shown(&seen.bytes),
                    view,
                    Zeroizing::new(cursor.to_vec()),
                    self.moment(),
                    &facts.masker,
                )
                .await?
                .map_err(|raw| facts.refused(raw))?;
            match outcome {
                Outcome::Renew(_) if !renews(&facts.plugin) => {
                    return Err(facts
                        .broke("it asks for a renewal, and its descriptor has no flow `renew`"));
                }
                Outcome::Renew(hint) if hint.len() > LONGEST_CURSOR => {
                    return Err(facts.broke("its hint is over 64 KiB"));
                }
                Outcome::Renew(hint) => return Ok(Asked::Renew(Zeroizing::new(hint))),
                Outcome::Show(names) => {
                    let superset = wished
                        .as_ref()
                        .is_none_or(|last| last.iter().all(|name| names.contains(name)));
                    let grows = wished.as_ref().is_none_or(|last| last.len() < names.len());
                    if guessed && !(superset && grows) {
                        guessed = false;
                        wished = None;
                        continue;
                    }
                    rounds += 1;
                    if !superset || !grows || rounds > MOST_ROUNDS {
                        return Err(facts.broke("it asks to be shown more without end"));
                    }
                    // Kept only once it is known to be a wish that may be granted.
                    Wish::parse(&names, &facts.granted)
                        .map_err(|cause| facts.view_refused(&cause))?;
                    subject.wish(digest, &names);
                    wished = Some(names);
                }
                Outcome::Ready(mut ready) => {
                    let Some(bytes) = ready.memo.take() else {
                        return Ok(Asked::Ready(ready, seen, blind));
                    };
                    if bytes.len() > LONGEST_MEMO {
                        return Err(facts.broke("its memo is over 4 KiB"));
                    }
                    // An answer made from a memo that has moved (a nonce count used twice) must
                    // not be sent.
                    if self.memos.set(memo, &seen, bytes) {
                        return Ok(Asked::Ready(ready, seen, false));
                    }
                    races += 1;
                    if races > MOST_MEMO_RACES {
                        return Err(Error::Contended { plugin: facts.plugin.guest.name.clone() });
                    }
                }
            }
        }
    }
}
