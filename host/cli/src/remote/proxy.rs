//! `countersign request` through a gateway: its reply on standard output, as it comes.

use std::process::ExitCode;

use countersign::target::climbs_to_some;
use http::{HeaderName, Response};
use http_body_util::BodyExt as _;

use super::fault;
use super::gateway::Gateway;
use crate::arguments::Request;
use crate::case::Message;
use crate::codes;
use crate::failure::Failure;
use crate::json::invalid;
use crate::output::Output;
use crate::request::head;

/// Route a request at the gateway.
const CONNECTION: HeaderName = HeaderName::from_static("connection_name");
const IDENTIFIER: HeaderName = HeaderName::from_static("identifier");

/// Stands on the gateway's own answers, and on no upstream's.
const FAULT: HeaderName = HeaderName::from_static("countersign-error");

pub(super) async fn run(
    request: &Request,
    identifier: &str,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let Message { method, uri, headers, body } = Message::of_inputs(&request.inputs)?;
    // The way to the gateway would resolve it, and the request mean another of its doors.
    if climbs_to_some(uri.path()) {
        return Err(invalid("request.path", "holds a dot segment"));
    }
    if headers.contains_key(http::header::AUTHORIZATION) {
        let what = "holds authorization, which the gateway writes";
        return Err(invalid("request.headers", what));
    }
    let connection = request.inputs.connection.as_deref().and_then(|it| it.to_str());
    let connection = connection.ok_or_else(|| invalid("--connection", "is missing"))?;
    let gateway = Gateway::open(&request.gateway).await?;
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    let sent = gateway.proxied(path, |http, url| {
        let request = http.request(method, url).headers(headers);
        let request = request.header(CONNECTION, connection).header(IDENTIFIER, identifier);
        if body.is_empty() { request } else { request.body(body) }
    });
    let mut reply: Response<reqwest::Body> = sent.await?.into();
    if reply.headers().contains_key(FAULT) {
        let status = reply.status();
        let body = reply.into_body().collect().await;
        let body = body.map_err(|error| fault::unreachable(&gateway.host(), error))?;
        return Err(fault::refusal(status, &body.to_bytes()));
    }
    if request.include {
        output.bytes(&head(&reply))?;
    }
    while let Some(frame) = reply.body_mut().frame().await {
        let frame = frame.map_err(|error| {
            let told = fault::unreachable(&gateway.host(), error);
            Failure::new(codes::GATEWAY_UNREACHABLE, format!("it broke off: {}", told.message()))
        })?;
        if let Ok(data) = frame.into_data() {
            output.bytes(&data)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
