//! Components made to order, and the cases that they are met with.

use countersign_hostile::answer::{descriptor, done, entry, fetch};
use countersign_hostile::{AUTHORIZE_URI, Guest, TOKEN_URI, Val};
use countersign_kit::{Kit, KitError, Report};
use countersign_tests::Folder;
use serde_json::{Value as Json, json};

pub(crate) const TOKEN: &str = "a-token-of-the-case";

const ABOUT: &str = r#"{"title":"Made to order","version":"1"}"#;
const NEEDS: [&str; 2] = ["read account/token", "write header/authorization"];
const FLOW_NEEDS: [&str; 4] = [
    "fetch pattern/oauth_config/token_uri",
    "visit pattern/oauth_config/authorize_uri",
    "write state/access_token",
    "write state/tenant",
];

/// A plugin without flows; good until it is told otherwise.
pub(crate) fn plain(needs: &[&str]) -> Guest {
    Guest::auth(descriptor(&["MADE"], &[], &[&NEEDS[..], needs].concat(), ABOUT.into()))
}

/// The same with flows, whose bodies are to be given.
pub(crate) fn flowing(needs: &[&str]) -> Guest {
    let needs = [&NEEDS[..], &FLOW_NEEDS, needs].concat();
    Guest::flow(descriptor(&["MADE"], &["setup", "grant", "renew"], &needs, ABOUT.into()))
}

/// `ready` with a number of seconds to be remembered.
pub(crate) fn remembered(edits: Vec<Val>, remember: u64) -> Val {
    Val::ok(Val::of(
        "ready",
        Val::Record(vec![
            ("edits", Val::List(edits)),
            ("remember", Val::Num(remember)),
            ("watches", Val::List(Vec::new())),
            ("memo", Val::none()),
            ("cursor", "".into()),
        ]),
    ))
}

/// A case of these members, with the values that every plugin here may read.
pub(crate) fn case(members: &Json) -> Json {
    let mut case = json!({
        "name": "a case",
        "values": {
            "account/token": TOKEN,
            "pattern/oauth_config/token_uri": TOKEN_URI,
            "pattern/oauth_config/authorize_uri": AUTHORIZE_URI,
        },
    });
    for (name, member) in members.as_object().unwrap() {
        case[name] = member.clone();
    }
    case
}

/// Runs a component over a file of cases.
pub(crate) fn run(guest: &Guest, cases: &Json) -> Result<Report, KitError> {
    kit(guest, cases).map(|(kit, _)| kit.run())
}

/// The kit, and the folder that its file is in.
pub(crate) fn kit(guest: &Guest, cases: &Json) -> Result<(Kit, Folder), KitError> {
    let folder = Folder::new();
    let file = folder.put("cases.json", cases.to_string());
    let kit = Kit::new("made", &guest.build().unwrap())?.cases_in(file)?;
    Ok((kit, folder))
}

/// What a token server answers.
pub(crate) const NEW: &str = r#"{"access_token": "new-token-1"}"#;

/// Renews by one fetch.
pub(crate) fn renewing() -> Guest {
    flowing(&[])
        .body("begin", fetch("POST", TOKEN_URI, vec![entry("accept", "application/json")]))
        .body("resume", done(vec![entry("access_token", "new-token-1")], vec![]))
}

/// Runs one case of these members.
pub(crate) fn one(guest: &Guest, members: &Json) -> Report {
    run(guest, &json!([case(members)])).unwrap()
}

/// A kit whose only case passes.
pub(crate) fn good() -> (Kit, Folder) {
    let edits = json!([["set-header", "authorization", "Hostile"]]);
    kit(&plain(&[]), &json!([case(&json!({"expect": {"edits": edits}}))])).unwrap()
}
