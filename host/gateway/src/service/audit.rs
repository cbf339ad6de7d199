//! Who changed what.

use countersign_vault::{Audited, Listed, Page, Role};

use crate::caller::Caller;
use crate::fault::Fault;
use crate::service::Service;

impl Service {
    /// Changes, of one subject where that is given, the oldest first.
    pub async fn audited(
        &self,
        caller: &Caller,
        subject: Option<&str>,
        page: &Page,
    ) -> Result<Listed<Audited>, Fault> {
        caller.need(Role::Manage)?;
        caller.need_no_limits()?;
        Ok(self.vault.audited(subject, page).await?)
    }
}
