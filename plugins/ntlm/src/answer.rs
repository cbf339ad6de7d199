//! From a challenge to the authenticate message that answers it: MS-NLMP, section 3.1.5.1.2.

use crate::{
    challenge::Challenge,
    login::Login,
    message::{Authenticate, CODE, NEGOTIATE, flag},
    proof::{key, mac, proof, said, session_key, utf16},
};

/// The message; `None` where the challenge makes it too long. `nonce` is ours, and nobody can guess it;
/// `now` counts where the server does not say its time.
pub(crate) fn answer(
    login: &Login<'_>,
    challenge: &Challenge<'_>,
    nonce: [u8; 8],
    now: [u8; 8],
) -> Option<Vec<u8>> {
    let timestamp = challenge.target.timestamp();
    let mut target = challenge.target.clone();
    if timestamp.is_some() {
        target = target.with_code();
    }
    let key = key(login.user, login.domain, login.password);
    let said = said(timestamp.unwrap_or(now), nonce, &target.write());
    let proof = proof(&key, challenge.nonce, &said);
    let message = Authenticate {
        domain: &utf16(login.domain.chars()),
        user: &utf16(login.user.chars()),
        workstation: &utf16(login.workstation.chars()),
        response: &[&proof[..], &said].concat(),
        flags: flag::WANTED & challenge.flags,
    };
    let mut message = message.write()?;
    if timestamp.is_some() {
        let code = mac(&session_key(&key, &proof), &[&NEGOTIATE, challenge.message, &message]);
        for (to, from) in message.iter_mut().skip(CODE).zip(code) {
            *to = from;
        }
    }
    Some(message)
}

#[cfg(test)]
mod tests;
