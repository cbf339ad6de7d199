//! Consent, from the page to the token: RFC 6749, section 4.1; RFC 7636; RFC 9207.

use countersign::Error;
use countersign::flow::{Callback, FlowError, GrantRequest, Paused, Progress};
use serde_json::json;

use crate::scene::{Scene, Script};

type Parameters = Vec<(String, String)>;

/// What is wrong, how to make it so, and the code of the error.
type Case = (&'static str, fn(&mut Parameters), &'static str);

fn request() -> GrantRequest {
    GrantRequest { redirect_uri: "https://gw.example/back?x=1".to_owned(), ..Default::default() }
}

async fn begin(scene: &Scene) -> Paused {
    match scene.host.begin_grant(&scene.subject, request()).await.unwrap() {
        Progress::Paused(paused) => *paused,
        Progress::Done(_) => panic!("nobody was asked"),
    }
}

/// The user consents, and comes back with what `change` makes of the parameters.
async fn finish(scene: &Scene, change: impl Fn(&mut Parameters)) -> Result<(), Error> {
    let paused = begin(scene).await;
    let mut parameters = scene.server.consent(&paused.prompt.as_ref().unwrap().url);
    change(&mut parameters);
    let callback = Callback::Parameters(parameters);
    scene.host.resume(&scene.subject, paused, callback).await.map(drop)
}

fn set(parameters: &mut Parameters, name: &str, value: &str) {
    parameters.retain(|(key, _)| key != name);
    parameters.push((name.to_owned(), value.to_owned()));
}

#[tokio::test]
async fn consent_ends_in_a_token_that_works() {
    let mut script = Script { with_tokens: false, ..Script::default() }
        .config("fetch_user_info", true)
        .config("extra_authorize_params", json!({"access_type": "offline"}));
    script.connection["scopes"] = json!(["a", "b"]);
    let scene = script.begin().await;
    assert_eq!(scene.get().await.unwrap_err().code(), "reauthorize");
    let paused = begin(&scene).await;
    let page = &paused.prompt.as_ref().unwrap().url;
    let asked: std::collections::HashMap<_, _> = page.query_pairs().into_owned().collect();
    assert_eq!((asked["scope"].as_str(), asked["access_type"].as_str()), ("a b", "offline"));
    let (name, value) = paused.callback.as_ref().unwrap();
    assert_eq!((name.as_str(), value.expose()), ("state", asked["state"].as_str()));
    assert!(value.expose().len() >= 43, "256 bits");
    let parameters = scene.server.consent(page);
    let callback = Callback::Parameters(parameters);
    let done = scene.host.resume(&scene.subject, paused, callback).await.unwrap();
    let Progress::Done(state) = done else { panic!() };
    assert_eq!(
        (state.attributes["scope"].as_str(), state.attributes["user_sub"].as_str()),
        ("a b", "user-7")
    );
    assert_eq!(scene.events(), ["token", "token answered", "me", "save"]);
    assert_eq!(scene.get().await.unwrap(), 200);
    scene.expire();
    assert_eq!(scene.get().await.unwrap(), 200);
}

#[tokio::test]
async fn pitfall_14_no_two_grants_have_a_state_token_or_a_challenge_in_common() {
    let scene = Scene::new().await;
    let (one, two) = (begin(&scene).await, begin(&scene).await);
    let pairs = |paused: &Paused| -> Vec<(String, String)> {
        let wanted = |name: &str| matches!(name, "state" | "code_challenge");
        let url = &paused.prompt.as_ref().unwrap().url;
        url.query_pairs().into_owned().filter(|(name, _)| wanted(name)).collect()
    };
    assert!(pairs(&one).iter().all(|pair| !pairs(&two).contains(pair)));
}

#[tokio::test]
async fn pitfall_14_a_callback_that_is_not_this_flows_asks_for_no_token() {
    let scene = Script::default().begin().await;
    let cases: [Case; 11] = [
        ("another state", |it| set(it, "state", "AAAA"), "callback_refused"),
        ("no state", |it| it.retain(|(name, _)| name != "state"), "callback_refused"),
        ("state twice", |it| it.push(it[1].clone()), "callback_refused"),
        ("code twice", |it| it.push(("code".into(), "other".into())), "callback_refused"),
        ("nothing", Vec::clear, "callback_refused"),
        (
            "too much",
            |it| it.extend((0..40).map(|n| (format!("p{n}"), String::new()))),
            "callback_refused",
        ),
        ("too long", |it| set(it, "x", &"x".repeat(9000)), "callback_refused"),
        ("another issuer", |it| set(it, "iss", "https://evil.example"), "reauthorize"),
        ("an error", |it| set(it, "error", "access_denied"), "denied"),
        ("an error of the server's", |it| set(it, "error", "server_error"), "unavailable"),
        ("no code", |it| it.retain(|(name, _)| name != "code"), "reauthorize"),
    ];
    for (what, change, code) in cases {
        assert_eq!(finish(&scene, change).await.unwrap_err().code(), code, "{what}");
        assert!(scene.events().is_empty(), "{what}");
        assert_eq!(scene.version().await, 0, "{what}");
    }
}

