//! Which of the caller's trailers go on.
//!
//! No plugin saw them and no edit replaced them, so they may hold nothing that an edit could be on:
//! what passes has no name that the plugin may write or that the provider's own headers have, in any
//! spelling; none that `Connection` named; and none that frames, routes or authenticates (RFC 9110,
//! section 6.5.1). The rest passes as it came.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::Place;
use crate::egress;
use crate::needs::Granted;

/// What the trailers of one request have to pass.
pub(crate) struct Sieve {
    pub(super) granted: Arc<Granted>,
    pub(super) place: Arc<Place>,
    /// What `Connection` named.
    pub(super) nominated: Vec<HeaderName>,
}

impl Sieve {
    /// Whether a trailer of this name goes on.
    pub(crate) fn admits(&self, name: &HeaderName) -> bool {
        egress::may_trail(name)
            && !self.granted.owns_header(name)
            && !self.place.names(name)
            && !self.nominated.contains(name)
    }

    /// Leaves what goes on.
    pub(crate) fn sift(&self, trailers: &mut HeaderMap) {
        egress::retain(trailers, |name| self.admits(name));
    }
}
