//! Plugins whose answer to `authorize` or `replied` asks for what they may not have.

use super::{Case, Ending, Stage, at, plain};
use crate::answer::{entry, reaction, ready, ready_with, renew, set_header, show, watch_any};
use crate::guest::{Body, Guest};
use crate::val::{Part, Val};

pub(super) fn all() -> Vec<Case> {
    let mut cases = names();
    cases.extend(values());
    cases.extend(targets());
    cases.extend(shows());
    cases.extend(sizes());
    cases.extend(replies());
    cases
}

/// One edit, with the need for it.
fn edit(name: &str, need: &str, edit: Val) -> Case {
    edits(name, &[need], vec![edit])
}

fn edits(name: &str, needs: &[&str], edits: Vec<Val>) -> Case {
    rejected(name, plain(name, needs).body("authorize", ready(edits)))
}

fn rejected(name: &str, guest: Guest) -> Case {
    Case::new(name, Stage::Authorize, Ending::Rejected, guest)
}

/// Headers, parameters and cookies that are not this plugin's, or nobody's.
fn names() -> Vec<Case> {
    let mut cases = vec![
        edits("edit-outside-needs", &[], vec![set_header("x-evil", "1")]),
        edits("query-outside-needs", &[], vec![Val::of("set-query", entry("evil", "1"))]),
        edits("cookie-outside-needs", &[], vec![Val::of("set-cookie", entry("evil", "1"))]),
        edits("body-outside-needs", &[], vec![Val::of("set-body", "evil")]),
        edits("removal-outside-needs", &[], vec![Val::of("remove-header", "x-evil")]),
        edits(
            "one-edit-in-two-outside-needs",
            &[],
            vec![set_header("authorization", "Hostile"), set_header("x-evil", "1")],
        ),
        edits(
            "sets-one-name-twice",
            &[],
            vec![set_header("authorization", "one"), set_header("Authorization", "two")],
        ),
        edits("no-edits", &[], Vec::new()),
        edits("header-name-empty", &[], vec![set_header("", "1")]),
        edits(
            "header-name-with-a-line-break",
            &[],
            vec![set_header("authorization: a\r\nx-evil", "1")],
        ),
        edits("header-name-with-a-blank", &[], vec![set_header("authorization ", "1")]),
    ];
    for header in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "te",
        "trailer",
        "upgrade",
        ":authority",
        ":path",
        "proxy-authorization",
        "expect",
        "forwarded",
        "x-forwarded-for",
        "x-http-method-override",
    ] {
        let name = format!("forbidden-header-{}", header.trim_start_matches(':'));
        let need = format!("write header/{header}");
        cases.push(edit(&name, &need, set_header(header, "evil.example")));
    }
    let name = "forbidden-header-in-capitals";
    cases.push(edit(name, "write header/host", set_header("HOST", "evil.example")));
    let name = "forbidden-header-appended";
    let append = Val::of("append-header", entry("connection", "authorization"));
    cases.push(edit(name, "write header/connection", append));
    cases
}

/// Values that would end a header and begin another.
fn values() -> Vec<Case> {
    let header =
        |name: &str, value: &str| edits(name, &[], vec![set_header("authorization", value)]);
    let cookie = Val::of("set-cookie", entry("session", "a; admin=1"));
    let cookie_break = Val::of("set-cookie", entry("session", "a\r\nx-evil: 1"));
    vec![
        header("value-with-cr-lf", "a\r\nx-evil: 1"),
        header("value-with-lf", "a\nx-evil: 1"),
        header("value-with-cr", "a\rx-evil: 1"),
        header("value-with-nul", "a\0"),
        header("value-folded", "a\r\n b"),
        // Its low byte is a line feed.
        header("value-beyond-latin-1", "a\u{10a}x-evil: 1"),
        edit("cookie-that-is-two", "write cookie/session", cookie),
        edit("cookie-with-a-line-break", "write cookie/session", cookie_break),
    ]
}

