//! What stands for the body in a signature: its SHA-256, or a word that says why there is none.

use countersign_plugin::{BodyView, Refusal, RequestView};

use crate::{
    settings::{Placement, Settings},
    signature::{EMPTY, hex},
};

/// The body may be any: S3 takes this over TLS, few others do.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The body is framed by the caller's client, and ends in a checksum.
const TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// The last line of the canonical request.
///
/// Refuses the body whose chunks are signed themselves (`STREAMING-AWS4-HMAC-SHA256-PAYLOAD`): each
/// chunk goes on from the signature of the request, which is another one now. The header that names
/// the mode is replaced, and so not shown; but such a body always comes with its decoded length, and
/// the one that is framed without signatures with the name of its trailer too.
pub(crate) fn hash(settings: &Settings<'_>, request: &RequestView) -> Result<String, Refusal> {
    let value = |name: &str| {
        let mut found = request.headers.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    };
    let coded = || value("content-encoding").is_some_and(is_chunked);
    if settings.is_s3() && (value("x-amz-decoded-content-length").is_some() || coded()) {
        if value("x-amz-trailer").is_some() && settings.placement == Placement::Header {
            return Ok(TRAILER.to_owned());
        }
        return Err(Refusal::invalid_request(
            "the body is framed in signed chunks, which would have to be signed anew",
        ));
    }
    // What is in a signed query cannot speak of a body that is sent with it.
    let in_query = settings.is_s3() && settings.placement == Placement::Query;
    if settings.unsigned || in_query {
        return Ok(UNSIGNED.to_owned());
    }
    match &request.body {
        BodyView::Digest(digest) => Ok(hex(digest)),
        BodyView::Unseen(Some(0)) => Ok(EMPTY.to_owned()),
        BodyView::Unseen(_) if settings.is_s3() => Ok(UNSIGNED.to_owned()),
        BodyView::Unseen(_) | BodyView::Bytes(_) => Err(Refusal::invalid_request(
            "the body is too long to be hashed, and this service takes no unsigned one",
        )),
    }
}

fn is_chunked(codings: &str) -> bool {
    codings.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("aws-chunked"))
}
