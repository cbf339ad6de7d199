//! Connections in, token requests out.

use super::*;
use crate::Reason;

const ID: (&str, &str) = ("connection/client_id", "a:b c");
const SECRET: (&str, &str) = ("connection/client_secret", "p%+&é");

fn post(values: &[(&str, &str)]) -> Result<(Option<String>, String), Refusal> {
    let account = Account::of(values);
    let request = Client::of(&account)?.post("https://as.example/token", &[("grant_type", "x y")]);
    assert_eq!(
        (request.method.as_str(), request.url.as_str()),
        ("POST", "https://as.example/token")
    );
    let header = |name: &str| {
        request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    assert_eq!(header("content-type").unwrap(), "application/x-www-form-urlencoded");
    Ok((header("authorization"), String::from_utf8(request.body).unwrap()))
}

/// RFC 6749, section 2.3.1: both are form-encoded before Basic joins them.
#[test]
fn the_client_proves_itself_as_the_pattern_says() {
    let basic = "Basic ".to_owned() + &base64::standard(b"a%3Ab+c:p%25%2B%26%C3%A9");
    let by_post = "grant_type=x+y&client_id=a%3Ab+c&client_secret=p%25%2B%26%C3%A9";
    let by_none = "grant_type=x+y&client_id=a%3Ab+c";
    for (values, authorization, body) in [
        (vec![ID, SECRET], Some(&basic), "grant_type=x+y"),
        (vec![ID, SECRET, (METHOD, "client_secret_basic")], Some(&basic), "grant_type=x+y"),
        (vec![ID, SECRET, (METHOD, "client_secret_post")], None, by_post),
        (vec![ID, SECRET, (METHOD, "none")], None, by_none),
        (vec![ID], None, by_none),
        (vec![ID, ("connection/client_secret", "")], None, by_none),
    ] {
        assert_eq!(post(&values).unwrap(), (authorization.cloned(), body.to_owned()));
    }
}

#[test]
fn a_client_that_cannot_prove_itself_is_refused_by_name() {
    for (values, field) in [
        (vec![], "connection/client_id"),
        (vec![ID, (METHOD, "client_secret_basic")], "connection/client_secret"),
        (vec![ID, (METHOD, "client_secret_post")], "connection/client_secret"),
        (vec![ID, SECRET, (METHOD, "private_key_jwt")], METHOD),
    ] {
        let refusal = post(&values).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
}
