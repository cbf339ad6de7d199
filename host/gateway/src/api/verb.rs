//! `/connections/{id}:enable`: what is done to one row.
//!
//! The router takes a segment whole or not at all, so the two halves are set apart before it looks,
//! by a mark that no request comes through with.

use axum::extract::Request;
use http::Uri;
use http::uri::PathAndQuery;

/// The verbs that follow a row's id.
const VERBS: [&str; 3] = ["enable", "disable", "rotate"];

/// Before a verb, in the router.
const MARK: &str = "/!";

/// A route as the router takes it.
pub(super) fn split_path(path: &str) -> String {
    path.replace("}:", &format!("}}{MARK}"))
}

/// A request as the router takes it.
pub(super) fn split(mut request: Request) -> Request {
    if let Some(path) = split_of(request.uri().path()) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        // A path with one more character of ASCII in it is one.
        if let Ok(path) = PathAndQuery::try_from(path + &query) {
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(path);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

/// The path with its verb set apart; of one that has the mark already, a path that is none.
fn split_of(path: &str) -> Option<String> {
    if path.contains(MARK) {
        return Some("/".to_owned());
    }
    let (before, verb) = path.rsplit_once(':')?;
    let (above, id) = before.rsplit_once('/')?;
    let of_a_row = !id.is_empty() && above != "/api/v1" && VERBS.contains(&verb);
    of_a_row.then(|| format!("{before}{MARK}{verb}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_set_apart_from_a_row_and_from_nothing_else() {
        for (path, expected) in [
            ("/api/v1/connections/conn_1:enable", Some("/api/v1/connections/conn_1/!enable")),
            ("/api/v1/connections/a:b:disable", Some("/api/v1/connections/a:b/!disable")),
            ("/api/v1/clients/skc_1:rotate", Some("/api/v1/clients/skc_1/!rotate")),
            ("/api/v1/connections/conn_1:eat", None),
            ("/api/v1/connections/:enable", None),
            ("/api/v1/connected_accounts:delete", None),
            ("/api/v1/connections/conn_1/!enable", Some("/")),
        ] {
            assert_eq!(split_of(path).as_deref(), expected, "{path}");
        }
        assert_eq!(split_path("/clients/{id}:rotate"), "/clients/{id}/!rotate");
    }
}
