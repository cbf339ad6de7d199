use std::collections::VecDeque;
use std::convert::Infallible;

use http_body_util::BodyExt;

use super::*;

/// Yields what it is given, and claims the length it is given.
struct Scripted {
    pieces: VecDeque<Frame<Bytes>>,
    claim: Option<u64>,
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.pop_front().map(Ok))
    }

    fn size_hint(&self) -> SizeHint {
        self.claim.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn scripted(pieces: &[&'static str], claim: Option<u64>) -> Scripted {
    Scripted {
        pieces: pieces.iter().map(|piece| Frame::data(Bytes::from(*piece))).collect(),
        claim,
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn a_body_is_framed_by_what_it_is() {
    type Case<'a> = (Method, &'a [(&'static str, &'static str)], Option<u64>, &'a str);
    let cases: [Case<'_>; 8] = [
        (Method::POST, &[("content-length", "3")], Some(5), "content-length: 5"),
        (Method::POST, &[("content-length", "nonsense")], Some(5), "content-length: 5"),
        (Method::POST, &[("content-length", "7")], None, "content-length: 7"),
        (Method::POST, &[("content-length", "7, 7")], None, "content-length: 7"),
        (
            Method::POST,
            &[("content-length", "7"), ("transfer-encoding", "chunked")],
            None,
            "content-length: 7",
        ),
        (Method::POST, &[("transfer-encoding", "chunked, identity")], None, ""),
        (Method::GET, &[], None, "transfer-encoding: chunked"),
        // It claims to be empty, and is not: the claim is not passed on.
        (Method::POST, &[("content-length", "0")], Some(0), ""),
    ];
    for (method, given, claim, expected) in cases {
        let mut headers = headers(given);
        frame(&method, &mut headers, &scripted(&["x"], claim)).unwrap();
        let left: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert_eq!(left.join("; "), expected, "{given:?} for a body of {claim:?}");
    }
}

#[test]
fn the_length_of_an_empty_body_is_said_where_the_caller_said_it() {
    let body = http_body_util::Empty::<Bytes>::new();
    for given in [&[("content-length", "0")][..], &[]] {
        let mut headers = headers(given);
        frame(&Method::GET, &mut headers, &body).unwrap();
        assert_eq!(headers.len(), given.len());
    }
}

#[test]
fn row_8_a_length_that_could_be_read_in_two_ways_is_refused() {
    for given in [
        &[("content-length", "5"), ("content-length", "6")][..],
        &[("content-length", "5, 6")],
        &[("content-length", "+5")],
        &[("content-length", "-5")],
        &[("content-length", "0x5")],
        &[("content-length", "")],
        &[("content-length", "5,")],
        &[("content-length", "18446744073709551616")],
    ] {
        let result = frame(&Method::POST, &mut headers(given), &scripted(&[], None));
        assert!(matches!(result, Err(EgressError::BodyLength)), "{given:?}");
    }
}

#[tokio::test]
async fn row_8_a_body_that_is_not_as_long_as_it_said_fails() {
    let cases: [(&[&'static str], u64, bool); 9] = [
        (&["hello"], 5, true),
        (&["he", "", "llo"], 5, true),
        (&["hello", ""], 5, true),
        (&[], 0, true),
        (&["hell"], 5, false),
        (&[], 5, false),
        (&["hello!"], 5, false),
        (&["hello", "GET / HTTP/1.1"], 5, false),
        (&["x"], 0, false),
    ];
    for (pieces, length, fits) in cases {
        for claim in [None, Some(length)] {
            let body = scripted(pieces, claim);
            let framing = Framing { length: Some(length), said: None };
            let result = Outgoing::new(body, &framing, Progress::new()).collect().await;
            match result {
                Ok(whole) => {
                    assert!(fits, "{pieces:?} as {length}");
                    assert_eq!(whole.to_bytes(), pieces.concat());
                }
                Err(fault) => assert!(!fits && matches!(fault, BodyFault::Length), "{pieces:?}"),
            }
        }
    }
}

fn trailed(pieces: &[&'static str], claim: Option<u64>) -> Scripted {
    let mut body = scripted(pieces, claim);
    let trailers = headers(&[("authorization", "another"), ("grpc-status", "0")]);
    body.pieces.push_back(Frame::trailers(trailers));
    body
}

#[tokio::test]
async fn trailers_follow_the_data_but_for_what_authenticates() {
    // Whether or not the length is known, and the last piece therefore held.
    for length in [None, Some(5)] {
        let framing = Framing { length, said: length };
        let mut body = Outgoing::new(trailed(&["he", "llo"], length), &framing, Progress::new());
        for piece in ["he", "llo"] {
            assert!(!body.is_end_stream(), "{length:?}");
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
        }
        assert!(!body.is_end_stream(), "the client would not ask for the trailers: {length:?}");
        let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers, headers(&[("grpc-status", "0")]));
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }
}

#[tokio::test]
async fn no_trailers_are_sent_where_none_are_left() {
    let mut body = scripted(&["hello"], None);
    body.pieces.push_back(Frame::trailers(headers(&[("authorization", "another")])));
    let framing = Framing { length: None, said: None };
    let whole = Outgoing::new(body, &framing, Progress::new()).collect().await.unwrap();
    assert!(whole.trailers().is_none());
    assert_eq!(whole.to_bytes(), "hello");
}

#[tokio::test]
async fn row_8_trailers_end_no_body_before_its_length() {
    for (pieces, fits) in [(&["hello"][..], true), (&["hell"], false), (&[], false)] {
        let framing = Framing { length: Some(5), said: None };
        let mut body = Outgoing::new(trailed(pieces, None), &framing, Progress::new());
        let mut frames = Vec::new();
        while let Some(frame) = body.frame().await {
            frames.push(frame);
        }
        let last = frames.pop().unwrap();
        assert_eq!(last.is_ok_and(|frame| frame.is_trailers()), fits, "{pieces:?}");
    }
}

#[test]
fn a_body_whose_trailers_are_announced_is_given_no_length_but_held_to_it() {
    for (method, claim, framed) in [
        (Method::POST, Some(5), "trailer: x-sum"),
        (Method::POST, Some(0), "trailer: x-sum"),
        (Method::POST, None, "trailer: x-sum"),
        (Method::GET, Some(5), "trailer: x-sum; transfer-encoding: chunked"),
    ] {
        let mut headers = headers(&[("content-length", "5"), ("trailer", "x-sum")]);
        let framing = frame(&method, &mut headers, &scripted(&["x"], claim)).unwrap();
        let left: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert_eq!(left.join("; "), framed, "{method} {claim:?}");
        assert_eq!((framing.said, framing.length), (None, Some(claim.unwrap_or(5))));
    }
    // Nothing follows a body that is not there.
    let mut headers = headers(&[("content-length", "0"), ("trailer", "x-sum")]);
    frame(&Method::POST, &mut headers, &http_body_util::Empty::<Bytes>::new()).unwrap();
    assert_eq!((headers.len(), &headers[CONTENT_LENGTH]), (1, &HeaderValue::from_static("0")));
}
