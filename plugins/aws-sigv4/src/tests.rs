//! Values and a request in, edits or refusals out.

use countersign_plugin::{BodyView, Next, Reason};

use super::*;

/// The example keys of the documents, and their day: 2013-05-24T00:00:00Z.
const ID: (&str, &str) = ("account/access_key_id", "AKIAIOSFODNN7EXAMPLE");
const SECRET: (&str, &str) =
    ("account/secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
const REGION: (&str, &str) = ("connection/region", "us-east-1");
const S3: (&str, &str) = ("pattern/aws_sigv4/service", "s3");
const OTHER: (&str, &str) = ("pattern/aws_sigv4/service", "execute-api");
const IN_QUERY: (&str, &str) = ("pattern/aws_sigv4/placement", "query");
const NOW: u64 = 1_369_353_600_000;

fn seen(headers: &[(&str, &str)], body: BodyView) -> RequestView {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    RequestView {
        method: "PUT".into(),
        url: "https://bucket.example.com/key".into(),
        headers: headers.iter().map(owned).collect(),
        body,
    }
}

fn asked(values: &[(&str, &str)], request: Option<&RequestView>) -> Result<Outcome, Refusal> {
    AwsSigV4::authorize(&Context::fixed(NOW, 0), &Account::of(values), request, &[])
}

fn edits(values: &[(&str, &str)], request: &RequestView) -> Result<Vec<(String, String)>, Refusal> {
    let Outcome::Ready(ready) = asked(values, Some(request))? else { panic!("not ready") };
    assert_eq!(ready.remember, 0, "a signature is for one request");
    let edits = ready.edits.into_iter().map(|edit| match edit {
        Edit::SetHeader(entry) | Edit::SetQuery(entry) => entry,
        other => panic!("{other:?}"),
    });
    Ok(edits.collect())
}

fn edit<'a>(edits: &'a [(String, String)], name: &str) -> Option<&'a str> {
    edits.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn it_asks_for_the_request_before_anything_is_signed() {
    let wish = asked(&[ID, SECRET, REGION, S3], None).unwrap();
    assert_eq!(wish, Outcome::Show(SHOWN.iter().map(|&it| it.to_owned()).collect()));
}

