//! Brings a host to the place where a hostile plugin misbehaves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign::flow::GrantRequest;
use countersign::{Countersign, Error, Subject};
use countersign_hostile::{Case, Stage, provider};
use http_body_util::{BodyExt as _, Empty};
use serde_json::{Value as Json, json};

use crate::subject;

/// The hosts that a hostile plugin's configuration names.
pub const HOSTILE_HOSTS: [&str; 2] = ["api.hostile.example", "login.hostile.example"];

/// Longer than any bound of the host's on one case, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// An account under the case's plugin; under BEARER for a mutation.
pub fn victim(case: &Case, id: &str, token: &str) -> Arc<Subject> {
    let mutation = case.stage == Stage::Mutate;
    let auth_type = if mutation { "BEARER" } else { &case.auth_type };
    let mut payload: Json = serde_json::from_str(&provider(auth_type)).expect("JSON");
    if mutation {
        payload["auth_patterns"][0]["auth_field_mutations"] =
            json!({"token": {"mutation": case.name}});
    }
    let details = json!({"token": token});
    let account =
        json!({"identifier": id, "authorization_details": {"static_auth": {"details": details}}});
    subject(&payload, &json!({}), &account)
}

/// Does what the case's stage says; the text that comes of it, or the error.
///
/// # Panics
///
/// Where it does not end.
pub async fn provoke(
    host: &Countersign,
    account: &Arc<Subject>,
    stage: Stage,
) -> Result<String, Error> {
    let ends = async {
        match stage {
            Stage::Validate => host.validate(account).await.map(|found| format!("{found:?}")),
            Stage::Grant => {
                let begun = host.begin_grant(account, GrantRequest::default()).await;
                begun.map(|_| "a prompt".to_owned())
            }
            _ => {
                let request = http::Request::get("/x").body(Empty::<Bytes>::new());
                let reply = host.send(account, request.expect("a request")).await?;
                let body = reply.into_body().collect().await?.to_bytes();
                Ok(String::from_utf8_lossy(&body).into_owned())
            }
        }
    };
    tokio::time::timeout(PATIENCE, ends).await.expect("it ends")
}
