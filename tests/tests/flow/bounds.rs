//! What a flow may not do, by guests made to order.

use std::time::Duration;

use countersign::flow::{Callback, FlowError, GrantRequest, Progress};
use countersign::{Error, Settings};
use countersign_hostile::answer::{self, entry, fetch as plain_fetch, set_header};
use countersign_hostile::{AUTHORIZE_URI, Body, Part, TOKEN_URI, Val};
use countersign_tests::world::Trouble;
use serde_json::json;

use crate::plot::{Plot, Ready, done, fetch, guest, provider};

/// `resume` fetches again until the cursor is this long, and is done then.
pub(crate) fn fetches(times: usize) -> Body {
    let cursor = [Part::Text("x"), Part::Param(10)];
    let again = fetch(TOKEN_URI, "", cursor);
    Body::either(&format!("(i32.lt_u (local.get 11) (i32.const {times}))"), again, done("new", 60))
}

#[tokio::test]
async fn a_flow_has_eight_steps() {
    for (times, ends) in [(7, true), (8, false)] {
        let guest =
            guest(&[]).body("begin", fetch(TOKEN_URI, "", "x")).body("resume", fetches(times));
        let plot = Plot::of(&guest);
        let renewed = plot.host.renew(&plot.subject).await;
        assert_eq!(renewed.is_ok(), ends, "{times} fetches");
        assert!(plot.fetched.count() <= 8);
        assert_eq!(plot.store.kept(&plot.subject).await.is_some(), ends);
    }
}

/// What the token server gave may be the only copy of a rotated token.
#[tokio::test]
async fn a_state_that_cannot_be_stored_is_tried_again_and_stored_once() {
    use Trouble::{AnswerLost, NotKept};
    for trouble in [&[NotKept, NotKept][..], &[AnswerLost], &[NotKept, AnswerLost]] {
        let plot = Plot::of(&guest(&[]).body("begin", done("new", 60)));
        plot.store.have_trouble(trouble);
        let renewed = plot.host.renew(&plot.subject).await.unwrap();
        let kept = plot.store.kept(&plot.subject).await.unwrap();
        assert_eq!((renewed.version, kept.version), (1, 1));
        assert_eq!(kept.secrets["access_token"].expose(), "new");
    }
}

#[tokio::test]
async fn all_fetches_of_a_flow_share_one_deadline() {
    let guest = guest(&[]).body("begin", fetch(TOKEN_URI, "", "x")).body("resume", fetches(7));
    let mut settings = Settings::default();
    settings.flow_deadline = Duration::from_millis(250);
    let plot = Plot::with(&guest, &provider(), settings);
    *plot.fetched.takes.lock().unwrap() = Duration::from_millis(0);
    plot.host.renew(&plot.subject).await.unwrap();
    settings_are_kept(&plot).await;
}

/// Where no time is left, nothing is sent.
async fn settings_are_kept(plot: &Plot) {
    let before = plot.fetched.count();
    let guest = guest(&[]).body("begin", fetch(TOKEN_URI, "", "x")).body("resume", fetches(7));
    let mut settings = Settings::default();
    settings.flow_deadline = Duration::ZERO;
    let none = Plot::with(&guest, &provider(), settings);
    assert_eq!(none.flow_error().await, FlowError::TimedOut);
    assert_eq!((none.fetched.count(), before), (0, 7));
}

