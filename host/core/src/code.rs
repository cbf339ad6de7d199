//! The stable words for errors.
//!
//! Every code that the library can give is a [`Code`], and [`Code::ALL`] is made from the same list,
//! so a code without a cause, an actor and a fix cannot exist. `docs/errors.md` shows this list.

/// A stable word for programs, with what people need to know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(&'static Entry);

/// What a code is made of: by a program around the library too, for codes of its own. Those are no
/// part of [`Code::ALL`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The word.
    pub word: &'static str,
    /// What has happened, as a sentence.
    pub cause: &'static str,
    /// Who must act.
    pub actor: &'static str,
    /// What they can do, as a sentence.
    pub fix: &'static str,
}

impl Code {
    /// The word: the same in every release.
    pub const fn as_str(self) -> &'static str {
        self.0.word
    }

    /// What has happened.
    pub const fn cause(self) -> &'static str {
        self.0.cause
    }

    /// Who must act.
    pub const fn actor(self) -> &'static str {
        self.0.actor
    }

    /// What they can do.
    pub const fn fix(self) -> &'static str {
        self.0.fix
    }

    /// The code of an entry.
    pub const fn of(entry: &'static Entry) -> Self {
        Self(entry)
    }
}

macro_rules! codes {
    ($($name:ident = $word:literal: $cause:literal, $actor:literal, $fix:literal;)*) => {
        impl Code {
            $(pub(crate) const $name: Self =
                Self(&Entry { word: $word, cause: $cause, actor: $actor, fix: $fix });)*

            /// All codes of the library.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    PROXY_DISABLED = "proxy_disabled":
        "The provider has `proxy_enabled` set to false.",
        "whoever configures the provider",
        "Set `proxy_enabled` to true in the payload.";
    ACCOUNT_INACTIVE = "account_inactive":
        "The account is disconnected, or waits for verification.",
        "whoever connects the account",
        "Connect the account again, or finish its verification.";
    AUTH_PATTERN_UNKNOWN = "auth_pattern_unknown":
        "The connection does not say which of the provider's auth patterns it uses, or names one that is not there.",
        "whoever configures the connection",
        "Set the connection's `auth_pattern` to one of the names that the message lists.";
    AUTH_TYPE_UNKNOWN = "auth_type_unknown":
        "No loaded plugin answers to the auth pattern's `type`.",
        "whoever configures the provider, or the operator",
        "Use one of the types that the message lists, or put the plugin's `.wasm` file into the plugin folder.";
    MUTATION_UNKNOWN = "mutation_unknown":
        "No loaded component serves a mutation that `auth_field_mutations` names.",
        "whoever configures the provider, or the operator",
        "Use one of the mutations that the message lists, or put the component into the plugin folder.";
    INVALID_CONFIG = "invalid_config":
        "A value is missing or malformed.",
        "whoever connects the account, or configures",
        "Give the value that `field` names, in the form that the message asks for.";
    TARGET_REFUSED = "target_refused":
        "The destination cannot be made, or leads out of what the provider lists.",
        "whoever connects the account; the caller, where the path is at fault",
        "Mend the value that `field` names, or the path; list a further origin in `allowed_proxy_domains`; for an `http:` URL use https, or `--allow-http-upstream`.";
    REAUTHORIZE = "reauthorize":
        "The credential is revoked, has expired for good, or was never given.",
        "the user",
        "Authorize the account again.";
    DENIED = "denied":
        "The provider says no to this account.",
        "the provider's administrator",
        "Give the account the rights that it lacks at the provider.";
    UNAVAILABLE = "unavailable":
        "The plugin could not get what it needs just now, from a token endpoint for example, or other requests of the account were in its way.",
        "nobody",
        "Try again later, after `retry_after` where it is given.";
    INVALID_REQUEST = "invalid_request":
        "This request cannot be authorized or sent as it is.",
        "the caller",
        "Change the request as the message says.";
    PLUGIN_FAULT = "plugin_fault":
        "The plugin trapped, ran out of time or memory, or gave an answer that cannot be read.",
        "the plugin's author",
        "Mend the plugin; until then, put its last good version back.";
    PLUGIN_SUSPENDED = "plugin_suspended":
        "The plugin faulted too often lately and is not asked for a while.",
        "the plugin's author",
        "Mend the plugin; it is asked again when the suspension ends.";
    SANDBOX_BUSY = "sandbox_busy":
        "More calls are waiting than the sandbox takes.",
        "nobody; the operator, where it lasts",
        "Try again later, or raise the sandbox's limits.";
    HOST_FAILED = "host_failed":
        "The host itself failed.",
        "the operator",
        "Look into the log for what went wrong.";
    EDIT_REFUSED = "edit_refused":
        "The plugin asked for a change of the request that its needs or the host's rules do not allow.",
        "the plugin's author",
        "Declare the need, or leave the edit out.";
    VIEW_REFUSED = "view_refused":
        "The plugin asked to see a part of the request that its needs do not cover.",
        "the plugin's author",
        "Declare the need, or ask for less.";
    PLUGIN_CONTRACT = "plugin_contract":
        "The plugin did not keep to the contract's sequence of calls.",
        "the plugin's author",
        "Mend the plugin as the message says.";
    FLOW_MISSING = "flow_missing":
        "The plugin does not have the flow that was asked for.",
        "whoever configures the provider",
        "Use an auth type whose plugin has it; `countersign plugin list` shows the flows.";
    FLOW_TIMEOUT = "flow_timeout":
        "The fetches of a flow took too long together.",
        "nobody; the provider's operator, where it lasts",
        "Try again later.";
    FLOW_REFUSED = "flow_refused":
        "The plugin asked for a step of a flow that the host does not allow.",
        "the plugin's author",
        "Declare the need, or keep within the contract's bounds.";
    CALLBACK_REFUSED = "callback_refused":
        "The browser's answer does not belong to the flow that waits.",
        "the user",
        "Begin the authorization anew.";
    UNSUPPORTED = "unsupported":
        "The plugin asks something of the connection that whoever sends the requests here does not do.",
        "the operator",
        "Send by the host's own egress, or use another way to authenticate.";
    ADDRESS_REFUSED = "address_refused":
        "The host is, or resolves to, an address that is not public.",
        "the operator",
        "Allow the network (`--allow-upstream CIDR`) if this is meant.";
    UPSTREAM_TIMEOUT = "upstream_timeout":
        "The upstream was silent for too long.",
        "the upstream's operator",
        "Try again later; whether the upstream acted on the request is not known.";
    UPSTREAM_TOO_LARGE = "upstream_too_large":
        "A fetched answer is longer than the limit.",
        "the upstream's operator, or the plugin's author",
        "Have a smaller answer asked for.";
    UPSTREAM_UNREACHABLE = "upstream_unreachable":
        "The upstream could not be reached, is not trusted, or broke off.",
        "the upstream's operator, or whoever runs the network",
        "Check the host's name, its certificate and the network.";
    STORE_FAILED = "store_failed":
        "State could not be read or kept.",
        "the operator",
        "Check the store; a new state that could not be kept was not used.";
    ACCOUNT_CHANGED = "account_changed":
        "The account or its connection was changed while the request was on its way.",
        "nobody",
        "Send the request again.";
    BODY_UNREADABLE = "body_unreadable":
        "The request's body broke off.",
        "the caller",
        "Send the request again, with the whole body.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_one_word_of_its_own_and_says_who_acts_and_how() {
        let words: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            let word = code.as_str();
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word}");
            for text in [code.cause(), code.actor(), code.fix()] {
                assert!(!text.is_empty() && !text.contains('|'), "{word}: {text}");
            }
        }
    }
}
