//! The public table of odd paths and queries. The egress tests send the same table over a socket.

use ::url::Url;
use serde::Deserialize;

use super::super::{PathFault, TargetError, climbs_to_some};
use super::base;

const TABLE: &str = include_str!("../../../../../tests/vectors/paths.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    path: String,
    query: Option<String>,
    url: Option<String>,
    refused: Option<String>,
}

#[test]
fn a_fragment_is_refused_where_it_stands() {
    let base = base("https://api.example.com/api");
    assert_eq!(base.join("/a#b", None), Err(TargetError::Path(PathFault::Fragment)));
    assert_eq!(base.join("/a", Some("b#c")), Err(TargetError::Query(PathFault::Fragment)));
}

#[test]
fn a_way_up_is_seen_as_any_server_may_read_it() {
    for path in ["/a/../b", "/a/..;x=1/b", "/a/%2e%2e/b", "/a/%252e./b", "/..%5c"] {
        assert!(climbs_to_some(path), "{path}");
    }
    for path in ["/a/b", "/a..b/...", "/a;..=1", "/%2f"] {
        assert!(!climbs_to_some(path), "{path}");
    }
}

#[test]
fn the_table_of_odd_paths_and_queries_holds() {
    let cases: Vec<Case> = serde_json::from_str(TABLE).unwrap();
    assert!(cases.len() >= 100);
    let base = base("https://api.example.com/api");
    for Case { path, query, url, refused } in cases {
        let joined = base.join(&path, query.as_deref());
        match (url, refused) {
            (Some(url), None) => {
                let joined = joined.unwrap_or_else(|error| panic!("{path:?} {query:?}: {error}"));
                assert_eq!(joined.as_str(), url);
                // What is sent is what was checked: neither parser on the way changes a byte.
                assert_eq!(Url::parse(&url).unwrap().as_str(), url);
                let wire: http::Uri = url.parse().unwrap();
                assert_eq!(wire.authority().unwrap(), "api.example.com");
                assert_eq!(wire.path_and_query().unwrap(), joined.path_and_query());
            }
            (None, Some(refused)) => match joined.unwrap_err() {
                TargetError::Path(fault) | TargetError::Query(fault) => {
                    assert_eq!(format!("{fault:?}"), refused, "{path:?} {query:?}");
                }
                other => panic!("{path:?} {query:?}: {other:?}"),
            },
            _ => panic!("{path:?}: either a URL or a refusal"),
        }
    }
}
