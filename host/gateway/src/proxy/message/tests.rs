use super::*;

/// Also where no plugin writes the header that it stands in.
#[test]
fn what_is_for_the_gateway_alone_goes_no_further() {
    let all = [
        ("authorization", "Bearer of-the-gateway"),
        ("connection_name", "api"),
        ("connection-name", "api"),
        ("identifier", "u1"),
        ("expect", "100-continue"),
        ("forwarded", "for=10.0.0.1"),
        ("cookie", "a=b"),
        ("x-own", "1"),
    ];
    for (pass_cookies, left) in [(false, vec!["x-own"]), (true, vec!["cookie", "x-own"])] {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(name, HeaderValue::from_static(value));
            headers.append(name, HeaderValue::from_static("again"));
        }
        strip(&mut headers, pass_cookies);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, left);
    }
}