#[tokio::test]
async fn a_fetch_outside_the_rules_is_not_sent() {
    let header = |name: &str, value: &str| plain_fetch("POST", TOKEN_URI, vec![entry(name, value)]);
    let named = |name: &str| FlowError::FetchHeader(name.to_owned());
    for (step, refusal) in [
        (plain_fetch("PUT", TOKEN_URI, Vec::new()), FlowError::FetchMethod),
        (plain_fetch("get", TOKEN_URI, Vec::new()), FlowError::FetchMethod),
        (fetch("https://other.example/token", "", ""), FlowError::FetchUrl),
        (fetch(format!("{TOKEN_URI}#x"), "", ""), FlowError::FetchUrl),
        (fetch(TOKEN_URI.to_uppercase(), "", ""), FlowError::FetchUrl),
        (fetch(format!("{TOKEN_URI}/%2E%2e/x"), "", ""), FlowError::FetchUrl),
        (fetch(format!("{TOKEN_URI}/..%2fx"), "", ""), FlowError::FetchUrl),
        (fetch(format!("{TOKEN_URI}/..;/admin"), "", ""), FlowError::FetchUrl),
        (fetch(format!("{TOKEN_URI}/%252e%252e/x"), "", ""), FlowError::FetchUrl),
        (fetch(TOKEN_URI, "x".repeat((256 << 10) + 1), ""), FlowError::FetchSize(256 << 10)),
        (header("Host", "x"), named("Host")),
        (header("content-length", "0"), named("content-length")),
        (header("transfer-encoding", "chunked"), named("transfer-encoding")),
        (header("connection", "close"), named("connection")),
        (header("proxy-authorization", "x"), named("proxy-authorization")),
        (header("x-forwarded-for", "1.2.3.4"), named("x-forwarded-for")),
        (header("content_type", "x"), named("content_type")),
        (header("cookie2", "a=b"), named("cookie2")),
        (header("cookie_", "a=b"), named("cookie_")),
        (header("x-http-method-override", "DELETE"), named("x-http-method-override")),
        (header("a b", "x"), named("a b")),
        (header("accept", "a\nb"), named("accept")),
        (header("accept", "\u{10a}"), named("accept")),
    ] {
        let plot = Plot::of(&guest(&[]).body("begin", step));
        assert_eq!(plot.flow_error().await, refusal);
        assert_eq!(plot.fetched.count(), 0, "{refusal:?}");
    }
}

#[tokio::test]
async fn a_path_below_the_named_url_may_be_fetched() {
    for below in ["", "?a=b", "/", "/revoke?x=y"] {
        let step = fetch(format!("{TOKEN_URI}{below}"), "", "");
        let plot = Plot::of(&guest(&[]).body("begin", step).body("resume", done("new", 60)));
        plot.host.renew(&plot.subject).await.unwrap();
        assert_eq!(*plot.fetched.urls.lock().unwrap(), [format!("{TOKEN_URI}{below}")]);
    }
}

/// A login may go on only with the cookie that its first answer gave.
#[tokio::test]
async fn a_fetch_carries_the_cookies_that_the_plugin_gives_it() {
    let cookie = vec![entry("cookie", "csrf=t; sid=s")];
    let step = plain_fetch("POST", TOKEN_URI, cookie);
    let plot = Plot::of(&guest(&[]).body("begin", step).body("resume", done("new", 60)));
    plot.host.renew(&plot.subject).await.unwrap();
    let sent = plot.fetched.headers.lock().unwrap();
    assert_eq!(sent[0].get_all("cookie").iter().collect::<Vec<_>>(), ["csrf=t; sid=s"]);
}

/// `set_up` learns an endpoint, which a renewal then fetches.
#[tokio::test]
async fn a_learnt_url_is_fetched_only_where_the_provider_lists_it() {
    let learnt = "https://learnt.example/token";
    let setup = Val::ok(Val::of(
        "done",
        Val::Record(vec![
            ("secrets", Val::List(vec![entry("client_secret", "canary-of-the-client")])),
            ("attributes", Val::List(vec![entry("token_endpoint", learnt)])),
            ("renew-after", Val::none()),
            ("expires-after", Val::none()),
        ]),
    ));
    // `purpose` follows the account: 0 is `setup`. Its values would hold the token if it saw any.
    let begin = Body::either("(i32.eqz (local.get 4))", setup, fetch(learnt, "", ""));
    let needs = [
        "fetch shared/token_endpoint",
        "write shared/token_endpoint",
        "write shared/client_secret",
    ];
    let guest = guest(&needs).body("begin", begin).body("resume", done("new", 60));
    for (place, listed) in
        [(None, false), (Some("/allowed_proxy_domains"), true), (Some("pattern"), true)]
    {
        let mut provider = provider();
        match place {
            Some("pattern") => {
                provider["auth_patterns"][0]["allowed_proxy_domains"] = json!(["learnt.example"]);
            }
            Some(_) => provider["allowed_proxy_domains"] = json!(["learnt.example"]),
            None => {}
        }
        let plot = Plot::with(&guest, &provider, Settings::default());
        assert_eq!(plot.flow_error().await, FlowError::FetchUrl, "nothing is learnt yet");
        assert!(matches!(plot.host.set_up(&plot.subject).await, Ok(Progress::Done(_))));
        assert!(plot.store.kept(&plot.subject).await.is_none(), "the account has learnt nothing");
        if listed {
            plot.host.renew(&plot.subject).await.unwrap();
        } else {
            assert_eq!(plot.flow_error().await, FlowError::LearntOrigin);
        }
        assert_eq!(plot.fetched.count(), usize::from(listed));
    }
}

