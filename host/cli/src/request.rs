//! `countersign request`: a request sent for real, its reply on standard output.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use countersign::egress::EgressConfig;
use countersign::{Countersign, Egress, Error};
use http::Response;
use http_body_util::BodyExt as _;

use crate::arguments::{self, Global, Request};
use crate::case::Case;
use crate::failure::Failure;
use crate::host::{self, Host};
use crate::json;
use crate::mask::Mask;
use crate::output::Output;
use crate::pattern_settings::PatternSettings;
use crate::policy::Policy;
use crate::remote;
use crate::state_file::StateFile;

pub(crate) fn run(
    global: &Global,
    request: &Request,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if let Some(identifier) = &request.identifier {
        return remote::request(request, identifier, output);
    }
    let case = Case::of_inputs(&request.inputs, true)?;
    let egress = egress(&request.egress)?;
    let Host { sandbox, registry } = Host::start(global)?;
    let listing = registry.listing();
    case.warn(&PatternSettings::of(&listing.serving));
    let subject = &case.subject;
    let path = request.inputs.state.as_deref();
    let store = StateFile::new(path, subject.state_key(), subject.account().state())
        .map_err(Error::from)?;
    let policy = Policy::load(request.narrowing.file(), &registry.auth_types())?;
    let client = Countersign::builder(sandbox, registry, egress)
        .store(Arc::new(store))
        .settings(policy.settings(request.egress.unencrypted.allowed))
        .build();
    host::runtime()?.block_on(async {
        let ended = exchange(&client, &case, &policy, request.include, output).await;
        let ended = ended.map_err(|failure| host::explain(failure, &listing.refused));
        // A renewal in the background may have used up the refresh token.
        client.drain().await;
        ended
    })
}

/// Sends the request, and writes the reply as it comes.
async fn exchange(
    client: &Countersign,
    case: &Case,
    policy: &Policy,
    include: bool,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let subject = &case.subject;
    let sent = client.send(subject, case.request()).await;
    let mask = Mask::of(subject);
    let mut reply = sent.map_err(|error| {
        policy.explain(subject.pattern().auth_type(), error.into()).masked(&mask)
    })?;
    if include {
        output.bytes(&head(&reply))?;
    }
    while let Some(frame) = reply.body_mut().frame().await {
        let frame = frame.map_err(|error| Failure::from(Error::from(error)).masked(&mask))?;
        if let Ok(data) = frame.into_data() {
            output.bytes(&data)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Status and headers, as they came.
pub(crate) fn head<B>(reply: &Response<B>) -> Vec<u8> {
    let mut head = format!("{:?} {}\r\n", reply.version(), reply.status()).into_bytes();
    for (name, value) in reply.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn egress(arguments: &arguments::Egress) -> Result<Egress, Failure> {
    let upstream_ca = arguments.upstream_ca.iter().map(|path| json::read(path));
    let config = EgressConfig {
        allow_http: arguments.unencrypted.allowed,
        allowed_networks: arguments.allow_upstream.clone(),
        resolve: arguments.resolve.clone(),
        upstream_ca: upstream_ca.collect::<Result<_, _>>()?,
        ..EgressConfig::default()
    };
    Ok(Egress::new(config).context("setting up the way out")?)
}
