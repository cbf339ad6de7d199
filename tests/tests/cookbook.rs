//! The plugins of docs/plugins/cookbook.md: they compile, do what they say, and stand there as they
//! are.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]
#![allow(unreachable_pub, reason = "each is a library in a project of its own")]

use countersign_plugin::{
    Account, BodyView, Context, Edit, Event, Flow as _, HttpResponse, Next, Outcome, Plugin,
    Purpose, Ready, Reason, RequestView, Step,
};

#[path = "../cookbook/key_in_path.rs"]
mod key_in_path;
#[path = "../cookbook/login_token.rs"]
mod login_token;
#[path = "../cookbook/signed_body.rs"]
mod signed_body;
#[path = "../cookbook/two_fields.rs"]
mod two_fields;

use key_in_path::KeyInPath;
use login_token::LoginToken;
use signed_body::SignedBody;
use two_fields::TwoFields;

const NOW: u64 = 1_700_000_000_000;

fn cx() -> Context {
    Context::fixed(NOW, 0)
}

fn request(url: &str, body: BodyView) -> RequestView {
    RequestView { method: "POST".to_owned(), url: url.to_owned(), headers: Vec::new(), body }
}

#[test]
fn the_cookbook_holds_each_of_them_word_for_word() {
    let book = include_str!("../../docs/plugins/cookbook.md");
    for recipe in [
        include_str!("../cookbook/two_fields.rs"),
        include_str!("../cookbook/key_in_path.rs"),
        include_str!("../cookbook/signed_body.rs"),
        include_str!("../cookbook/login_token.rs"),
    ] {
        let first = recipe.lines().next().unwrap();
        assert!(book.contains(&format!("```rust\n{recipe}```")), "not as it is: {first}");
    }
}

#[test]
fn a_header_is_made_of_two_fields() {
    let authorize = |tenant, key| {
        let account = Account::of(&[("account/tenant", tenant), ("account/key", key)]);
        TwoFields::authorize(&cx(), &account, None, &[])
    };
    let ready = Ready::lasting(vec![Edit::header("x-api-key", "acme:k-1")]);
    assert_eq!(authorize("acme", "k-1").unwrap(), ready.into());
    for (tenant, key, field) in [
        ("a:b", "k-1", "account/tenant"),
        ("acme", "k\r\nx: y", "account/key"),
        ("", "k-1", "account/tenant"),
    ] {
        assert_eq!(authorize(tenant, key).unwrap_err().field.as_deref(), Some(field));
    }
}

#[test]
fn a_key_goes_ahead_of_the_callers_path() {
    for (token, url, path) in [
        ("1:a", "https://api.example.com/sendMessage?chat=1", "/bot1%3Aa/sendMessage"),
        ("../x", "https://api.example.com/", "/bot..%2Fx/"),
    ] {
        let account = Account::of(&[("account/token", token)]);
        let blind = KeyInPath::authorize(&cx(), &account, None, &[]).unwrap();
        assert_eq!(blind, Outcome::Show(Vec::new()));
        let request = request(url, BodyView::Unseen(None));
        let found = KeyInPath::authorize(&cx(), &account, Some(&request), &[]).unwrap();
        assert_eq!(found, Ready::once(vec![Edit::SetPath(path.to_owned())]).into());
    }
}

/// By `printf '1700000000.BODY' | openssl dgst -sha256 -hmac a-made-up-secret`.
#[test]
fn a_body_is_signed_with_the_time() {
    let account = Account::of(&[("account/secret", "a-made-up-secret")]);
    let sign = |body| {
        let request = request("https://api.example.com/x", body);
        SignedBody::authorize(&cx(), &account, Some(&request), &[])
    };
    for (body, signature) in [
        (BodyView::Bytes(b"{}".to_vec()), SIGNED),
        (BodyView::Bytes(Vec::new()), EMPTY),
        (BodyView::Unseen(Some(0)), EMPTY),
    ] {
        let value = format!("t=1700000000,v1={signature}");
        let ready = Ready::once(vec![Edit::header("x-signature", &value)]);
        assert_eq!(sign(body).unwrap(), ready.into());
    }
    for body in [BodyView::Unseen(None), BodyView::Unseen(Some(9_000_000))] {
        assert_eq!(sign(body).unwrap_err().reason, Reason::InvalidRequest);
    }
}

const SIGNED: &str = "bbfd52095f2ed1e0803d57314cdd5c651e17ddfc8a340a91640938a9765e68e8";
const EMPTY: &str = "dec28b72fdfc6e184341c6fb49fb69216d2c4c42076edd0ef240890d3130022d";

#[test]
fn a_login_gives_the_token_that_requests_carry() {
    let login = "https://api.example.com/login";
    let values =
        [("account/username", "ann"), ("account/password", "p&w"), ("pattern/login_url", login)];
    let account = Account::of(&values);
    let blind = LoginToken::authorize(&cx(), &account, None, &[]).unwrap();
    assert_eq!(blind, Outcome::Renew(Vec::new()));
    let step = LoginToken::begin(&cx(), &account, &Purpose::Renew(Vec::new())).unwrap();
    let Step::Fetch(fetch) = step else { panic!("{step:?}") };
    assert_eq!((fetch.request.method.as_str(), fetch.request.url.as_str()), ("POST", login));
    assert_eq!(fetch.request.body, b"username=ann&password=p%26w");

    let answered = |status, body: &str| {
        let body = body.as_bytes().to_vec();
        let event = Event::Response(HttpResponse { status, headers: Vec::new(), body });
        LoginToken::resume(&cx(), &account, &event, &[])
    };
    let step = answered(200, r#"{"token": "t-1", "expires_in": 600}"#).unwrap();
    let Step::Done(state) = step else { panic!("{step:?}") };
    assert_eq!(state.secrets, [("access_token".to_owned(), "t-1".to_owned())]);
    assert_eq!(state.expires_after, Some(600));
    for (status, body, reason) in [
        (200, "{}", Reason::Unavailable),
        (200, "<html>", Reason::Unavailable),
        (200, r#"{"token": "a\r\nb"}"#, Reason::Unavailable),
        (401, "{}", Reason::Reauthorize),
        (500, "{}", Reason::Unavailable),
    ] {
        assert_eq!(answered(status, body).unwrap_err().reason, reason, "{status} {body}");
    }

    for (until, is_good) in [(NOW + 1, true), (NOW, false)] {
        let until = until.to_string();
        let held = [("state/access_token", "t-1"), ("state/expires-at", until.as_str())];
        let account = Account::of(&[&values[..], &held].concat());
        let found = LoginToken::authorize(&cx(), &account, None, &[]).unwrap();
        let edits = vec![Edit::header("authorization", "Token t-1")];
        let expected: Outcome = Ready::lasting(edits).watch(401).into();
        assert_eq!(found == expected, is_good, "{found:?}");
    }
    let reply = HttpResponse { status: 401, headers: Vec::new(), body: Vec::new() };
    let reaction = LoginToken::replied(&cx(), &account, &reply, &[]).unwrap();
    assert_eq!(reaction.next, Next::Renew(Vec::new()));
}