/// "Examples: Signature Calculations in AWS Signature Version 4" of the S3 API Reference, as far as
/// they sign the headers that are signed here.
#[test]
fn the_examples_of_s3s_documents_are_signed_as_they_say() {
    let url = |query: &str| RequestView {
        method: "GET".into(),
        url: format!("https://examplebucket.s3.amazonaws.com/{query}"),
        headers: Vec::new(),
        body: BodyView::Unseen(Some(0)),
    };
    for (query, signature) in [
        ("?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "?max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let edits = edits(&[ID, SECRET, REGION, S3], &url(query)).unwrap();
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
        );
        assert_eq!(edit(&edits, "authorization"), Some(&*expected), "{query}");
    }
    let values = [ID, SECRET, REGION, S3, IN_QUERY, ("pattern/aws_sigv4/expires", "86400")];
    let edits = edits(&values, &url("test.txt")).unwrap();
    assert_eq!(
        edit(&edits, "X-Amz-Signature"),
        Some("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    );
}

#[test]
fn only_headers_that_nobody_changes_on_the_way_are_signed() {
    let request = seen(
        &[("content-encoding", "gzip"), ("content-type", "text/plain"), ("x-amz-acl", "private")],
        BodyView::Digest(vec![0xab; 32]),
    );
    let token = ("account/session_token", "session");
    let edits = edits(&[ID, SECRET, REGION, S3, token], &request).unwrap();
    assert_eq!(edit(&edits, "x-amz-content-sha256"), Some(&*"ab".repeat(32)));
    assert_eq!(edit(&edits, "x-amz-security-token"), Some("session"));
    assert_eq!(edit(&edits, "x-amz-date"), Some("20130524T000000Z"));
    let names = "SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;\
                 x-amz-security-token,";
    let authorization = edit(&edits, "authorization").unwrap();
    assert!(authorization.contains(names), "{authorization}");
}

#[test]
fn a_body_is_signed_where_it_can_be_and_left_out_only_where_that_is_known_to_work() {
    let unsigned = ("pattern/aws_sigv4/payload", "unsigned");
    let digest = || BodyView::Digest(vec![0xab; 32]);
    let ab = "ab".repeat(32);
    for (more, body, hash) in [
        (vec![S3], digest(), Some(&*ab)),
        (vec![S3], BodyView::Unseen(Some(0)), Some(signature::EMPTY)),
        (vec![S3], BodyView::Unseen(Some(1 << 30)), Some(payload::UNSIGNED)),
        (vec![S3], BodyView::Unseen(None), Some(payload::UNSIGNED)),
        (vec![S3, unsigned], digest(), Some(payload::UNSIGNED)),
        (vec![OTHER, unsigned], digest(), Some(payload::UNSIGNED)),
        (vec![OTHER], digest(), None),
    ] {
        let values = [vec![ID, SECRET, REGION], more].concat();
        let edits = edits(&values, &seen(&[], body)).unwrap();
        assert_eq!(edit(&edits, "x-amz-content-sha256"), hash, "{values:?}");
    }
    let too_long = seen(&[], BodyView::Unseen(Some(1 << 30)));
    let refusal = edits(&[ID, SECRET, REGION, OTHER], &too_long).unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidRequest);
}

/// A sandbox has no time for as many as fit.
#[test]
fn a_query_that_a_call_has_no_time_for_is_refused() {
    let long = |bytes: usize| "a".repeat(bytes);
    let many = |count: usize| vec!["a"; count].join("&");
    for (query, is_signed) in [
        (many(1000), true),
        (many(1001), false),
        (long(16 << 10), true),
        (long((16 << 10) + 1), false),
    ] {
        let url = format!("https://bucket.example.com/?{query}");
        let request = RequestView { url, ..seen(&[], BodyView::Unseen(Some(0))) };
        for placement in [IN_QUERY, ("pattern/aws_sigv4/placement", "header")] {
            let edits = edits(&[ID, SECRET, REGION, S3, placement], &request);
            let reason = edits.err().map(|refusal| refusal.reason);
            assert_eq!(reason, (!is_signed).then_some(Reason::InvalidRequest), "{query}");
        }
    }
}

/// Row 18 of the known pitfalls. What is told of the time, and kept, is in `clock`.
#[test]
fn what_is_refused_by_another_clock_is_signed_anew_by_that_one() {
    let request = seen(&[], BodyView::Unseen(Some(0)));
    let date = ("date".to_owned(), "Fri, 24 May 2013 00:20:00 GMT".to_owned());
    let refused = HttpResponse { status: 403, headers: vec![date], body: Vec::new() };
    let now = Context::fixed(NOW, 0);
    let account = |memo: Vec<u8>, placement| Account {
        memo,
        ..Account::of(&[ID, SECRET, REGION, S3, placement])
    };
    let in_header = ("pattern/aws_sigv4/placement", "header");
    for (placement, name) in [(in_header, "x-amz-date"), (IN_QUERY, "X-Amz-Date")] {
        let ready = |memo: &[u8], cursor: &[u8]| {
            let account = account(memo.to_vec(), placement);
            let outcome = AwsSigV4::authorize(&now, &account, Some(&request), cursor).unwrap();
            let Outcome::Ready(ready) = outcome else { panic!("not ready") };
            let date = ready.edits.iter().find_map(|edit| match edit {
                Edit::SetHeader((key, value)) | Edit::SetQuery((key, value)) if key == name => {
                    Some(value.clone())
                }
                _ => None,
            });
            (date.unwrap(), ready)
        };
        let (date, first) = ready(b"", b"");
        assert_eq!((&*date, first.memo), ("20130524T000000Z", None));
        let account = account(Vec::new(), placement);
        let told = AwsSigV4::replied(&now, &account, &refused, &first.cursor).unwrap();
        let Next::Again(cursor) = told.next else { panic!("{told:?}") };
        let memo = told.memo.unwrap();
        for cursor in [&cursor[..], b""] {
            assert_eq!(ready(&memo, cursor).0, "20130524T002000Z");
        }
        // Once.
        let sent = ready(&memo, &cursor).1.cursor;
        let told = AwsSigV4::replied(&now, &account, &refused, &sent).unwrap();
        assert_eq!(told.next, Next::Deliver);
    }
}

/// A signed query ends by itself, it may be long before the clocks differ too much.
#[test]
fn a_query_that_ends_soon_tolerates_less() {
    let tolerated = |values: &[(&str, &str)]| {
        let values = [&[ID, SECRET, REGION, S3], values].concat();
        Settings::of(&Account::of(&values)).unwrap().tolerated()
    };
    let expires = |seconds| ("pattern/aws_sigv4/expires", seconds);
    assert_eq!(tolerated(&[]), 240);
    assert_eq!(tolerated(&[expires("10")]), 240);
    assert_eq!(tolerated(&[IN_QUERY, expires("10")]), 10);
    assert_eq!(tolerated(&[IN_QUERY, expires("86400")]), 240);
}

#[test]
fn chunks_that_are_signed_themselves_are_refused_and_a_trailer_is_not() {
    let length = ("x-amz-decoded-content-length", "5");
    let coding = ("content-encoding", "gzip, aws-chunked");
    let trailer = ("x-amz-trailer", "x-amz-checksum-crc32");
    let values = [ID, SECRET, REGION, S3];
    for headers in [vec![length], vec![coding], vec![length, coding]] {
        let refusal = edits(&values, &seen(&headers, BodyView::Unseen(None))).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidRequest, "{headers:?}");
    }
    let framed = seen(&[length, coding, trailer], BodyView::Digest(vec![0xab; 32]));
    let signed = edits(&values, &framed).unwrap();
    let mode = edit(&signed, "x-amz-content-sha256");
    assert_eq!(mode, Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    // A signed query has no place to say so.
    let refusal = edits(&[ID, SECRET, REGION, S3, IN_QUERY], &framed).unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidRequest);
}

