//! `/audit`.

use axum::extract::State;
use countersign_vault::Audited;
use serde_json::{Value as Json, json};

use super::Api;
use super::call::Call;
use super::page::{self, AUDIT};
use super::reply::{Reply, time};
use crate::fault::Fault;

/// Rows of a page.
pub(super) const MOST: u32 = 100;

/// Characters of an id or a name.
pub(super) const LONGEST_SUBJECT: usize = 255;

pub(super) async fn list(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let Call { parameters, faults, .. } = &mut call;
    let subject = parameters.text("subject", LONGEST_SUBJECT, faults);
    let page = page::page(AUDIT, MOST, parameters, faults);
    let caller = call.ready()?;
    let listed = api.service.audited(&caller, subject.as_deref(), &page).await?;
    let json = listed.rows.iter().map(shown).collect();
    let edges = page::edges(&listed, &page, |it| &it.id);
    Ok(Reply::list("audit", AUDIT, &listed, json, edges))
}

fn shown(row: &Audited) -> Json {
    json!({
        "id": row.id,
        "at": time(row.at),
        "client": row.by.client,
        "request_id": row.by.request,
        "action": row.action,
        "subject": row.subject,
    })
}
