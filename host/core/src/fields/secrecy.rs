//! Which names speak of a secret.
//!
//! Used where a document does not say: a connection's settings, a field without `input_type`. It
//! errs towards secret; only a last word that describes rather than holds (`token_uri`,
//! `token_endpoint_auth_method`, `client_secret_expires_at`) makes a name plain.

const SECRETS: &[&str] =
    &["secret", "password", "passwd", "passphrase", "key", "token", "assertion", "credential"];
const DESCRIPTIONS: &[&str] = &[
    "uri", "url", "endpoint", "type", "method", "id", "name", "alg", "format", "at", "in",
    "seconds", "lifetime", "expiry", "header", "prefix", "override",
];

/// Whether what is kept under `name` is to be treated as a secret.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit(['_', '-', '.', '/']).next().unwrap_or_default();
    SECRETS.iter().any(|secret| name.contains(secret)) && !DESCRIPTIONS.contains(&last)
}
