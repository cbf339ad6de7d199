//! What the library says, as a caller is told it.
//!
//! Of a plugin's own words a caller sees none: they are untrusted, and may repeat what an upstream
//! has answered. The code says who must act.

use std::time::Duration;

use countersign::Error;

use super::{Fault, FieldFault, Kind};

/// When to come again where nothing says so: what was in the way has mostly gone by then.
const SOON: Duration = Duration::from_secs(1);

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        let code = error.kind();
        let kind = kind_of(code.as_str());
        let mut fault = Self::new(kind, code.as_str(), message(error));
        if let Some(field) = error.field() {
            fault.fields.push(FieldFault::new(field, "is at fault", code.fix()));
        }
        fault.retry_after = match kind {
            Kind::Unavailable => error.retry_after().or(Some(SOON)),
            _ => error.retry_after(),
        };
        fault
    }
}

fn kind_of(code: &str) -> Kind {
    match code {
        "invalid_request" | "target_refused" | "body_unreadable" => Kind::Invalid,
        "proxy_disabled" | "denied" | "address_refused" => Kind::Forbidden,
        "account_inactive"
        | "reauthorize"
        | "auth_pattern_unknown"
        | "auth_type_unknown"
        | "mutation_unknown"
        | "invalid_config" => Kind::Precondition,
        "unavailable" | "sandbox_busy" | "plugin_suspended" | "account_changed"
        | "store_failed" => Kind::Unavailable,
        "upstream_unreachable" | "upstream_too_large" => Kind::Upstream,
        "upstream_timeout" | "flow_timeout" => Kind::Deadline,
        _ => Kind::Internal,
    }
}

/// The library's own words, where no plugin and no upstream had a part in them.
fn message(error: &Error) -> String {
    match error {
        Error::ProxyDisabled
        | Error::Inactive(_)
        | Error::Pattern(_)
        | Error::UnknownType(_)
        | Error::UnknownMutation(_)
        | Error::Fields(_)
        | Error::Target(_) => error.to_string(),
        _ if error.code() == "reauthorize" => {
            "the account's credential no longer holds: authorize the account again, or give it new values"
                .to_owned()
        }
        // The fix stands with the field.
        _ if error.field().is_some() => error.kind().cause().trim_end_matches('.').to_owned(),
        _ => format!("{} {}", error.kind().cause(), error.kind().fix()),
    }
}

#[cfg(test)]
mod tests {
    use countersign::egress::{CertificateError, CertificateFlaw};

    use super::*;

    /// The words stand once: what has happened, which field it is, and what to do.
    #[test]
    fn an_error_with_a_field_says_each_thing_once() {
        let name = "account/certificate".to_owned();
        let flaw = CertificateFlaw::Missing;
        let error = Error::Certificate(CertificateError { name, flaw });
        let what = "A value is missing or malformed: account/certificate is at fault";
        let told = Fault::from(&error).to_string();
        assert_eq!(told, format!("{what} ({})", error.kind().fix()));
    }
}