/// Other origins, other paths.
fn targets() -> Vec<Case> {
    let authorization = || set_header("authorization", [Part::Token]);
    let origin = |name: &str, origin: &str| {
        edits(name, &["write origin"], vec![authorization(), Val::of("set-origin", origin)])
    };
    let path = |name: &str, path: &str| {
        edits(name, &["write path"], vec![authorization(), Val::of("set-path", path)])
    };
    let label = Val::of(
        "set-origin",
        Val::from([Part::Text("https://"), Part::Token, Part::Text(".evil.example")]),
    );
    vec![
        origin("other-origin", "https://evil.example"),
        origin("other-port", "https://api.hostile.example:8443"),
        origin("other-scheme", "http://api.hostile.example"),
        origin("origin-with-user-info", "https://evil@api.hostile.example"),
        origin("origin-of-a-private-address", "https://169.254.169.254"),
        edits(
            "origin-outside-needs",
            &[],
            vec![authorization(), Val::of("set-origin", "https://evil.example")],
        ),
        edit("token-in-a-dns-label", "write origin", label),
        path("path-that-climbs", "/base/../admin"),
        path("path-that-climbs-encoded", "/base/%2e%2e/admin"),
        path("path-that-is-an-authority", "//evil.example/base"),
        path("path-without-a-slash", "@evil.example/base"),
        path("path-elsewhere", "/admin"),
        path("path-with-a-line-break", "/base/x HTTP/1.1\r\nhost: evil.example"),
        edits(
            "path-outside-needs",
            &[],
            vec![authorization(), Val::of("set-path", "/base/elsewhere")],
        ),
    ]
}

/// Plugins that keep asking.
fn shows() -> Vec<Case> {
    let authorize = |name: &str, needs: &[&str], body: Body| {
        rejected(name, plain(name, needs).body("authorize", body))
    };
    let [first, second] = [&["header/date"][..], &["header/accept"]].map(show);
    let more = |parts: &[&str]| Body::from(show(parts));
    let parts = ["read header/date", "read header/accept", "read body"];
    vec![
        authorize("show-the-same-for-ever", &["read header/date"], first.clone().into()),
        // Parameter 4 says whether a request is in view.
        authorize(
            "show-something-else-each-time",
            &["read header/date", "read header/accept"],
            Body::either("(local.get 4)", second, first),
        ),
        // Parameter 11 is the case of the body's view: unseen, digest, bytes.
        authorize(
            "show-ever-more",
            &parts,
            Body::either(
                "(local.get 4)",
                Body::either(
                    "(i32.eq (local.get 11) (i32.const 2))",
                    more(&["header/date", "body/sha-256", "body/bytes", "header/accept"]),
                    Body::either(
                        "(i32.eq (local.get 11) (i32.const 1))",
                        more(&["header/date", "body/sha-256", "body/bytes"]),
                        more(&["header/date", "body/sha-256"]),
                    ),
                ),
                more(&["header/date"]),
            ),
        ),
        authorize("show-outside-needs", &[], show(&["header/cookie"]).into()),
        // Its own to read, but no part of a request.
        authorize("show-what-there-is-not", &[], show(&["account/token"]).into()),
        authorize("renew-without-flows", &[], renew().into()),
    ]
}

/// Answers that fit memory and not the host's bounds.
fn sizes() -> Vec<Case> {
    let authorization = || Val::List(vec![set_header("authorization", "Hostile")]);
    let answer = |name: &str, needs: &[&str], answer: Val| {
        rejected(name, plain(name, needs).body("authorize", answer))
    };
    let memo = Val::some("m".repeat(4097));
    let watch = |body| ready_with(authorization(), vec![watch_any(body)], Val::none());
    vec![
        answer("memo-beyond-4-kib", &[], ready_with(authorization(), Vec::new(), memo)),
        answer("watch-beyond-64-kib", &["read reply/body"], watch(65537)),
        answer("watch-body-outside-needs", &[], watch(1024)),
        edits("header-of-40-kib", &[], vec![set_header("authorization", "h".repeat(40_000))]),
    ]
}

/// What a plugin may do to a reply.
fn replies() -> Vec<Case> {
    let replied = |name: &str, ending, next| {
        Case::new(name, Stage::Replied, ending, at(name, Stage::Replied, reaction(next)))
    };
    vec![
        // The host repeats three times at the most, and then delivers.
        replied("again-for-ever", Ending::Served, Val::of("again", "")),
        replied("renew-after-a-reply-without-flows", Ending::Rejected, Val::of("renew", "")),
    ]
}
