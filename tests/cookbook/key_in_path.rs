//! X_KEY_IN_PATH: a bot's token ahead of the caller's path, `/botTOKEN/sendMessage`.

use countersign_plugin::{
    Account, Context, Descriptor, Edit, Input, Outcome, Plugin, Ready, Refusal, RequestView,
    export_plugin, form,
};

const TOKEN: &str = "account/token";

/// The plugin.
pub struct KeyInPath;

impl Plugin for KeyInPath {
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_KEY_IN_PATH")
            .title("A key in the path", "1.0.0")
            .account(&[Input::required("token", "Bot token").secret()])
            .read(&[TOKEN])
            .write(&["path"])
            .build()
    }

    fn authorize(
        _: &Context,
        account: &Account,
        request: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let token = account.require(TOKEN)?;
        // Method and URL are always shown, so there is nothing else to name.
        let Some(request) = request else { return Ok(Outcome::Show(Vec::new())) };
        let path =
            path(&request.url).ok_or_else(|| Refusal::invalid_request("there is no path"))?;
        // A slash or a dot segment in the token would be another path.
        let path = format!("/bot{}{path}", form::percent_encode(token));
        Ok(Ready::once(vec![Edit::SetPath(path)]).into())
    }
}

/// What follows the origin, up to the query, which stays as it is.
fn path(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    path.split('?').next()
}

export_plugin!(KeyInPath);
