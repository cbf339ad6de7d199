//! OAUTH_DEVICE: OAuth 2.0 for users who consent on another device (RFC 8628).
//!
//! The grant asks for a code, shows it to the user with the page to type it at, and then asks the token
//! endpoint again and again, at the interval that the server wants, whether the user is done. Everything
//! after that is OAUTH's: tokens, renewal, revocation, the credential on requests.

mod device;
mod grant;

use countersign_plugin::{
    Account, Context, Descriptor, Event, Flow, HttpResponse, Outcome, Plugin, Purpose, Reaction,
    Refusal, RequestView, Step, export_flow_plugin,
};
use countersign_plugin_oauth::{OAuth, common};

use device::{DEVICE_URI, VERIFICATION_URI};

/// The plugin.
pub struct OAuthDevice;

impl Plugin for OAuthDevice {
    fn descriptor() -> Descriptor {
        let builder = Descriptor::builder("OAUTH_DEVICE");
        common(builder.title("OAuth 2.0 for devices", env!("CARGO_PKG_VERSION")))
            .read(&[DEVICE_URI])
            .fetch(&[DEVICE_URI])
            // Where the page may be: the server names it, and the host holds it against these.
            .visit(&[DEVICE_URI, VERIFICATION_URI])
            .build()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        cursor: &[u8],
    ) -> Result<Outcome, Refusal> {
        OAuth::authorize(cx, account, request, cursor)
    }

    fn replied(
        cx: &Context,
        account: &Account,
        reply: &HttpResponse,
        cursor: &[u8],
    ) -> Result<Reaction, Refusal> {
        OAuth::replied(cx, account, reply, cursor)
    }
}

impl Flow for OAuthDevice {
    fn begin(cx: &Context, account: &Account, purpose: &Purpose) -> Result<Step, Refusal> {
        match purpose {
            Purpose::Grant(_) => grant::begin(account),
            other => OAuth::begin(cx, account, other),
        }
    }

    fn resume(
        cx: &Context,
        account: &Account,
        event: &Event,
        cursor: &[u8],
    ) -> Result<Step, Refusal> {
        match grant::Cursor::read(cursor) {
            Some(cursor) => grant::resume(cx, account, event, cursor),
            None => OAuth::resume(cx, account, event, cursor),
        }
    }
}

export_flow_plugin!(OAuthDevice);

#[cfg(test)]
mod tests;