#[tokio::test]
async fn setup_sees_no_account() {
    // `done` with the account's token: a trap where it is not shown.
    let guest = guest(&["write shared/access_token"]).body("begin", done([Part::Token], 60));
    let plot = Plot::of(&guest);
    let error = plot.host.set_up(&plot.subject).await.err().unwrap();
    assert_eq!(error.code(), "plugin_fault");
    plot.host.renew(&plot.subject).await.unwrap();
}

#[tokio::test]
async fn a_state_outside_the_rules_is_not_kept() {
    let secret = || entry("access_token", "fresh-secret");
    let scope = |text: &str| vec![entry("scope", text)];
    let leave = |secrets, attributes| answer::done(secrets, attributes);
    for (step, name) in [
        (leave(vec![entry("other", "x")], vec![]), "other"),
        (leave(vec![secret()], vec![entry("instance", "x")]), "instance"),
        (leave(vec![secret(), secret()], vec![]), "access_token"),
        (leave(vec![secret()], vec![entry("access_token", "x")]), "access_token"),
        (leave(vec![entry("a/b", "x")], vec![]), ""),
        (leave(vec![entry("", "x")], vec![]), ""),
        (leave(vec![secret()], scope("fresh-secret")), "scope"),
        (leave(vec![secret()], scope("a fresh-secret b")), "scope"),
        (leave(vec![secret()], scope("ZnJlc2gtc2VjcmV0")), "scope"),
        (leave(vec![secret()], scope("canary-of-the-account")), "scope"),
        (leave(vec![secret()], scope("a\nb")), "scope"),
        (leave(vec![entry("access_token", "t".repeat(64 << 10))], vec![]), ""),
    ] {
        let plot = Plot::of(&guest(&["write state/scope"]).body("begin", step));
        let error = plot.flow_error().await;
        let at = match &error {
            FlowError::State { name, .. } | FlowError::StateName(name) => Some(name.as_str()),
            _ => None,
        };
        assert_eq!(at, Some(name), "{error:?}");
        assert!(plot.store.kept(&plot.subject).await.is_none(), "{error:?}");
    }
    let full = "t".repeat((64 << 10) - "access_token".len());
    let plot = Plot::of(
        &guest(&[]).body("begin", answer::done(vec![entry("access_token", full)], vec![])),
    );
    plot.host.renew(&plot.subject).await.unwrap();
}

