//! Taking away what the caller sent under names that the plugin may write.

use http::{HeaderMap, HeaderName};
use url::Url;

use super::{cookie, query};
use crate::needs::Granted;
use crate::needs::header::same_spelling;

/// Removes the caller's headers, parameters and cookies that the plugin may write, in every
/// spelling, whether it is going to set them or not. All else stays as it is, byte for byte.
///
/// To be called once, before the request is shown to the plugin and before the host adds headers of
/// the provider's.
pub fn strip(granted: &Granted, headers: &mut HeaderMap, url: &mut Url) {
    remove(headers, |name| granted.owns_header(name));
    if granted.writes_cookies() {
        // `Cookie_` may be a `Cookie` to the upstream, and nobody takes it apart.
        remove(headers, |name| {
            name != http::header::COOKIE && same_spelling(name.as_str(), "cookie")
        });
        cookie::remove(headers, |name| granted.may_write_cookie(name));
    }
    if granted.writes_queries() {
        query::remove(url, |name| granted.may_write_query(name));
    }
}

pub(super) fn remove(headers: &mut HeaderMap, goes: impl Fn(&HeaderName) -> bool) {
    let gone = headers.keys().filter(|name| goes(name)).cloned().collect::<Vec<_>>();
    for name in gone {
        headers.remove(name);
    }
}
