//! The codes of the command itself, beside those of the library.

use countersign::code::{Code, Entry};

macro_rules! codes {
    ($($name:ident = $word:literal: $cause:literal, $actor:literal, $fix:literal;)*) => {
        $(pub(crate) const $name: Code =
            Code::of(&Entry { word: $word, cause: $cause, actor: $actor, fix: $fix });)*

        /// All codes that only the command gives.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    FILE_UNREADABLE = "file_unreadable":
        "A file that the command line names cannot be read.",
        "whoever runs the command",
        "Check the path and its permissions.";
    CASE_INVALID = "case_invalid":
        "A case, or a file of one, is not JSON or not of the documented shape.",
        "whoever wrote it",
        "Write it as docs/inject.md says.";
    PROVIDER_INVALID = "provider_invalid":
        "The provider's payload has errors.",
        "whoever wrote the payload",
        "Mend what the message lists; `countersign provider check` shows each with its fix.";
    CONNECTION_INVALID = "connection_invalid":
        "The connection's settings have errors.",
        "whoever configures the connection",
        "Mend what the message lists.";
    ACCOUNT_INVALID = "account_invalid":
        "The connected account's document has errors.",
        "whoever connects the account",
        "Mend what the message lists.";
    STATE_INVALID = "state_invalid":
        "The account's state has errors.",
        "whoever keeps the state",
        "Mend what the message lists, or leave the state out.";
    ANSWERS_MISSING = "answers_missing":
        "The plugin wants a fetch that `answers` has no scripted reply for.",
        "whoever wrote the case",
        "`inject` sends nothing itself: add a reply to `answers` for the origin that the message names, or let `request --state FILE` fetch, and name the file to `inject`.";
    COMPONENT_REFUSED = "component_refused":
        "This host does not accept the component.",
        "the plugin's author; the operator, where it is a conflict or carries an interpreter",
        "Mend what the message names.";
    CASES_MISSING = "cases_missing":
        "There is no case to test the component with, and the checks begin with cases.",
        "the plugin's author",
        "Write a case as docs/plugins/testing.md says, into `vectors/`, or name its file.";
    CASES_INVALID = "cases_invalid":
        "A file of cases is not of the documented shape, or does not fit the component.",
        "whoever wrote it",
        "Mend each place that the message lists; docs/plugins/testing.md has the format.";
    TEST_FAILED = "test_failed":
        "A case went otherwise than it says.",
        "the plugin's author",
        "Mend what the report lists, findings first; where a case is what is wrong, mend it, or have it written with `--bless`.";
    CHECK_FAILED = "check_failed":
        "Each case went as it says, and a check found something.",
        "the plugin's author",
        "Mend the plugin as the report says below each finding; what a case expects has no part in it.";
    PROJECT_INVALID = "project_invalid":
        "A folder is no project of a plugin, or a project cannot be made there.",
        "whoever runs the command",
        "Do as the message says; `countersign plugin new NAME` makes a project.";
    TOOL_MISSING = "tool_missing":
        "A plugin cannot be built because a tool of its language is not on this machine.",
        "whoever keeps the machine",
        "Get it as the message says.";
    BUILD_FAILED = "build_failed":
        "The tool of a plugin's language does not build it.",
        "the plugin's author",
        "Mend what the tool says above.";
    POLICY_INVALID = "policy_invalid":
        "The file of `--policy` is not of the documented shape, or names a need or an auth type that is not there.",
        "the operator",
        "Mend what the message lists; `countersign plugin inspect` shows what a plugin asks for, in the words to use.";
    HOST_UNUSABLE = "host_unusable":
        "The sandbox, the plugin folder or the way out cannot be set up.",
        "the operator",
        "Check what the message names: the plugin folder, the certificate authorities, the mappings.";
    CONFIG_INVALID = "config_invalid":
        "The server's configuration has a key that is unknown, a value that does not fit, or lacks what another setting needs.",
        "the operator",
        "Mend each key that the message names; `countersign config check` shows all that is wrong, docs/configuration.md all there is.";
    DATA_UNUSABLE = "data_unusable":
        "The data folder or the database in it cannot be used.",
        "the operator",
        "Check what the message names: that the folder is the one of the server (`--data`), its permissions, the disk.";
    MASTER_KEY_UNUSABLE = "master_key_unusable":
        "The master key is not there, cannot be read, or is not the one that the vault was sealed under.",
        "the operator",
        "Put the key back that the message names, or say in `master_keys` where it is; nothing else opens the vault.";
    LISTEN_FAILED = "listen_failed":
        "The server cannot listen at its address.",
        "the operator",
        "Stop whatever listens there already, or choose another address with `--listen`.";
    TLS_UNUSABLE = "tls_unusable":
        "The server's certificate or its key cannot be read, or they do not belong together.",
        "the operator",
        "Check the files of `tls.certificate` and `tls.key`.";
    CLIENT_REFUSED = "client_refused":
        "The client of COUNTERSIGN_CLIENT_ID and COUNTERSIGN_CLIENT_SECRET cannot be kept.",
        "the operator",
        "Mend the variable that the message names, or unset both.";
    CLIENT_UNKNOWN = "client_unknown":
        "There is no such client, or it is revoked.",
        "whoever runs the command",
        "Look for its id with `countersign client list`.";
    NOT_CONFIRMED = "not_confirmed":
        "Nobody confirmed what cannot be undone.",
        "whoever runs the command",
        "Answer `y`, or give `--yes`.";
    GATEWAY_URL = "gateway_url":
        "The gateway's URL is none that credentials may be sent to.",
        "whoever runs the command",
        "Mend `--url` or COUNTERSIGN_URL as the message says.";
    CREDENTIALS_MISSING = "credentials_missing":
        "The environment does not say who calls the gateway.",
        "whoever runs the command",
        "Set the variables that the message names; `countersign client create` makes a client.";
    GATEWAY_UNREACHABLE = "gateway_unreachable":
        "The gateway could not be reached, is not trusted, or broke off.",
        "whoever runs the command; the gateway's operator, where it lasts",
        "Check `--url`, that the gateway runs, and `--ca` where its certificate is of an authority of your own.";
    GATEWAY_UNREADABLE = "gateway_unreadable":
        "What answered is no gateway, or one of another version.",
        "whoever runs the command",
        "Check `--url`.";
    GATEWAY_REFUSED = "gateway_refused":
        "The gateway refused the call; the message begins with its own code.",
        "whoever the gateway's own code is for",
        "Do as docs/api.md, or docs/errors.md, says of the code that the message begins with.";
    NAME_UNKNOWN = "name_unknown":
        "The gateway has nothing of this name, or several.",
        "whoever runs the command",
        "Look for the name with `list`.";
    DOCUMENT_INVALID = "document_invalid":
        "A document for a gateway is not there or no JSON object.",
        "whoever wrote it",
        "Write it as docs/command-line.md says.";
    DEMO_FAILED = "demo_failed":
        "The demo's upstream did not see what it should have seen.",
        "whoever builds the program",
        "Report it as a fault of this release.";
    OUTPUT_FAILED = "output_failed":
        "Standard output cannot be written to.",
        "whoever runs the command",
        "Check the disk, or where the output is sent.";
}
