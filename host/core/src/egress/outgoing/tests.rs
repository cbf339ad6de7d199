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
            let result = Outgoing::new(body, Some(length), Progress::new()).collect().await;
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

#[tokio::test]
async fn trailers_of_a_request_are_left_away() {
    let mut body = scripted(&["hello"], None);
    body.pieces.push_back(Frame::trailers(headers(&[("authorization", "another")])));
    let whole = Outgoing::new(body, None, Progress::new()).collect().await.unwrap();
    assert!(whole.trailers().is_none());
    assert_eq!(whole.to_bytes(), "hello");
}
