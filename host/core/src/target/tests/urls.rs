//! Joining, editing and showing URLs.

use ::url::{Host, Url};

use super::super::{Origin, PathFault, RenderedBase, Scheme, TargetError};
use super::{account, base, strict, template};

#[test]
fn base_and_path_meet_in_one_slash() {
    for (root, path, joined) in [
        ("https://a.com", "", "/"),
        ("https://a.com", "/", "/"),
        ("https://a.com", "x", "/x"),
        ("https://a.com/", "/x", "/x"),
        ("https://a.com/api", "", "/api"),
        ("https://a.com/api", "/", "/api/"),
        ("https://a.com/api", "/x", "/api/x"),
        ("https://a.com/api/", "", "/api/"),
        ("https://a.com/api/", "x", "/api/x"),
        ("https://a.com/api/", "/x/", "/api/x/"),
    ] {
        assert_eq!(base(root).join(path, None).unwrap().path(), joined, "{root} + {path}");
    }
}

#[test]
fn the_parts_of_a_url_are_its_bytes() {
    let url = base("https://a.com:8443/api").join("/x%2Fy", Some("b=%c3&a")).unwrap();
    assert_eq!(url.as_str(), "https://a.com:8443/api/x%2Fy?b=%c3&a");
    assert_eq!(url.path(), "/api/x%2Fy");
    assert_eq!(url.query(), Some("b=%c3&a"));
    assert_eq!(url.path_and_query(), "/api/x%2Fy?b=%c3&a");
    assert_eq!(url.as_url().as_str(), url.as_str());
    assert_eq!(url.origin().scheme(), Scheme::Https);
    assert_eq!(url.origin().host(), &Host::Domain("a.com".to_owned()));
    assert_eq!(url.origin().port(), 8443);
    assert_eq!(url.clone().into_url().as_str(), url.as_str());
    let bare = base("https://a.com").join("/x", None).unwrap();
    assert_eq!((bare.path_and_query(), bare.query()), ("/x", None));
    let empty = base("https://a.com").join("/x", Some("")).unwrap();
    assert_eq!((empty.path_and_query(), empty.query()), ("/x?", Some("")));
}

#[test]
fn an_edited_path_stays_under_the_base() {
    let base = base("https://a.com/api");
    for path in ["/api", "/api/", "/api/bot123:abc/send", "/api//x"] {
        let url = base.with_path(path, Some("a=b")).unwrap();
        assert_eq!(url.path_and_query(), format!("{path}?a=b"));
        assert_eq!(base.accept(url.clone().into_url()), Ok(url));
    }
    for (path, error) in [
        ("/apix", TargetError::OutsideBase),
        ("/ap", TargetError::OutsideBase),
        ("/", TargetError::OutsideBase),
        ("", TargetError::OutsideBase),
        ("/x/api", TargetError::OutsideBase),
        ("/api/../x", TargetError::Path(PathFault::DotSegment)),
        ("/api/%2e%2e/x", TargetError::Path(PathFault::DotSegment)),
        ("/api/..;/x", TargetError::Path(PathFault::DotSegment)),
        ("//evil.com/api", TargetError::Path(PathFault::LeadingSlashes)),
        ("/api\t", TargetError::Path(PathFault::Control)),
    ] {
        assert_eq!(base.with_path(path, None), Err(error), "{path}");
    }
    let query = base.with_path("/api", Some("a\n"));
    assert_eq!(query, Err(TargetError::Query(PathFault::Control)));
}

#[test]
fn a_base_path_may_come_from_the_account() {
    let template = template("https://a.com/realms/{{realm}}/api");
    let base = template.render(&account("realm", "a b"), strict()).unwrap();
    assert_eq!(base.path(), "/realms/a%20b/api");
    assert_eq!(base.url().as_str(), "https://a.com/realms/a%20b/api");
    let url = base.join("/x", None).unwrap();
    assert_eq!(url.as_str(), "https://a.com/realms/a%20b/api/x");
    assert_eq!(base.with_path("/realms/other/api/x", None), Err(TargetError::OutsideBase));
}

#[test]
fn an_origin_is_a_base_of_its_own() {
    let origin = Origin::parse("https://files.example.com:8443").unwrap();
    let base = RenderedBase::try_from(origin.clone()).unwrap();
    assert_eq!(base.origin(), &origin);
    let url = base.with_path("/up/x", None).unwrap();
    assert_eq!(url.as_str(), "https://files.example.com:8443/up/x");
}

#[test]
fn origins_are_read_from_urls() {
    let of = |text: &str| Origin::of(&Url::parse(text).unwrap()).map(|origin| origin.to_string());
    assert_eq!(of("https://a.com:443/x?y").as_deref(), Some("https://a.com"));
    assert_eq!(of("http://a.com/x").as_deref(), Some("http://a.com"));
    assert_eq!(of("http://a.com:443").as_deref(), Some("http://a.com:443"));
    assert_eq!(of("https://u:p@[::1]:1/").as_deref(), Some("https://[::1]:1"));
    assert_eq!(of("wss://a.com"), None);
    assert_eq!(of("mailto:a@b.com"), None);
    let ports =
        [Scheme::Https, Scheme::Http].map(|scheme| (scheme.as_str(), scheme.default_port()));
    assert_eq!(ports, [("https", 443), ("http", 80)]);
}

#[test]
fn no_url_is_longer_than_can_be_sent() {
    let base = base("https://a.com");
    let room = 65_534 - "https://a.com/".len();
    let url = base.join(&"a".repeat(room), None).unwrap();
    assert!(url.as_str().parse::<http::Uri>().is_ok());
    let too_long = TargetError::Path(PathFault::TooLong);
    assert_eq!(base.join(&"a".repeat(room + 1), None), Err(too_long.clone()));
    assert_eq!(base.join("", Some(&"a".repeat(room))), Err(too_long));
    let longer = "a".repeat(65_535);
    assert_eq!(base.join("", Some(&longer)), Err(TargetError::Query(PathFault::TooLong)));
    let long = "é".repeat(1024);
    let query = ["a={{x}}"; 11].join("&");
    let filled = template(&format!("https://a.com/?{query}"));
    let error = filled.render_url(&account("x", &long), strict()).unwrap_err();
    assert_eq!(error, TargetError::Path(PathFault::TooLong));
    // Encoded over and over, it is refused before it costs a pass for every round.
    let nested = format!("/%{}41", "25".repeat(30_000));
    assert_eq!(base.join(&nested, None), Err(TargetError::Path(PathFault::Nested)));
    assert!(base.join("/%25252541", None).is_ok());
}

#[test]
fn debug_shows_the_origin_alone() {
    let base = template("https://a.com/{{x}}").render(&account("x", "hunter2"), strict()).unwrap();
    assert_eq!(format!("{base:?}"), "RenderedBase(https://a.com/…)");
    let url = base.join("/hunter3", Some("key=hunter4")).unwrap();
    assert_eq!(format!("{url:?}"), "TargetUrl(https://a.com/…)");
}
