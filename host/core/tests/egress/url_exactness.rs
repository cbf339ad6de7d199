//! What was checked is what is sent: the request line is the URL's text, byte for byte.

use countersign::egress::EgressError;

use crate::upstream::{EMPTY, Recorder, Then};
use crate::{egress, get};

#[tokio::test]
async fn the_request_line_is_the_url_byte_for_byte_or_the_request_is_refused() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let egress = egress();
    let exact = [
        "/",
        "//",
        "//evil.example/x",
        "/a//b///c",
        "/a%2Fb",
        "/a%2fb",
        "/%00",
        "/%0d%0aHost:%20evil",
        "/a%20b+c",
        "/caf%C3%A9",
        "/%ff%fe",
        "/a;b=c,d",
        "/@evil.example",
        "/:8443/x",
        "/x?",
        "/x??",
        "/x?a=1&a=2&&b",
        "/x?q=%22%27%3C%3E",
        "/x?next=https://evil.example/?y=1",
        "/x?a=[1]&b={2}",
        "/x?a|b^c`d",
        "/a|b",
        "/a[b]",
        "/~user/!$&()*+,;=:@",
        "/...",
        "/..a/.b",
        "/x?../..",
        "/x?%2e%2e/",
        "/%25%32%65",
        "/http://evil.example/",
        "/*",
    ];
    let altered = [
        "/a/../b",
        "/a/./b",
        "/..",
        "/.",
        "/a/%2e%2e/b",
        "/%2E/",
        "/.%2e/x",
        "/{id}",
        "/x?it's",
        "/x?\"q\"",
        "/a`b",
    ];
    for path in exact {
        let result = egress.send(get(&upstream.url(path))).await;
        assert!(result.is_ok(), "{path}: {result:?}");
        assert_eq!(upstream.request_line(), format!("GET {path} HTTP/1.1"));
    }
    let sent = upstream.requests().len();
    for path in altered {
        let Ok(uri) = upstream.url(path).parse::<http::Uri>() else { continue };
        let mut request = get("http://placeholder.example/");
        *request.uri_mut() = uri;
        let result = egress.send(request).await;
        assert!(matches!(result, Err(EgressError::Url { .. })), "{path}");
    }
    assert_eq!(upstream.requests().len(), sent);
}
