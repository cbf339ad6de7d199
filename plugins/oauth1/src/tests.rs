//! Values, requests and events in, edits, steps and refusals out; a module for each half, and one for
//! what has been published.

mod grant;
mod published;

use countersign_plugin::Reason;

use super::*;

/// 2023-11-14T22:13:20Z
const NOW: u64 = 1_700_000_000_000;

const CLIENT: [(&str, &str); 2] =
    [("connection/client_id", "consumer"), ("connection/client_secret", "sec&ret")];
const TYPED: [(&str, &str); 2] = [("account/token", "token"), ("account/token_secret", "shh")];
const FORM: (&str, &str) = ("content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8");
const RSA: (&str, &str) = ("pattern/oauth1/signature_method", "RSA-SHA1");
const PLAINTEXT: (&str, &str) = ("pattern/oauth1/signature_method", "PLAINTEXT");
const IN_QUERY: (&str, &str) = ("pattern/oauth1/placement", "query");

fn cx() -> Context {
    Context::fixed(NOW, 1)
}

fn account(values: &[(&str, &str)]) -> Account {
    Account::of(&[&CLIENT[..], &TYPED, values].concat())
}

fn view(url: &str, headers: &[(&str, &str)], body: BodyView) -> RequestView {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    RequestView {
        method: "POST".into(),
        url: url.into(),
        headers: headers.iter().map(owned).collect(),
        body,
    }
}

const URL: &str = "https://api.example.com/things";

fn asked(account: &Account, request: Option<&RequestView>) -> Result<Outcome, Refusal> {
    OAuth1::authorize(&cx(), account, request, &[])
}

fn edits(account: &Account, request: Option<&RequestView>) -> Vec<(String, String)> {
    let Outcome::Ready(ready) = asked(account, request).unwrap() else { panic!("not ready") };
    assert_eq!(ready.remember, 0, "a nonce is for one request");
    let edits = ready.edits.into_iter().map(|edit| match edit {
        Edit::SetHeader(entry) | Edit::SetQuery(entry) => entry,
        other => panic!("{other:?}"),
    });
    edits.collect()
}

/// The parameters of a header that was signed, decoded.
fn parameters(authorization: &str) -> Vec<(String, String)> {
    let parts = authorization.strip_prefix("OAuth ").unwrap().split(", ");
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap();
        let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        (name.to_owned(), countersign_plugin::form::decode(value).unwrap())
    };
    parts.map(pair).collect()
}

fn signed(account: &Account, request: &RequestView) -> Vec<(String, String)> {
    let edits = edits(account, Some(request));
    assert_eq!((edits.len(), edits[0].0.as_str()), (1, "authorization"));
    parameters(&edits[0].1)
}

fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

/// What must be signed of a request with these parameters and no query.
fn expected(own: &[(String, String)], form: &str, secret: &str) -> String {
    let mut all = base::Parameters::default();
    all.add_form(form.as_bytes());
    for (name, value) in own.iter().filter(|(name, _)| name != "realm" && name != "oauth_signature")
    {
        all.add(name, value);
    }
    let text = Target::of(URL).unwrap().base_string("POST", all);
    Client::of(&account(&[])).unwrap().sign(&cx(), secret, &text).unwrap()
}

#[test]
fn no_more_of_a_request_is_asked_for_than_is_signed() {
    let show = |names: &[&str]| shown(names);
    let empty = BodyView::Unseen(Some(0));
    let some = BodyView::Unseen(Some(9));
    let hashed = ("pattern/oauth1/body_hash", "true");
    let json = ("content-type", "application/json");
    for (values, request, wish) in [
        (vec![], None, Some(show(&[CONTENT_TYPE]))),
        (vec![], Some(view(URL, &[FORM], some.clone())), Some(show(&[CONTENT_TYPE, BODY]))),
        (
            vec![],
            Some(view(URL, &[FORM], BodyView::Unseen(None))),
            Some(show(&[CONTENT_TYPE, BODY])),
        ),
        (vec![], Some(view(URL, &[FORM], empty.clone())), None),
        (vec![], Some(view(URL, &[json], some.clone())), None),
        (vec![], Some(view(URL, &[], some.clone())), None),
        (vec![hashed], Some(view(URL, &[json], some.clone())), Some(show(&[CONTENT_TYPE, BODY]))),
        (vec![hashed], Some(view(URL, &[], empty)), None),
        (vec![PLAINTEXT], None, None),
    ] {
        let outcome = asked(&account(&values), request.as_ref()).unwrap();
        match wish {
            Some(wish) => assert_eq!(outcome, wish, "{values:?} {request:?}"),
            None => assert!(matches!(outcome, Outcome::Ready(_)), "{values:?} {request:?}"),
        }
    }
}

#[test]
fn a_form_is_signed_with_all_of_its_parameters_and_any_other_body_is_not() {
    let form = "b=2&a=x+y&a=%26&&c&b=10&%zz=%C3%A9";
    let bytes = || BodyView::Bytes(form.into());
    let own = signed(&account(&[]), &view(URL, &[FORM], bytes()));
    assert_eq!(parameter(&own, "oauth_signature"), Some(&*expected(&own, form, "shh")));
    let own = signed(&account(&[]), &view(URL, &[("content-type", "text/plain")], bytes()));
    assert_eq!(parameter(&own, "oauth_signature"), Some(&*expected(&own, "", "shh")));
}