/// No state holds the new token yet, and the plugin has nothing better to say than what it heard.
#[tokio::test]
async fn what_a_token_server_has_just_given_is_in_no_message() {
    // Parameters 8 and 9 of `resume` are the body of the answer.
    let repeats = answer::refusal("unavailable", [Part::Text("unexpected: "), Part::Param(8)]);
    let guest = guest(&[]).body("begin", fetch(TOKEN_URI, "", "x")).body("resume", repeats);
    let plot = Plot::of(&guest);
    for said in [
        r#"{"data":{"access_token":"canary-just-given"},"scope":"all"}"#,
        "refresh_token=canary-just-given&scope=all",
    ] {
        *plot.fetched.answer.lock().unwrap() = said;
        let error = plot.renewal_error().await.to_string();
        assert!(error.contains("unexpected: ") && error.contains("scope"), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn expiry_counts_from_when_the_fetch_was_sent() {
    let begin = fetch(TOKEN_URI, "", "x");
    let plot = Plot::of(&guest(&[]).body("begin", begin).body("resume", done("new", 60)));
    let sent = countersign::clock::Clock::unix_millis(&*plot.clock);
    *plot.fetched.takes.lock().unwrap() = Duration::from_millis(100);
    let renewing = plot.host.renew(&plot.subject);
    let passing = async {
        while plot.fetched.count() == 0 {
            tokio::task::yield_now().await;
        }
        plot.clock.pass(40);
    };
    let (state, ()) = tokio::join!(renewing, passing);
    assert_eq!(state.unwrap().expires_at, Some(sent + 60_000));
}

fn pause(prompt: impl Into<Option<Val>>, callback: Option<Val>, seconds: Option<u64>) -> Val {
    let option = |it: Option<Val>| it.map_or_else(Val::none, Val::some);
    Val::ok(Val::of(
        "pause",
        Val::Record(vec![
            ("prompt", option(prompt.into())),
            ("callback", option(callback)),
            ("seconds", option(seconds.map(Val::Num))),
            ("cursor", "".into()),
        ]),
    ))
}

fn page(url: impl Into<Val>, code: Option<&str>) -> Val {
    let code = code.map_or_else(Val::none, Val::some);
    Val::Record(vec![("url", url.into()), ("code", code)])
}

#[tokio::test]
async fn a_prompt_outside_the_rules_is_not_shown() {
    // Parameters 7 and 8 of `begin` are the state token.
    let token = || Part::Param(7);
    let with = |more: &'static str| {
        [Part::Text(AUTHORIZE_URI), Part::Text("?state="), token(), Part::Text(more)]
    };
    let state = || Some(entry("state", [token()]));
    let secret = "&hint=canary-of-the-account";
    let base64 = "&hint=Y2FuYXJ5LW9mLXRoZS1hY2NvdW50";
    let percent = "&hint=canary%2Dof%2Dthe%2Daccount";
    for (step, refusal) in [
        (pause(page(with(secret), None), state(), None), FlowError::PromptSecret),
        (pause(page(with(base64), None), state(), None), FlowError::PromptSecret),
        (pause(page(with(percent), None), state(), None), FlowError::PromptSecret),
        (
            pause(page(with(""), Some("canary-of-the-account")), state(), None),
            FlowError::PromptSecret,
        ),
        (pause(page(AUTHORIZE_URI, None), state(), None), FlowError::PromptState),
        (pause(page(with(""), None), Some(entry("state", "mine")), None), FlowError::PromptState),
        (pause(page("https://phish.example/", None), state(), None), FlowError::PromptUrl),
        (pause(page(with(""), None), None, None), FlowError::Pause),
        // Without a page to look at, the callback is held to the token all the same.
        (pause(None, Some(entry("state", "mine")), Some(5)), FlowError::PromptState),
        (pause(None, state(), Some(0)), FlowError::Pause),
        (pause(None, state(), Some(601)), FlowError::Pause),
    ] {
        let plot = Plot::of(&guest(&[]).body("begin", step));
        let begun = plot.host.begin_grant(&plot.subject, GrantRequest::default()).await;
        assert!(matches!(&begun, Err(Error::Flow(cause)) if *cause == refusal), "{refusal:?}");
    }
    // The same in order.
    let plot = Plot::of(&guest(&[]).body("begin", pause(page(with(""), None), state(), Some(600))));
    let begun = plot.host.begin_grant(&plot.subject, GrantRequest::default()).await;
    assert!(matches!(begun, Ok(Progress::Paused(_))));
}

/// RFC 8628: the user types a code somewhere, and the flow polls.
#[tokio::test]
async fn a_pause_ends_when_its_time_is_over() {
    let begin = pause(page(AUTHORIZE_URI, Some("ABCD-EFGH")), None, Some(5));
    let plot = Plot::of(&guest(&[]).body("begin", begin).body("resume", done("new", 60)));
    let begun = plot.host.begin_grant(&plot.subject, GrantRequest::default()).await.unwrap();
    let Progress::Paused(paused) = begun else { panic!() };
    assert_eq!(paused.after, Some(Duration::from_secs(5)));
    assert_eq!(paused.prompt.as_ref().unwrap().code.as_deref(), Some("ABCD-EFGH"));
    let done = plot.host.resume(&plot.subject, *paused, Callback::Elapsed).await.unwrap();
    assert!(matches!(done, Progress::Done(_)));
}

/// RFC 8628, section 3.4: as often as it takes, for as long as a code is good.
#[tokio::test]
async fn a_grant_may_ask_again_and_again_for_an_hour() {
    let ask = fetch(TOKEN_URI, "", "asked");
    for (fetches, seconds, asked) in [(ask.clone(), 60, 60), (ask.clone(), 600, 6)] {
        // `resume` is told first what kind of event it is: 3 is `elapsed`.
        let wait = pause(None, None, Some(seconds));
        let resume = Body::either("(i32.eq (local.get 4) (i32.const 3))", fetches, wait.clone());
        let plot = Plot::of(&guest(&[]).body("begin", wait).body("resume", resume));
        let mut progress =
            plot.host.begin_grant(&plot.subject, GrantRequest::default()).await.unwrap();
        let error = loop {
            let Progress::Paused(paused) = progress else { panic!() };
            match plot.host.resume(&plot.subject, *paused, Callback::Elapsed).await {
                Ok(next) => progress = next,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Flow(FlowError::TimedOut)), "{error}");
        assert_eq!(plot.fetched.count(), asked);
    }
    // Between two waits there is time for one question, and the steps that were left.
    let ever = Plot::of(&guest(&[]).body("begin", pause(None, None, Some(1))).body("resume", ask));
    let begun = ever.host.begin_grant(&ever.subject, GrantRequest::default()).await.unwrap();
    let Progress::Paused(paused) = begun else { panic!() };
    let error = ever.host.resume(&ever.subject, *paused, Callback::Elapsed).await.err().unwrap();
    assert!(matches!(error, Error::Flow(FlowError::TooManySteps)), "{error}");
    assert_eq!(ever.fetched.count(), 8);
}

#[tokio::test]
async fn a_renewal_may_wait_for_a_time_but_for_no_user() {
    let plot = Plot::of(
        &guest(&[]).body("begin", pause(None, None, Some(1))).body("resume", done("new", 60)),
    );
    plot.host.renew(&plot.subject).await.unwrap();
    for (step, refusal) in [
        (pause(None, None, Some(60)), FlowError::TimedOut),
        (pause(None, Some(entry("x", "y")), None), FlowError::PromptOutsideGrant),
        (pause(page(AUTHORIZE_URI, None), None, Some(1)), FlowError::PromptOutsideGrant),
    ] {
        let plot = Plot::of(&guest(&[]).body("begin", step));
        assert_eq!(plot.flow_error().await, refusal);
    }
}

#[tokio::test]
async fn a_plugin_that_changes_while_a_flow_waits_does_not_go_on_with_it() {
    let paused = guest(&[]).body("begin", pause(None, Some(entry("x", "y")), None));
    let plot = Plot::of(&paused);
    let begun = plot.host.begin_grant(&plot.subject, GrantRequest::default()).await.unwrap();
    let Progress::Paused(waiting) = begun else { panic!() };
    let other = paused.body("resume", done("new", 60)).build().unwrap();
    std::fs::write(plot.folder.path().join("plot.wasm"), other).unwrap();
    plot.registry.reload().unwrap();
    let back = Callback::Parameters(vec![("x".to_owned(), "y".to_owned())]);
    let resumed = plot.host.resume(&plot.subject, *waiting, back).await;
    assert!(matches!(resumed, Err(Error::Flow(FlowError::PluginChanged))));
}

#[tokio::test]
async fn renewal_after_renewal_ends() {
    let plot =
        Plot::of(&guest(&[]).body("authorize", answer::renew()).body("begin", done("new", 60)));
    assert_eq!(plot.prepared().await.unwrap_err().code(), "plugin_contract");
    assert_eq!(plot.store.kept(&plot.subject).await.unwrap().version, 2);
}

#[tokio::test]
async fn three_rounds_of_showing_each_with_more() {
    // The plugin is shown the URL only from the first round on: parameter 4 says whether.
    let ready = || Ready::lasting(set_header("authorization", "shown")).answer();
    let blind = |then: Val| Body::either("(local.get 4)", then, answer::show(&["header/accept"]));
    let needs = ["read header/accept", "read header/date", "read body"];
    // More names, but not those of the last time; ready once it sees a body, as parameter 11 says.
    let other_parts = Body::either(
        "(local.get 4)",
        Body::either("(local.get 11)", ready(), answer::show(&["header/date", "body/bytes"])),
        answer::show(&["header/accept"]),
    );
    for (body, served) in [
        (blind(ready()), true),
        (blind(answer::show(&["header/accept"])), false),
        (blind(answer::show(&["header/date", "body/bytes"])), false),
        (other_parts, false),
        (Body::from(answer::show(&[])), false),
    ] {
        let plot = Plot::of(&guest(&needs).body("authorize", body));
        let outcome = plot.prepared().await;
        assert_eq!(outcome.is_ok(), served);
        if let Err(error) = outcome {
            assert_eq!(error.code(), "plugin_contract");
        }
    }
    for names in [&["header/cookie"][..], &["header/x"], &["body/sha-1"], &["reply/body"]] {
        let plot = Plot::of(&guest(&needs).body("authorize", answer::show(names)));
        assert_eq!(plot.prepared().await.unwrap_err().code(), "view_refused", "{names:?}");
    }
}
