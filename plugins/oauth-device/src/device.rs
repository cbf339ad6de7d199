//! What a device authorization endpoint answers (RFC 8628, section 3.2), judged.
//!
//! No refusal repeats what a server wrote, but for error codes that an RFC registers.

use countersign_plugin::{
    HttpResponse, Refusal,
    flow::{
        error,
        json::{Object, Value},
    },
};
use countersign_plugin_oauth::TOKEN_URI;

/// The value that holds the device authorization endpoint.
pub(crate) const DEVICE_URI: &str = "pattern/oauth_config/device_authorization_uri";
/// The page for users, where it is on another origin.
pub(crate) const VERIFICATION_URI: &str = "pattern/oauth_config/verification_uri";

/// Seconds between two questions, where the server does not say (section 3.2).
const INTERVAL: u32 = 5;
/// The longest code taken, for the device and for the user.
const LONGEST: usize = 16 << 10;
const LONGEST_FOR_USERS: usize = 64;

/// What the user is shown, and what is asked with.
#[derive(Debug, PartialEq)]
pub(crate) struct Codes {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    /// With the code in it, where the server gives that.
    pub(crate) page: String,
    /// Seconds that the codes are good for.
    pub(crate) expires_in: u32,
    pub(crate) interval: u32,
}

impl Codes {
    pub(crate) fn read(reply: &HttpResponse) -> Result<Self, Refusal> {
        let object = Object::parse(&reply.body);
        let says_error = object.as_ref().is_some_and(|object| object.member("error").is_some());
        if !(200..300).contains(&reply.status) || says_error {
            return Err(named(error(reply)));
        }
        let object = object.ok_or_else(odd)?;
        let text = |name: &str| object.text(name).filter(|text| !text.is_empty());
        // Google's name for it, from before the RFC.
        let page = text("verification_uri_complete").or_else(|| text("verification_uri"));
        let page = page.or_else(|| text("verification_url")).ok_or_else(odd)?;
        let code = |name: &str, longest: usize| {
            let code = text(name).filter(|code| {
                code.len() <= longest && !code.contains(|c: char| c.is_control() || !c.is_ascii())
            });
            code.map(str::to_owned).ok_or_else(odd)
        };
        Ok(Self {
            device_code: code("device_code", LONGEST)?,
            user_code: code("user_code", LONGEST_FOR_USERS)?,
            page: page.to_owned(),
            expires_in: seconds(&object, "expires_in")?.ok_or_else(odd)?,
            interval: seconds(&object, "interval")?.unwrap_or(INTERVAL),
        })
    }
}

/// Above zero; as a string too, as some servers send it. No interval of 0 is kept to.
fn seconds(object: &Object, name: &str) -> Result<Option<u32>, Refusal> {
    let seconds = match object.member(name) {
        None => return Ok(None),
        Some(Value::Integer(seconds)) => Some(*seconds),
        Some(Value::Text(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match seconds {
        Some(0) => Ok(None),
        Some(seconds @ 1..) => Ok(Some(seconds.try_into().unwrap_or(u32::MAX))),
        _ => Err(odd()),
    }
}

/// The endpoint speaks as the token endpoint does (section 3.2), and is another one.
fn named(mut refusal: Refusal) -> Refusal {
    if refusal.field.as_deref() == Some(TOKEN_URI) {
        refusal = refusal.at(DEVICE_URI);
    }
    refusal.message = refusal.message.replace("token endpoint", "device authorization endpoint");
    refusal
}

fn odd() -> Refusal {
    Refusal::unavailable("the device authorization endpoint's answer cannot be used")
}