#[test]
fn the_header_says_who_when_and_where() {
    let own = signed(
        &account(&[("account/realm", "a realm"), ("connection/realm", "other")]),
        &view(URL, &[], BodyView::Unseen(Some(0))),
    );
    let signature = expected(&own, "", "shh");
    let nonce = parameter(&own, "oauth_nonce").unwrap().to_owned();
    assert!(nonce.len() == 30 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{nonce}");
    let pairs: Vec<_> = own.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        pairs,
        [
            ("realm", "a realm"),
            ("oauth_consumer_key", "consumer"),
            ("oauth_token", "token"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "1700000000"),
            ("oauth_nonce", &nonce),
            ("oauth_version", "1.0"),
            ("oauth_signature", &signature),
        ]
    );
}

#[test]
fn in_the_query_it_is_the_same_but_for_the_realm() {
    let request = view(URL, &[], BodyView::Unseen(Some(0)));
    let own = edits(&account(&[IN_QUERY, ("account/realm", "r")]), Some(&request));
    assert_eq!(own, signed(&account(&[]), &request));
    // Encoded once, by the host: a server finds this after it has decoded the query once.
    let own = edits(&account(&[IN_QUERY, PLAINTEXT]), None);
    assert_eq!(parameter(&own, "oauth_signature"), Some("sec%26ret&shh"));
}

#[test]
fn no_two_requests_have_a_nonce_in_common() {
    let request = view(URL, &[], BodyView::Unseen(Some(0)));
    let cx = cx();
    let nonce = || {
        let outcome = OAuth1::authorize(&cx, &account(&[]), Some(&request), &[]);
        let Outcome::Ready(ready) = outcome.unwrap() else { panic!() };
        let Edit::SetHeader((_, value)) = &ready.edits[0] else { panic!() };
        parameter(&parameters(value), "oauth_nonce").unwrap().to_owned()
    };
    assert_ne!(nonce(), nonce());
}

/// The extension `OAuth Request Body Hash`, section 6, and its hash of another method.
#[test]
fn a_body_that_is_no_form_is_signed_by_its_hash_where_that_is_wanted() {
    let hashed = ("pattern/oauth1/body_hash", "true");
    let sha256 = ("pattern/oauth1/signature_method", "HMAC-SHA256");
    let hello = || BodyView::Bytes(b"Hello World!".into());
    let own = |values: &[(&str, &str)], headers: &[(&str, &str)], body| {
        let own = signed(&account(values), &view(URL, headers, body));
        parameter(&own, "oauth_body_hash").map(str::to_owned)
    };
    assert_eq!(own(&[hashed], &[], hello()).as_deref(), Some("Lve95gjOVATpfV8EL5X4nxwjKHE="));
    let none = own(&[hashed], &[], BodyView::Unseen(Some(0)));
    assert_eq!(none.as_deref(), Some("2jmj7l5rSw0yVb/vlWAYkK/YBwk="));
    let other = own(&[hashed, sha256], &[], hello());
    assert_eq!(other.as_deref(), Some("f4OxZX/x/FO5LcGBSKHWXfwtSx+j1ncoSt3SABJtkGk="));
    assert_eq!(own(&[hashed], &[FORM], hello()), None, "a form is signed itself");
    assert_eq!(own(&[], &[], hello()), None);
}

#[test]
fn a_grants_token_goes_before_the_typed_one_and_with_its_own_secret() {
    let request = view(URL, &[], BodyView::Unseen(Some(0)));
    let granted = [("state/access_token", "raw"), ("state/token_secret", "granted")];
    let own = signed(&account(&granted), &request);
    assert_eq!(parameter(&own, "oauth_signature"), Some(&*expected(&own, "", "granted")));
    let refusal = asked(&account(&granted[..1]), Some(&request)).unwrap_err();
    assert_eq!(refusal.reason, Reason::Reauthorize);
    assert_eq!(refusal.field.as_deref(), Some("state/token_secret"));
    // A server may grant a token whose secret is empty.
    let own = signed(&account(&[granted[0], ("state/token_secret", "")]), &request);
    assert_eq!(parameter(&own, "oauth_signature"), Some(&*expected(&own, "", "")));
}

#[test]
fn an_accounts_own_client_goes_before_the_connections_and_is_never_mixed_with_it() {
    let own = ("account/consumer_key", "own");
    let refusal = asked(&account(&[own]), None).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some("account/consumer_secret"));
    let account = account(&[own, ("account/consumer_secret", "s"), PLAINTEXT]);
    let edits = edits(&account, None);
    let own = parameters(&edits[0].1);
    assert_eq!(parameter(&own, "oauth_consumer_key"), Some("own"));
    assert_eq!(parameter(&own, "oauth_signature"), Some("s&shh"));
}

