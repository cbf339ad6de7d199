//! X_TWO_FIELDS: `X-Api-Key: TENANT:KEY`, of two fields of the account.

use countersign_plugin::{
    Account, Context, Descriptor, Edit, Input, Outcome, Plugin, Ready, Refusal, RequestView,
    export_plugin, header,
};

const TENANT: &str = "account/tenant";
const KEY: &str = "account/key";

/// The plugin.
pub struct TwoFields;

impl Plugin for TwoFields {
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_TWO_FIELDS")
            .title("A header from two fields", "1.0.0")
            .account(&[Input::required("tenant", "Tenant"), Input::required("key", "Key").secret()])
            .read(&[TENANT, KEY])
            .write(&["header/x-api-key"])
            .build()
    }

    fn authorize(
        _: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let (tenant, key) = (account.require(TENANT)?, account.require(KEY)?);
        header::check(TENANT, tenant)?;
        header::check(KEY, key)?;
        if tenant.contains(':') {
            return Err(Refusal::invalid_config(TENANT, "a colon ends the tenant's name"));
        }
        Ok(Ready::lasting(vec![Edit::header("x-api-key", &format!("{tenant}:{key}"))]).into())
    }
}

export_plugin!(TwoFields);