#[test]
fn the_most_particular_region_counts() {
    let regions = [
        ("account/region", "a-1"),
        ("connection/region", "c-1"),
        ("pattern/aws_sigv4/region", "p-1"),
    ];
    for first in 0..3 {
        let values = [vec![ID, SECRET, S3], regions[first..].to_vec()].concat();
        let edits = edits(&values, &seen(&[], BodyView::Unseen(Some(0)))).unwrap();
        let scope = format!("/20130524/{}/s3/aws4_request,", regions[first].1);
        assert!(edit(&edits, "authorization").unwrap().contains(&scope), "{scope}");
    }
}

#[test]
fn a_value_that_cannot_be_signed_with_is_named() {
    for (values, at) in [
        (vec![SECRET, REGION, S3], "account/access_key_id"),
        (vec![ID, REGION, S3], "account/secret_access_key"),
        (vec![ID, SECRET, S3], "pattern/aws_sigv4/region"),
        (vec![ID, SECRET, REGION], "pattern/aws_sigv4/service"),
        (vec![("account/access_key_id", "a/b"), SECRET, REGION, S3], "account/access_key_id"),
        (vec![("account/access_key_id", "a b"), SECRET, REGION, S3], "account/access_key_id"),
        (vec![ID, ("account/secret_access_key", "s\n"), REGION, S3], "account/secret_access_key"),
        (vec![ID, SECRET, REGION, S3, ("account/session_token", "é")], "account/session_token"),
        (vec![ID, SECRET, ("account/region", "us east"), REGION, S3], "account/region"),
        (vec![ID, SECRET, ("connection/region", "a/b"), S3], "connection/region"),
        (
            vec![ID, SECRET, REGION, ("pattern/aws_sigv4/service", "s3/")],
            "pattern/aws_sigv4/service",
        ),
        (
            vec![ID, SECRET, REGION, S3, ("pattern/aws_sigv4/placement", "cookie")],
            "pattern/aws_sigv4/placement",
        ),
        (
            vec![ID, SECRET, REGION, S3, ("pattern/aws_sigv4/payload", "none")],
            "pattern/aws_sigv4/payload",
        ),
        (
            vec![ID, SECRET, REGION, S3, ("pattern/aws_sigv4/expires", "0")],
            "pattern/aws_sigv4/expires",
        ),
        (
            vec![ID, SECRET, REGION, S3, ("pattern/aws_sigv4/expires", "604801")],
            "pattern/aws_sigv4/expires",
        ),
    ] {
        let refusal = asked(&values, None).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(at), "{values:?}");
    }
}

#[test]
fn a_broken_value_is_found_before_it_is_saved() {
    let found = |values: &[(&str, &str)]| {
        let problems = AwsSigV4::validate(&Context::fixed(0, 0), &Account::of(values));
        problems.into_iter().filter_map(|it| it.field).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), [""; 0]);
    assert_eq!(found(&[ID, SECRET, REGION, S3]), [""; 0]);
    let broken = [("account/access_key_id", "a,b"), ("account/region", "!")];
    assert_eq!(found(&broken), ["account/access_key_id", "account/region"]);
}