#[test]
fn without_a_token_nothing_is_signed_unless_the_provider_wants_none() {
    let refusal = asked(&Account::of(&CLIENT), None).unwrap_err();
    assert_eq!(refusal.reason, Reason::Reauthorize);
    let half = Account::of(&[&CLIENT[..], &TYPED[..1]].concat());
    assert_eq!(asked(&half, None).unwrap_err().field.as_deref(), Some("account/token_secret"));
    let two_legged = ("pattern/oauth1/two_legged", "true");
    let own = signed(
        &Account::of(&[&CLIENT[..], &[two_legged]].concat()),
        &view(URL, &[], BodyView::Unseen(Some(0))),
    );
    assert_eq!(parameter(&own, "oauth_token"), None);
    assert_eq!(parameter(&own, "oauth_signature"), Some(&*expected(&own, "", "")));
}

#[test]
fn a_request_with_parameters_of_the_protocol_is_refused() {
    for name in NAMES {
        let form = [name, "=x"].concat();
        let view = view(URL, &[FORM], BodyView::Bytes(form.clone().into()));
        assert_eq!(asked(&account(&[]), Some(&view)).unwrap_err().reason, Reason::InvalidRequest);
        let url = [URL, "?%6F", &form[1..]].concat();
        let view = self::view(&url, &[], BodyView::Unseen(Some(0)));
        assert_eq!(asked(&account(&[]), Some(&view)).unwrap_err().reason, Reason::InvalidRequest);
    }
}

/// A sandbox has no time for as many as fit.
#[test]
fn more_parameters_than_a_call_has_the_time_for_are_refused() {
    let some = |count: usize| vec!["a"; count].join("&");
    for (in_query, in_form, is_signed) in
        [(1000, 0, true), (1001, 0, false), (500, 500, true), (500, 501, false), (0, 1001, false)]
    {
        let url = format!("{URL}?{}", some(in_query));
        let view = view(&url, &[FORM], BodyView::Bytes(some(in_form).into()));
        let outcome = asked(&account(&[]), Some(&view));
        let reason = outcome.err().map(|refusal| refusal.reason);
        let expected = (!is_signed).then_some(Reason::InvalidRequest);
        assert_eq!(reason, expected, "{in_query} {in_form}");
    }
}

#[test]
fn what_cannot_be_signed_whole_is_refused() {
    let long = MOST_BODY as u64 + 1;
    for (headers, body) in [
        (vec![FORM], BodyView::Unseen(Some(long))),
        (vec![FORM], BodyView::Bytes(vec![b'x'; MOST_BODY + 1])),
        (vec![FORM, ("content-type", "text/plain")], BodyView::Unseen(Some(1))),
    ] {
        let refusal = asked(&account(&[]), Some(&view(URL, &headers, body))).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidRequest, "{headers:?}");
    }
}

#[test]
fn a_value_that_cannot_be_signed_with_is_named() {
    let secret = ("connection/client_secret", "s");
    for (values, at) in [
        (vec![secret], "connection/client_id"),
        (vec![("connection/client_id", "id")], "connection/client_secret"),
        (vec![("connection/client_id", "id"), RSA], "connection/private_key"),
        (vec![("account/consumer_key", "id"), RSA], "account/private_key"),
        (
            vec![CLIENT[0], secret, ("pattern/oauth1/signature_method", "hmac-sha1")],
            "pattern/oauth1/signature_method",
        ),
        (vec![CLIENT[0], secret, ("pattern/oauth1/placement", "body")], "pattern/oauth1/placement"),
        (vec![CLIENT[0], secret, ("connection/realm", "a\"b")], "connection/realm"),
        (vec![CLIENT[0], secret, ("account/realm", "a\nb")], "account/realm"),
    ] {
        let values = [&values[..], &TYPED].concat();
        let refusal = asked(&Account::of(&values), None).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(at), "{values:?}");
    }
}

#[test]
fn a_key_that_calls_have_no_time_for_is_refused_before_it_is_read() {
    let pem = |bytes| ["-----BEGIN PRIVATE KEY-----\n", &"A".repeat(bytes)].concat();
    let long = ("pattern/oauth1/long_keys", "true");
    for (values, bytes, is_too_long) in [
        (vec![], 900, false),
        (vec![], 1700, true),
        (vec![long], 1700, false),
        (vec![long], 6400, true),
    ] {
        let pem = pem(bytes);
        let values = [&values[..], &[RSA, ("connection/private_key", &pem)]].concat();
        let request = view(URL, &[], BodyView::Unseen(Some(0)));
        let refusal = asked(&account(&values), Some(&request)).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some("connection/private_key"));
        assert_eq!(refusal.message.contains("long_keys"), is_too_long, "{bytes} {values:?}");
    }
}

#[test]
fn a_broken_key_is_found_before_it_is_saved() {
    let found = |values: &[(&str, &str)]| {
        let problems = OAuth1::validate(&cx(), &Account::of(values));
        problems.into_iter().filter_map(|it| it.field).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), [""; 0]);
    let broken = [("connection/private_key", "-----BEGIN"), ("account/realm", "\\")];
    assert_eq!(found(&broken), ["connection/private_key", "account/realm"]);
}
