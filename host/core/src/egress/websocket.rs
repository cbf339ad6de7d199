//! The opening handshake of a WebSocket (RFC 6455, section 4), from both sides.
//!
//! An upgrade ends HTTP on its connection, so nothing about it is left to chance: it is asked of an
//! upstream only where a caller's whole handshake was found good and marked as such
//! ([`WebSocket::of`]), and believed only where the upstream proves that it has read that very one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use sha1::{Digest as _, Sha1};

use super::headers::members;

/// RFC 6455, section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Bytes of a key.
const KEY: usize = 16;

/// The mark of a request that asks for a WebSocket, and does so rightly.
///
/// Put into a request's extensions, it has the upstream asked for the upgrade; a reply with status
/// 101 then has a [`Tunnel`](super::Tunnel). Without it no upgrade is asked for, and none taken.
#[derive(Clone)]
pub struct WebSocket {
    key: HeaderValue,
    /// The subprotocols that the caller offers.
    offers: Vec<HeaderValue>,
}

/// What is wrong with a handshake. In every case the caller acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Only a GET asks for a WebSocket.
    #[error("the handshake of a WebSocket is a GET")]
    Method,
    /// Only HTTP/1.1 has upgrades.
    #[error("the handshake of a WebSocket is of HTTP/1.1")]
    HttpVersion,
    /// `Upgrade` names other protocols too, or `Connection` does not name `upgrade`.
    #[error("the handshake of a WebSocket has `Upgrade: websocket` and `Connection: upgrade`")]
    Upgrade,
    /// Another version of the protocol. The answer names the right one (RFC 6455, section 4.4).
    #[error("the handshake of a WebSocket has `Sec-WebSocket-Version: 13`")]
    Version,
    /// `Sec-WebSocket-Key` is not there once, or not 16 bytes in base64.
    #[error("the handshake of a WebSocket has one `Sec-WebSocket-Key` of 16 bytes in base64")]
    Key,
    /// It has a body.
    #[error("the handshake of a WebSocket has no body")]
    Body,
}

impl WebSocket {
    /// The version of the protocol, as `Sec-WebSocket-Version` has it.
    pub const VERSION: &'static str = "13";

    /// Reads the head of a caller's request, before anything is taken from it. `None` where it does
    /// not ask for a WebSocket: another protocol that it may ask for is not spoken here.
    pub fn of(request: &Parts) -> Result<Option<Self>, HandshakeError> {
        let headers = &request.headers;
        let is_websocket = |it: &[u8]| it.eq_ignore_ascii_case(b"websocket");
        if !members(headers, &UPGRADE).any(is_websocket) {
            return Ok(None);
        }
        if request.method != Method::GET {
            return Err(HandshakeError::Method);
        }
        if request.version != Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion);
        }
        if !members(headers, &UPGRADE).all(is_websocket) || !names_upgrade(headers) {
            return Err(HandshakeError::Upgrade);
        }
        if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|it| it != Self::VERSION) {
            return Err(HandshakeError::Version);
        }
        let key = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
        let key = key.ok_or(HandshakeError::Key)?.clone();
        if headers.contains_key(TRANSFER_ENCODING)
            || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
        {
            return Err(HandshakeError::Body);
        }
        let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect();
        Ok(Some(Self { key, offers }))
    }

    /// Asks for the upgrade, where the request is still the handshake that was found good: edits
    /// have been on it since.
    pub(super) fn ask(
        &self,
        method: &Method,
        headers: &mut HeaderMap,
        has_body: bool,
    ) -> Result<(), HandshakeError> {
        if *method != Method::GET {
            return Err(HandshakeError::Method);
        }
        if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|it| it != Self::VERSION) {
            return Err(HandshakeError::Version);
        }
        if only(headers, &SEC_WEBSOCKET_KEY) != Some(&self.key) {
            return Err(HandshakeError::Key);
        }
        if has_body {
            return Err(HandshakeError::Body);
        }
        say_upgrade(headers);
        Ok(())
    }

    /// Checks a reply with status 101, and leaves of its headers what the caller is to have. What
    /// is wrong with it otherwise.
    pub(super) fn accept(
        &self,
        version: Version,
        headers: &mut HeaderMap,
    ) -> Result<(), &'static str> {
        let mut upgrades = members(headers, &UPGRADE);
        if version != Version::HTTP_11
            || !upgrades.next().is_some_and(|it| it.eq_ignore_ascii_case(b"websocket"))
            || upgrades.next().is_some()
            || !names_upgrade(headers)
        {
            return Err("it switches to something else than a WebSocket");
        }
        drop(upgrades);
        let proof = self.proof();
        if only(headers, &SEC_WEBSOCKET_ACCEPT).is_none_or(|accept| accept != proof.as_str()) {
            return Err("its `sec-websocket-accept` is not the right one");
        }
        super::headers::settle_reply(headers);
        headers.remove(CONTENT_LENGTH);
        say_upgrade(headers);
        // It may be nominated in `connection`, and be gone.
        if let Ok(proof) = HeaderValue::try_from(proof) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, proof);
        }
        // A plugin may have offered a credential as one; the caller is not told of it.
        if !self.offered(headers) {
            headers.remove(SEC_WEBSOCKET_PROTOCOL);
        }
        Ok(())
    }

    /// What an upstream that has read the key answers (RFC 6455, section 4.2.2).
    fn proof(&self) -> String {
        STANDARD.encode(Sha1::new().chain_update(self.key.as_bytes()).chain_update(GUID).finalize())
    }

    /// Whether the reply names one subprotocol, which the caller itself has offered.
    fn offered(&self, headers: &HeaderMap) -> bool {
        let offers = || self.offers.iter().flat_map(|it| it.as_bytes().split(|b| *b == b','));
        only(headers, &SEC_WEBSOCKET_PROTOCOL)
            .is_some_and(|chosen| offers().any(|offer| offer.trim_ascii() == chosen.as_bytes()))
    }
}

fn say_upgrade(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

fn names_upgrade(headers: &HeaderMap) -> bool {
    members(headers, &CONNECTION).any(|it| it.eq_ignore_ascii_case(b"upgrade"))
}

/// The value, where there is one line and no more.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn is_key(key: &HeaderValue) -> bool {
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == KEY)
}

#[cfg(test)]
mod tests;
