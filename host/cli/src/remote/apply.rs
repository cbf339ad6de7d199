//! Bringing a payload to a gateway: what would change, and the change.

use http::Method;
use serde_json::{Value as Json, json};

use super::difference;
use super::gateway::Gateway;
use super::payload::Payload;
use super::text;
use crate::arguments::NewOrigins;
use crate::failure::Failure;
use crate::output::Output;

/// Rows of a page, the most that a gateway gives.
const PAGE: &str = "1000";

/// All providers of a gateway.
pub(super) async fn providers(gateway: &Gateway) -> Result<Vec<Json>, Failure> {
    gateway.all("providers", &[("filter.provider_type", "CUSTOM")], PAGE).await
}

/// What there is to do for one payload.
pub(super) struct Plan {
    payload: Payload,
    /// The provider that is there already.
    identifier: Option<String>,
    difference: String,
}

impl Plan {
    pub(super) fn new(payload: Payload, providers: &[Json]) -> Self {
        let found = payload.find(providers);
        let identifier = found.map(|provider| text(provider, "identifier"));
        let difference = match found.cloned().and_then(Payload::of) {
            Some(has) => difference::lines(Some(&has.json()), &payload.over(&has)),
            None => difference::lines(None, &payload.json()),
        };
        Self { payload, identifier, difference }
    }

    pub(super) fn changes_nothing(&self) -> bool {
        self.identifier.is_some() && self.difference.is_empty()
    }

    /// What is done, in a word: `create`, `update`, or nothing.
    pub(super) fn word(&self) -> &'static str {
        match (&self.identifier, self.difference.is_empty()) {
            (None, _) => "create",
            (Some(_), false) => "update",
            (Some(_), true) => "unchanged",
        }
    }

    /// The provider's name, for people.
    pub(super) fn name(&self) -> &str {
        self.identifier.as_deref().unwrap_or(self.payload.name())
    }

    /// For people; coloured where somebody looks.
    pub(super) fn difference(&self, output: &Output) -> String {
        if output.is_coloured() {
            difference::coloured(&self.difference)
        } else {
            self.difference.clone()
        }
    }

    /// Of a plan that is not carried out.
    pub(super) fn json(&self) -> Json {
        json!({
            "identifier": self.identifier,
            "display_name": self.payload.name(),
            "action": self.word(),
            "difference": self.difference,
        })
    }

    /// Does it, and answers with the provider's identifier.
    pub(super) async fn carry_out(
        &self,
        gateway: &Gateway,
        new_origins: Option<NewOrigins>,
    ) -> Result<String, Failure> {
        let body = self.payload.json();
        let (method, path, query) = match &self.identifier {
            Some(identifier) if self.changes_nothing() => return Ok(identifier.clone()),
            Some(identifier) => {
                let query = new_origins.map(|how| ("new_origins", how.word()));
                (Method::PUT, vec!["custom-providers", identifier.as_str()], query)
            }
            None => (Method::POST, vec!["custom-providers"], None),
        };
        let query: Vec<_> = query.into_iter().collect();
        let answer = gateway.call(method, &path, &query, Some(&body)).await?;
        Ok(text(&answer["provider"], "identifier"))
    }
}
