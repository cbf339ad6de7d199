//! Rows 4 and 21: a redirect is the caller's to see, and a cookie nobody's to keep.

use http::Request;
use http_body_util::Full;

use crate::upstream::{EMPTY, Recorder, Then};
use crate::{egress, get};

#[tokio::test]
async fn row_4_no_redirect_is_followed_and_no_credential_reaches_the_second_host() {
    let second = Recorder::start(EMPTY, Then::KeepOpen).await;
    let egress = egress();
    for status in [301, 302, 303, 307, 308] {
        for target in [second.url("/next"), format!("http://localhost:{}/", second.port())] {
            let answer = format!(
                "HTTP/1.1 {status} Moved\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n"
            );
            let first = Recorder::start(&answer, Then::KeepOpen).await;
            let request = Request::post(first.url("/start?api_key=canary"))
                .header("authorization", "Bearer canary")
                .header("x-api-key", "canary")
                .header("cookie", "key=canary")
                .body(Full::from("key=canary"))
                .unwrap();
            let reply = egress.send(request).await.unwrap();
            assert_eq!(reply.status(), status);
            assert_eq!(reply.headers()["location"], target);
            assert_eq!(first.requests().len(), 1);
        }
    }
    assert_eq!(second.connections(), 0);
}

#[tokio::test]
async fn row_21_a_cookie_of_one_reply_is_not_sent_with_the_next_request() {
    let answer =
        "HTTP/1.1 200 OK\r\nset-cookie: session=canary; Path=/\r\ncontent-length: 0\r\n\r\n";
    let upstream = Recorder::start(answer, Then::KeepOpen).await;
    let egress = egress();
    for _ in 0..2 {
        let reply = egress.send(get(&upstream.url("/"))).await.unwrap();
        assert_eq!(reply.headers()["set-cookie"], "session=canary; Path=/");
    }
    assert_eq!(upstream.requests().len(), 2);
    assert!(!upstream.requests().concat().to_ascii_lowercase().contains("cookie"));
}
