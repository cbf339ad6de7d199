//! `countersign demo`.

use super::run;

const SECRETS: &[&str] = &[
    "example-access-token",
    "example-refresh-token",
    "example-bearer-token",
    "example-api-key",
    "ZXhhbXBsZS1hcGkta2V5",
    "example-integration-token",
    "example-client-key",
];

#[test]
fn shows_five_requests_and_hides_their_secrets_at_any_log_level() {
    for arguments in [&["demo"][..], &["demo", "--log", "trace"]] {
        let run = run(arguments);
        assert_eq!(run.code, 0, "{}", run.err);
        run.hides(SECRETS);
        for shown in [
            "GET https://app.asana.com/api/1.0/users/me",
            "authorization: Bearer [masked]",
            "GET https://yourcompany.freshdesk.com/api/v2/tickets",
            "authorization: Basic [masked]",
            "X_TIMESTAMPED_KEY",
            ".[masked]",
            "All five arrived",
        ] {
            assert!(run.out.contains(shown), "{shown}: {}", run.out);
        }
    }
}

#[test]
fn reveals_when_asked_to() {
    let run = run(&["demo", "--reveal"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for secret in SECRETS {
        assert!(run.out.contains(secret), "{secret}: {}", run.out);
    }
}
