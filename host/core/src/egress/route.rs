//! How a request leaves, where that is not as most do.
//!
//! Most requests leave on whatever connection is free. One that does not is never sent on such a
//! connection instead: whoever cannot send it as it has to be sent says so
//! ([`EgressError::Unsupported`](super::EgressError::Unsupported)), and it is not sent.

use super::{ClientCertificate, OwnConnection};

/// What the plugin asked of the connection itself.
#[derive(Clone, Default)]
pub struct Route {
    pub(crate) certificate: Option<ClientCertificate>,
    pub(crate) own: Option<OwnConnection>,
}

impl Route {
    /// The same on a connection of its own, of HTTP/1.1. Requests that name the same one are of one
    /// exchange and go out on the same connection, one after the other, while it stands.
    pub fn on(self, own: OwnConnection) -> Self {
        Self { own: Some(own), ..self }
    }

    /// The same on connections where this was presented, and nothing else.
    pub fn with(self, certificate: ClientCertificate) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    /// Whether nothing is asked: the request leaves as most do.
    pub fn is_ordinary(&self) -> bool {
        self.unusual().is_none()
    }

    /// What is presented, where the upstream asks for a certificate.
    pub fn certificate(&self) -> Option<&ClientCertificate> {
        self.certificate.as_ref()
    }

    /// The connection that is this exchange's alone, where there is to be one.
    pub fn own_connection(&self) -> Option<&OwnConnection> {
        self.own.as_ref()
    }

    /// The edit that makes it another than the ordinary one.
    pub(crate) fn unusual(&self) -> Option<&'static str> {
        let certificate = self.certificate.as_ref().map(|_| "client-certificate");
        certificate.or_else(|| self.own.as_ref().map(|_| "own-connection"))
    }
}
