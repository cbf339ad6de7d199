//! What an upstream does wrong is told apart, sent once, and told without the URL.

use std::fmt::Write;

use bytes::Bytes;
use countersign::egress::EgressError;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::upstream::{EMPTY, Recorder, Then};
use crate::{SOON, egress, get};

fn kind(error: &EgressError) -> &'static str {
    match error {
        EgressError::Connect { .. } => "connect",
        EgressError::Protocol { .. } => "protocol",
        EgressError::Closed { .. } => "closed",
        _ => "other",
    }
}

#[tokio::test]
async fn an_error_shows_nothing_of_the_url_or_the_headers() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let cases = [
        ("connect", None),
        ("closed", Some(("", Then::Close))),
        ("protocol", Some(("NONSENSE canary\r\n\r\n", Then::Close))),
        ("closed", Some(("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncanary", Then::Close))),
    ];
    for (expected, answer) in cases {
        let upstream = match answer {
            Some((answer, then)) => Some(Recorder::start(answer, then).await),
            None => None,
        };
        let port = upstream.as_ref().map_or(dead, Recorder::port);
        let request = Request::post(format!("http://127.0.0.1:{port}/canary?key=canary"))
            .header("authorization", "Bearer canary")
            .body(Full::from("canary"))
            .unwrap();
        let result = match egress().send(request).await {
            Ok(reply) => reply.into_body().collect().await.map(|_| ()),
            Err(error) => Err(error),
        };
        let error = result.unwrap_err();
        assert_eq!(kind(&error), expected, "{error:?}");
        let mut text = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            write!(text, "{cause} {cause:?}").unwrap();
            source = cause.source();
        }
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
        assert_eq!(error.may_have_been_sent(), expected != "connect");
    }
}

#[tokio::test]
async fn a_request_is_sent_once_whatever_becomes_of_it() {
    // The second one meets a pooled connection that ends once it has been read.
    for answers in [
        vec![(String::new(), Then::Close)],
        vec![(EMPTY.to_owned(), Then::KeepOpen), (String::new(), Then::Close)],
    ] {
        let upstream = Recorder::start_with(answers.clone()).await;
        let egress = egress();
        for _ in 1..answers.len() {
            egress
                .send(get(&upstream.url("/first")))
                .await
                .unwrap()
                .into_body()
                .collect()
                .await
                .unwrap();
        }
        let request = Request::post(upstream.url("/token")).body(Bytes::from("spent")).unwrap();
        let error = timeout(SOON, egress.fetch(request, 100, SOON)).await.unwrap().unwrap_err();
        assert_eq!(kind(&error), "closed", "{error:?}");
        let spent = upstream.requests().iter().filter(|text| text.contains("spent")).count();
        assert_eq!(spent, 1);
    }
}
