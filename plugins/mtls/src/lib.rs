//! MTLS: a client certificate, presented in the TLS handshake (RFC 8446, section 4.4.2), and nothing
//! on the request itself.
//!
//! The account's `certificate` and `private_key`; where the account has no certificate, those of the
//! connection. The certificate is public and is looked at here; the key is only named, and the host
//! does not show it.

use countersign_plugin::{
    Account, Context, Descriptor, Edit, Input, Outcome, Plugin, Ready, Refusal, RequestView,
    export_plugin,
};

/// A certificate, and its key.
type Pair = [&'static str; 2];

const ACCOUNT: Pair = ["account/certificate", "account/private_key"];
const CONNECTION: Pair = ["connection/certificate", "connection/private_key"];

/// How a certificate in PEM begins (RFC 7468, section 5.1). There may be words before it.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// The plugin.
pub struct Mtls;

impl Plugin for Mtls {
    fn descriptor() -> Descriptor {
        let certificate = || Input::optional("certificate", "Certificate, with its chain (PEM)");
        let key = || Input::optional("private_key", "Private key (PEM)").secret();
        Descriptor::builder("MTLS")
            .title("Client certificate", env!("CARGO_PKG_VERSION"))
            .account(&[certificate(), key()])
            .connection(&[certificate(), key()])
            .read(&[ACCOUNT[0], CONNECTION[0]])
            .write(&[
                "client-certificate/account/certificate",
                "client-certificate/account/private_key",
                "client-certificate/connection/certificate",
                "client-certificate/connection/private_key",
            ])
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        [ACCOUNT[0], CONNECTION[0]].iter().filter_map(|name| check(account, name).err()).collect()
    }

    fn authorize(
        _: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let there = |pair: &&Pair| account.value(pair[0]).is_some_and(|it| !it.trim().is_empty());
        let [certificate, key] =
            [ACCOUNT, CONNECTION].iter().find(there).copied().unwrap_or(ACCOUNT);
        account.require(certificate)?;
        check(account, certificate)?;
        let edit = Edit::ClientCertificate((certificate.to_owned(), key.to_owned()));
        Ok(Ready::lasting(vec![edit]).into())
    }
}

/// Whether what is there looks like a certificate in PEM. The host reads it.
fn check(account: &Account, name: &str) -> Result<(), Refusal> {
    match account.value(name) {
        Some(text) if !text.trim().is_empty() && !text.contains(CERTIFICATE) => {
            Err(Refusal::invalid_config(name, "is not a certificate in PEM"))
        }
        _ => Ok(()),
    }
}

export_plugin!(Mtls);

#[cfg(test)]
mod tests;