#[tokio::test]
async fn pitfall_14_an_issuer_that_is_announced_must_come() {
    let script = Script::default();
    let scene = script.config("authorization_response_iss_parameter_supported", true).begin().await;
    let without = finish(&scene, |it| it.retain(|(name, _)| name != "iss")).await;
    assert_eq!(without.unwrap_err().code(), "reauthorize");
    finish(&scene, |_| {}).await.unwrap();
}

#[tokio::test]
async fn pitfall_14_a_code_of_another_flow_is_not_redeemed() {
    let scene = Scene::new().await;
    let other = begin(&scene).await;
    let stolen = scene.server.consent(&other.prompt.as_ref().unwrap().url)[0].1.clone();
    // The state is right, but the verifier is another one's (RFC 7636).
    let error = finish(&scene, |it| set(it, "code", &stolen)).await.unwrap_err();
    assert_eq!(error.code(), "reauthorize");
    assert_eq!(scene.version().await, 0);
}

#[tokio::test]
async fn pitfall_14_a_flow_is_bound_to_its_account() {
    let (scene, other) = (Scene::new().await, Scene::new().await);
    let victim = countersign_tests::subject(
        &crate::scene::provider(),
        &json!({"client_id": "c"}),
        &json!({"identifier": "victim", "authorization_details": {"oauth_token": {}}}),
    );
    for subject in [&victim, &other.subject] {
        let paused = begin(&scene).await;
        let parameters = scene.server.consent(&paused.prompt.as_ref().unwrap().url);
        let resumed = scene.host.resume(subject, paused, Callback::Parameters(parameters)).await;
        if subject.state_key() == scene.subject.state_key() {
            // The same account by its key: another copy of it may go on.
            resumed.unwrap();
        } else {
            assert!(matches!(resumed, Err(Error::Flow(FlowError::Callback))));
        }
    }
}

#[tokio::test]
async fn a_pause_without_a_time_does_not_elapse() {
    let scene = Scene::new().await;
    let paused = begin(&scene).await;
    let resumed = scene.host.resume(&scene.subject, paused, Callback::Elapsed).await;
    assert!(matches!(resumed, Err(Error::Flow(FlowError::Callback))));
}

#[tokio::test]
async fn the_page_may_be_the_accounts_own_and_still_shows_no_secret() {
    let mut script = Script::default().config("authorize_uri", "https://{{domain}}/authorize");
    script.provider["auth_patterns"][0]["account_fields"] =
        json!([{"field_name": "domain", "label": "Domain", "input_type": "text"}]);
    script.api_config = json!({"domain": "login.acme.example"});
    let scene = script.begin().await;
    let paused = begin(&scene).await;
    let page = paused.prompt.unwrap().url;
    assert_eq!(page.host_str(), Some("login.acme.example"));
    for secret in [countersign_tests::token_server::CLIENT_SECRET, &scene.tokens.refresh] {
        assert!(!page.as_str().contains(secret));
    }
    // A wish that is a secret never gets onto the page.
    let wishes = [("login_hint".to_owned(), scene.tokens.refresh.clone())].into();
    let begun = scene.host.begin_grant(&scene.subject, GrantRequest { wishes, ..request() }).await;
    assert!(matches!(begun, Err(Error::Flow(FlowError::PromptSecret))));
}

#[tokio::test]
async fn no_settings_of_the_payload_can_weaken_the_flow() {
    for name in ["state", "code_challenge", "code_challenge_method", "client_id"] {
        let scene = Script::default()
            .config("extra_authorize_params", json!({name: "plain"}))
            .begin()
            .await;
        let error = scene.host.begin_grant(&scene.subject, request()).await.err().unwrap();
        assert_eq!(error.code(), "invalid_config", "{name}");
    }
}
